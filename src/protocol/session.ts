/**
 * One end of one connection: transport messages in, frames and the application's messages out. Without I/O,
 * timers or waiting of its own: the host moves bytes, asks for `deadline` and calls `tick`. With a synchronous
 * backend everything happens within the call that caused it.
 */
import type { MaybePromise } from '../crypto/backend.ts';
import { ClientHandshake } from './client-handshake.ts';
import { Conversation } from './conversation.ts';
import type { PQErrorCode } from './errors.ts';
import { failureOf, PQWebSocketError, Refusal } from './errors.ts';
import type { Agreement } from './key-agreement.ts';
import { Link } from './link.ts';
import { SerialQueue } from './maybe-promise.ts';
import { outcomeOf } from './outcome.ts';
import type { SentCallback } from './outbox.ts';
import type { CloseContent, MessageKind } from './record.ts';
import { ServerHandshake } from './server-handshake.ts';
import type { ProfileSession, SessionConfig, SessionHost } from './session-types.ts';
import type { State } from './states.ts';

export type { ChannelFacts, Message, SessionConfig, SessionHost } from './session-types.ts';

/** What a waiting message costs beside its bytes, so that empty ones count too. */
const WAITING_MESSAGE_BYTES = 64;

export class Session<Text> implements ProfileSession {
  readonly profile = 'v1';
  readonly #link: Link<Text>;
  readonly #client: ClientHandshake;
  readonly #server: ServerHandshake;
  readonly #conversation: Conversation<Text>;
  readonly #inbound: SerialQueue;
  /** Bytes received that wait for an earlier step. */
  #waitingBytes = 0;
  #handshakeDeadline: number | undefined;
  #closeDeadline: number | undefined;
  #failure: PQWebSocketError | undefined;
  #transportEnd: { readonly code: number; readonly cause: unknown } | undefined;

  constructor(
    private readonly config: SessionConfig<Text>,
    private readonly host: SessionHost<Text>,
  ) {
    const fail = (error: unknown): void => {
      this.#fail(error);
    };
    this.#inbound = new SerialQueue(fail);
    this.#link = new Link(config, host, fail);
    this.#client = new ClientHandshake(this.#link);
    this.#server = new ServerHandshake(this.#link);
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
    switch (this.state) {
      case 'open':
      case 'finishing':
      case 'ended':
      case 'failed':
        return undefined;
      case 'close sent':
        return this.#closeDeadline;
      case 'server: closing unrepeated':
      case 'server: closing unconfirmed':
        return Math.min(this.#handshakeDeadline ?? Infinity, this.#closeDeadline ?? Infinity);
      default:
        return this.#handshakeDeadline;
    }
  }

  /**
   * Client: the transport is open.
   * @param selected the subprotocol that the server selected
   */
  start(selected = ''): void {
    this.#startHandshakeTimer();
    this.#inbound.push(() => this.#client.start(selected));
  }

  /** Server: the transport is open, and the host ready to hear of it. Answers what the upgrade request has asked, if it has. */
  answerEarly(): void {
    const { earlyHello } = this.config;
    if (earlyHello === undefined || !this.#link.state.is('server: awaiting client hello')) return;
    this.#inbound.push(() => this.#server.answerEarly(earlyHello));
  }

  /** A message from the transport. The bytes are only read. */
  receive(message: string | Uint8Array): void {
    const { state } = this.#link;
    if (state.isDeaf) return;
    // Here the peer has nothing to answer yet, so whatever it says is out of turn (PROTOCOL.md 3.1 and 3.2).
    if (state.is('client: idle', 'server: replying')) {
      this.#fail(new Refusal('PQ_ERR_MESSAGE_TYPE'));
      return;
    }
    const cost = message.length + WAITING_MESSAGE_BYTES;
    this.#waitingBytes += cost;
    this.#inbound.push(() => {
      this.#waitingBytes -= cost;
      return this.#accept(message);
    });
    // Frames behind a verification that still runs wait, but not without limit. An open session falls behind
    // only as far as its backend does.
    if (!state.hasAcceptedPeer && this.#waitingBytes > this.config.limits.maxWaitingBytes) {
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
    if (state.isSilent) {
      sent?.(this.#reason());
      return false;
    }
    if (now && state.sends && outbound.sendNow(kind, payload, sent)) return true;
    outbound.add(kind, payload, owned, sent);
    if (!state.sends && outbound.queuedBytes > this.config.limits.maxQueuedBytes) {
      this.#fail(new Refusal('PQ_ERR_QUEUE_LIMIT'));
    }
    return true;
  }

  /** Seals what waits; messages that wait together share records. */
  flush(): void {
    if (this.#link.state.sends) this.#link.outbound.flush();
  }

  /** Seals a close behind what was sent before it. Before the connection is open it fails the connection instead. */
  close(content: CloseContent): void {
    const { state } = this.#link;
    if (state.sends) this.#conversation.close(content);
    else if (!state.isSilent) this.#fail(new Refusal('PQ_ERR_CLOSED_EARLY'));
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
    if (!this.#link.state.receives) this.#conclude();
    else {
      this.#inbound.push(() => {
        this.#conclude();
      });
    }
  }

  /** @throws {Error} before the connection is open and after it has ended */
  exportKey(label: string, length: number): MaybePromise<Uint8Array> {
    const { agreement, state } = this.#link;
    if (agreement === undefined || !state.exports) throw new Error('exportKey: the connection is not open');
    return agreement.keys.exporter.exportKey(label, length);
  }

  #startHandshakeTimer(): void {
    this.#handshakeDeadline = this.config.now() + this.config.limits.handshakeTimeout;
  }

  #accept(message: string | Uint8Array): MaybePromise<void> {
    switch (this.state) {
      case 'client: awaiting server hello':
        return this.#client.acceptServerHello(message);
      case 'client: awaiting finished':
        return this.#client.acceptFinished(message);
      case 'server: awaiting client hello':
        return this.#server.acceptClientHello(message);
      case 'server: awaiting repeated hello':
      case 'server: closing unrepeated':
        return this.#server.acceptRepeatedHello(message);
      case 'server: awaiting finished':
      case 'server: closing unconfirmed':
        return this.#server.acceptFinished(message);
      case 'open':
      case 'close sent':
        return this.#conversation.accept(message);
      case 'finishing':
      case 'ended':
      case 'failed':
        return undefined;
      case 'client: idle':
      case 'client: verifying':
      case 'server: answering early':
      case 'server: replying':
        throw new Error(`a message was handled in state '${this.state}'`);
    }
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
    this.#failure = failureOf(refusal, state.hasAcceptedPeer);
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
    this.#client.destroy();
    this.#link.destroyKeys();
    this.#link.outbound.abandon(this.#reason());
  }

  /** Why nothing can be sent. */
  #reason(): PQWebSocketError {
    return this.#failure ?? new PQWebSocketError('PQ_ERR_CLOSED_EARLY', undefined, 'local');
  }
}
