/**
 * One end of one connection: transport messages in, frames and the application's messages out. Without I/O,
 * timers or waiting of its own: the host moves bytes, asks for `deadline` and calls `tick`. With a synchronous
 * backend everything happens within the call that caused it.
 */
import type { MaybePromise } from '../crypto/backend.ts';
import { Conversation } from './v1/conversation.ts';
import type { PQErrorCode } from '../api/errors.ts';
import { PQWebSocketError } from '../api/errors.ts';
import { failureOf, Refusal } from './errors.ts';
import type { Handshake, HandshakeMaker } from './v1/handshake-role.ts';
import type { Agreement } from './v1/key-agreement.ts';
import { Link } from './v1/link.ts';
import { SerialQueue } from '../base/maybe-promise.ts';
import { outcomeOf } from './v1/outcome.ts';
import type { SentCallback } from './v1/outbox.ts';
import type { CloseContent, MessageKind } from './v1/record.ts';
import type { ProfileSession, SessionConfig, SessionHost } from './session-types.ts';
import type { State } from './v1/states.ts';

export type { ChannelFacts, Message, SessionConfig, SessionHost } from './session-types.ts';

/** What a waiting message costs beside its bytes, so that empty ones count too. */
const WAITING_MESSAGE_BYTES = 64;

export class Session<Text> implements ProfileSession {
  readonly profile = 'v1';
  readonly #link: Link<Text>;
  readonly #handshake: Handshake;
  readonly #conversation: Conversation<Text>;
  readonly #inbound: SerialQueue;
  /** Bytes received that wait for an earlier step. */
  #waitingBytes = 0;
  #handshakeDeadline: number | undefined;
  #closeDeadline: number | undefined;
  #failure: PQWebSocketError | undefined;
  #transportEnd: { readonly code: number; readonly cause: unknown } | undefined;

  /** @param role this end's half of the handshake */
  constructor(
    private readonly config: SessionConfig<Text>,
    private readonly host: SessionHost<Text>,
    role: HandshakeMaker,
  ) {
    const fail = (error: unknown): void => {
      this.#fail(error);
    };
    this.#inbound = new SerialQueue(fail);
    this.#link = new Link(config, host, role.states, fail);
    this.#handshake = new role(this.#link);
    this.#conversation = new Conversation(this.#link, () => {
      this.#end();
    });
    if (config.role === 'server') this.#startHandshakeTimer();
  }

  get state(): State {
    return this.#link.state.current;
  }

  get failure(): PQWebSocketError | undefined {
    return this.#failure;
  }

  /** True when one side answered the other's close, false when they crossed, undefined before a clean end. */
  get closeAnswered(): boolean | undefined {
    return this.#link.state.is('ended') ? this.#conversation.closeAnswered : undefined;
  }

  get facts(): Agreement | undefined {
    return this.#link.agreement;
  }

  /** The application's bytes that have not been given to the transport. */
  get queuedBytes(): number {
    return this.#link.outbound.queuedBytes;
  }

  get recordsSealed(): number {
    return this.#link.outbound.recordsSealed;
  }

  get recordsOpened(): number {
    return this.#link.recordsOpened;
  }

  /** When `tick` has something to do, on the clock of the config; undefined when nothing is timed. */
  get deadline(): number | undefined {
    const { state } = this.#link;
    if (state.is('open') || state.may('deaf')) return undefined;
    if (state.is('close sent')) return this.#closeDeadline;
    return earlier(this.#handshakeDeadline, this.#closeDeadline);
  }

  /**
   * Client: the transport is open.
   * @param selected the subprotocol that the server selected
   */
  start(selected = ''): void {
    this.#startHandshakeTimer();
    this.#inbound.push(() => this.#handshake.start(selected));
  }

  /** Server: the transport is open, and the host ready to hear of it. Answers what the upgrade request has asked, if it has. */
  answerEarly(): void {
    this.#inbound.push(() => this.#handshake.answerEarly());
  }

  /**
   * A message from the transport.
   * @param owned whether nobody else has its memory: otherwise it is only read
   */
  receive(message: string | Uint8Array, owned = false): void {
    const { state } = this.#link;
    if (state.may('deaf')) return;
    if (state.may('unasked')) {
      this.#fail(new Refusal('PQ_ERR_MESSAGE_TYPE'));
      return;
    }
    const cost = message.length + WAITING_MESSAGE_BYTES;
    this.#waitingBytes += cost;
    this.#inbound.push(() => {
      this.#waitingBytes -= cost;
      return this.#accept(message, owned);
    });
    // Frames behind a verification that still runs wait, but not without limit. An open session falls behind
    // only as far as its backend does.
    if (!state.may('accepted') && this.#waitingBytes > this.config.limits.maxWaitingBytes) {
      this.#fail(new Refusal('PQ_ERR_QUEUE_LIMIT'));
    }
    this.flush();
  }

  /**
   * Queues a message until `flush`, or until the connection is open. After a close or a failure it is dropped.
   * @param owned whether nobody else can change `payload`; otherwise it is copied now
   * @param now whether `transmit` may be called within this call, where that saves a copy
   * @returns whether it was queued, or sent
   */
  send(kind: MessageKind, payload: Uint8Array, owned: boolean, sent?: SentCallback, now = false): boolean {
    const { state, outbound } = this.#link;
    if (state.may('silent')) {
      sent?.(this.#reason());
      return false;
    }
    if (now && state.may('sends') && outbound.sendNow(kind, payload, sent)) return true;
    outbound.add(kind, payload, owned, sent);
    if (!state.may('sends') && outbound.queuedBytes > this.config.limits.maxQueuedBytes) {
      this.#fail(new Refusal('PQ_ERR_QUEUE_LIMIT'));
    }
    return true;
  }

  /** Seals what waits; messages that wait together share records. */
  flush(): void {
    if (this.#link.state.may('sends')) this.#link.outbound.flush();
  }

  /** Seals a close behind what was sent before it. Before the connection is open it fails the connection instead. */
  close(content: CloseContent): void {
    const { state } = this.#link;
    if (state.may('sends')) this.#conversation.close(content);
    else if (!state.may('silent')) this.#fail(new Refusal('PQ_ERR_CLOSED_EARLY'));
  }

  /** The transport has sent all that it was given, the close included: the wait for its answer begins. */
  closeDrained(): void {
    this.#closeDeadline ??= this.config.now() + this.config.limits.closeTimeout;
  }

  /** To be called at `deadline`. */
  tick(): void {
    const { deadline } = this;
    if (deadline === undefined || this.config.now() < deadline) return;
    this.#fail(new Refusal(deadline === this.#closeDeadline ? 'PQ_ERR_CLOSE_TIMEOUT' : 'PQ_ERR_HANDSHAKE_TIMEOUT'));
  }

  /** Gives up, for a reason that the host found. */
  abort(code: PQErrorCode, cause?: unknown): void {
    this.#fail(new Refusal(code, cause === undefined ? undefined : { cause }));
  }

  /**
   * The transport has closed, with this code. What it delivered before is still handled first, unless it waits
   * for something that may never come: a dead connection is not kept alive for that.
   * @param cause what the transport said of its own failure, if it did
   */
  transportClosed(code: number, cause?: unknown): void {
    if (this.#transportEnd !== undefined) return;
    this.#transportEnd = { code, cause };
    if (!this.#link.state.may('receives')) this.#conclude();
    else {
      this.#inbound.push(() => {
        this.#conclude();
      });
    }
  }

  /** @throws {Error} before the connection is open and after it has ended */
  exportKey(label: string, length: number): MaybePromise<Uint8Array> {
    const { agreement, state } = this.#link;
    if (agreement === undefined || !state.may('exports')) throw new Error('exportKey: the connection is not open');
    return agreement.keys.exporter.exportKey(label, length);
  }

  #startHandshakeTimer(): void {
    this.#handshakeDeadline = this.config.now() + this.config.limits.handshakeTimeout;
  }

  #accept(message: string | Uint8Array, owned: boolean): MaybePromise<void> {
    const { state } = this.#link;
    if (state.may('deaf')) return undefined;
    return state.is('open', 'close sent') ? this.#conversation.accept(message, owned) : this.#handshake.accept(message);
  }

  #end(): void {
    if (!this.#link.state.is('finishing')) return;
    this.#link.state.move('handed over');
    this.#release();
    this.host.ended();
    if (this.#transportEnd !== undefined) this.#conclude();
  }

  #fail(error: unknown): void {
    const { state } = this.#link;
    if (state.is('ended', 'failed')) return;
    const refusal = error instanceof Refusal ? error : new Refusal('PQ_ERR_INTERNAL', { cause: error });
    this.#failure = failureOf(refusal, state.may('accepted'));
    state.move('fail');
    this.#release();
    this.host.failed(this.#failure);
    if (this.#transportEnd !== undefined) this.#conclude();
  }

  #conclude(): void {
    const { state } = this.#link;
    const transport = this.#transportEnd as { readonly code: number; readonly cause: unknown };
    const outcome = outcomeOf(state.current, this.#conversation.peerClose, this.#failure, transport);
    this.#failure = outcome.failure;
    if (!state.is('ended', 'failed')) {
      state.move('fail');
      this.#release();
    }
    this.host.closed(outcome);
  }

  /** Lets go of every secret and of all that waits, in either direction. */
  #release(): void {
    this.#inbound.clear();
    this.#handshake.destroy();
    this.#link.destroyKeys();
    this.#link.outbound.abandon(() => this.#reason());
  }

  /** Why nothing can be sent. */
  #reason(): PQWebSocketError {
    return this.#failure ?? new PQWebSocketError('PQ_ERR_CLOSED_EARLY', undefined, 'local');
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
