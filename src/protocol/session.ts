/**
 * One end of one connection: transport messages in, frames and the application's messages out. Without I/O,
 * timers or waiting of its own: the host moves bytes, asks for `deadline` and calls `tick`. With a synchronous
 * backend everything happens within the call that caused it.
 */
import { ON_NODE } from '#on-node';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { SerialQueue } from '../base/maybe-promise.ts';
import { Queue } from '../base/queue.ts';
import type { CommonCode } from '../api/errors.ts';
import { PQWebSocketError } from '../api/errors.ts';
import { Refusal } from './errors.ts';
import type { TransportEnd } from './outcome.ts';
import type { SentCallback } from './receipt.ts';
import type {
  Channel,
  Profile,
  ProfileHost,
  ProfileMaker,
  ProfileName,
  SessionConfig,
  SessionHost,
  TransportClose,
} from './session-types.ts';
import type { CloseContent, MessageKind } from './v1/record.ts';

export type { ChannelFacts, Message, SessionConfig, SessionHost } from './session-types.ts';

/** What a waiting message costs beside its bytes, so that empty ones count too. */
const WAITING_MESSAGE_BYTES = 64;
/** Messages that an open session whose backend answers later may be behind: more than any but a flood leaves it. */
const MAX_WAITING_MESSAGES = 65_536;
const CUT_OFF: TransportClose = { reason: '', wasClean: false };

interface WaitingMessage {
  readonly message: string | Uint8Array;
  readonly owned: boolean;
}

export class Session<Text = unknown> implements ProfileHost<Text> {
  #profile: Profile;
  /** Messages received, and what the handshake begins with: one after the other. */
  readonly #inbound: SerialQueue;
  /** What has been received and waits for an earlier step, and how many bytes that is. */
  readonly #waiting = new Queue<WaitingMessage>();
  #waitingBytes = 0;
  #handshakeDeadline: number | undefined;
  #closeDeadline: number | undefined;
  #failure: PQWebSocketError | undefined;
  #transportEnd: TransportEnd | undefined;

  constructor(
    readonly config: SessionConfig<Text>,
    readonly host: SessionHost<Text>,
    maker: ProfileMaker,
  ) {
    this.#inbound = new SerialQueue((error) => {
      this.fail(error);
    });
    this.#profile = new maker(this);
  }

  get profile(): ProfileName {
    const { profile } = this.config;
    // Also where its code is still to come, and this is the session that waits for it.
    return profile === 'yellowpages' ? profile : this.#profile.name;
  }

  /** A name from the profile's own table. A client's first is `client: idle` in each. */
  get state(): string {
    return this.#profile.state.current;
  }

  /** Whether a message that has come is still being looked at. */
  get isBusy(): boolean {
    return !this.#inbound.isIdle;
  }

  get failure(): PQWebSocketError | undefined {
    return this.#failure;
  }

  get channel(): Channel {
    return this.#profile;
  }

  /** The application's bytes that have not been given to the transport. */
  get queuedBytes(): number {
    return this.#profile.queuedBytes;
  }

  /** When `tick` has something to do, on the clock of the config; undefined when nothing is timed. */
  get deadline(): number | undefined {
    const { state } = this.#profile;
    if (state.may('deaf')) return undefined;
    const own = state.may('accepted') ? undefined : this.#handshakeDeadline;
    return earlier(earlier(own, this.#closeDeadline), this.#profile.deadline);
  }

  /**
   * The transport is open, and the host ready to hear of it: a client says hello, a server answers what the upgrade request has asked, if it
   * has.
   * @param selected the subprotocol that the server selected
   */
  start(selected = ''): void {
    this.#inbound.push(() => this.#profile.start(selected));
  }

  /**
   * A message from the transport.
   * @param owned whether its memory is ours alone: otherwise it is only read
   */
  receive(message: string | Uint8Array, owned = false): void {
    const { state } = this.#profile;
    if (state.may('deaf')) return;
    if (state.may('unasked')) this.fail(new Refusal('PQ_ERR_MESSAGE_TYPE'));
    else if (!ON_NODE || !this.#inbound.enter()) this.#wait(message, owned);
    else {
      let rest: MaybePromise<void> = undefined;
      try {
        rest = this.#profile.accept(message, owned);
      } catch (error) {
        this.fail(error);
      }
      this.#inbound.leave(rest);
    }
    this.flush();
  }

  /**
   * Queues a message until `flush`, or until the connection is open. After a close or a failure it is dropped.
   * @param owned whether only we can change `payload`; otherwise it is copied now
   * @param now whether `transmit` may be called within this call, where that saves a copy
   * @returns whether it was queued, or sent
   */
  send(kind: MessageKind, payload: Uint8Array, owned: boolean, sent?: SentCallback, now = false): boolean {
    const { state, outbox } = this.#profile;
    if (state.may('silent')) {
      sent?.(this.#reason());
      return false;
    }
    if (ON_NODE && now && state.may('sends') && this.#profile.sendNow(kind, payload, sent)) return true;
    outbox.add(kind, payload, owned, sent);
    if (!state.may('sends')) this.limitQueue();
    return true;
  }

  /** Seals what waits; in v1, messages that wait together share records. */
  flush(): void {
    if (!this.#profile.state.may('sends')) return;
    try {
      this.#profile.flush();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Closes behind what was sent before. Before the connection is open it fails the connection instead. */
  close(content: CloseContent): void {
    this.flush();
    const { state } = this.#profile;
    if (state.may('sends')) this.#profile.close(content);
    else if (!state.may('silent')) this.fail(new Refusal('PQ_ERR_CLOSED_EARLY'));
  }

  /** The transport has sent all that it was given, the close included: the wait for its answer begins. */
  closeDrained(): void {
    this.#closeDeadline ??= this.config.now() + this.config.limits.closeTimeout;
  }

  /** To be called at `deadline`. */
  tick(): void {
    const { deadline } = this;
    if (deadline === undefined || this.config.now() < deadline) return;
    if (deadline === this.#profile.deadline) {
      this.#profile.tick();
      return;
    }
    this.fail(new Refusal(deadline === this.#closeDeadline ? 'PQ_ERR_CLOSE_TIMEOUT' : 'PQ_ERR_HANDSHAKE_TIMEOUT'));
  }

  /** Gives up, for a reason that the host found. */
  abort(code: CommonCode, cause?: unknown): void {
    this.fail(new Refusal(code, cause === undefined ? undefined : { cause }));
  }

  /**
   * The transport has closed, with this code. What it delivered before is still handled first, unless it waits
   * for something that may never come: a dead connection is not kept alive for that.
   * @param cause what the transport said of its own failure, if it did
   */
  transportClosed(code: number, cause?: unknown, said: TransportClose = CUT_OFF): void {
    if (this.#transportEnd !== undefined) return;
    const end = { code, cause, ...said };
    this.#transportEnd = end;
    if (!this.#profile.state.may('receives')) this.#conclude(end);
    else {
      this.#inbound.push(() => {
        this.#conclude(end);
      });
    }
  }

  // What the profile says.

  /** @internal */
  startTimer(milliseconds: number): void {
    this.#handshakeDeadline = this.config.now() + milliseconds;
  }

  /** @internal */
  ended(tell: () => void): void {
    // One that comes within the call, as Node's own class may have it, is concluded where it comes.
    const end = this.#transportEnd;
    this.#release();
    tell();
    if (end !== undefined) this.#conclude(end);
  }

  /** @internal Ends the connection, with the code that goes with the state. */
  fail(error: unknown): void {
    const { state } = this.#profile;
    if (state.isOver) return;
    const refusal = error instanceof Refusal ? error : new Refusal('PQ_ERR_INTERNAL', { cause: error });
    const failure = (this.#failure = this.#profile.failureOf(refusal));
    state.fail();
    this.ended(() => {
      this.host.failed(failure);
    });
  }

  /** Has another profile from now on: before anything has been sent or received. */
  protected become(maker: ProfileMaker): void {
    this.#profile = new maker(this);
  }

  /** Before the connection is open not everything may wait. */
  protected limitQueue(): void {
    if (this.queuedBytes > this.config.limits.maxQueuedBytes) this.fail(new Refusal('PQ_ERR_QUEUE_LIMIT'));
  }

  /** What comes while an earlier message is worked on waits behind it, but not without limit. */
  #wait(message: string | Uint8Array, owned: boolean): void {
    this.#waiting.push({ message, owned });
    this.#waitingBytes += message.length + WAITING_MESSAGE_BYTES;
    this.#inbound.push(() => this.#acceptNext());
    const { maxWaitingBytes, maxPayload } = this.config.limits;
    // In the handshake it is a verification that takes its time. An open session falls behind only as far as its backend does.
    const isTooMuch = this.#profile.state.may('accepted')
      ? this.#waiting.length > MAX_WAITING_MESSAGES || this.#waitingBytes > maxWaitingBytes + maxPayload
      : this.#waitingBytes > maxWaitingBytes;
    if (isTooMuch) this.fail(new Refusal('PQ_ERR_QUEUE_LIMIT'));
  }

  #acceptNext(): MaybePromise<void> {
    const next = this.#waiting.shift();
    if (next === undefined || this.#profile.state.may('deaf')) return undefined;
    this.#waitingBytes -= next.message.length + WAITING_MESSAGE_BYTES;
    return this.#profile.accept(next.message, next.owned);
  }

  #conclude(end: TransportEnd): void {
    const outcome = this.#profile.outcomeOf(end, this.#failure);
    this.#failure = outcome.failure;
    if (!this.#profile.state.isOver) {
      this.#profile.transportGone();
      this.#release();
    }
    this.host.closed(outcome);
  }

  /** Lets go of every secret and of all that waits, in either direction. */
  #release(): void {
    this.#inbound.clear();
    this.#waiting.clear();
    this.#profile.release(() => this.#reason());
  }

  /** Why nothing can be sent. */
  #reason(): PQWebSocketError {
    return this.#failure ?? new PQWebSocketError('PQ_ERR_CLOSED_EARLY', undefined, 'local');
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
