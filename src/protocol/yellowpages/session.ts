/**
 * One end of one connection in the profile yellowpages (PROTOCOL.md 15): like `Session` without I/O, timers or waiting
 * of its own, and to its host the same. Order, key updates and closes it has none: the transport's stand for them.
 */
import type { MaybePromise } from '../../crypto/backend.ts';
import type { PQErrorCode } from '../../api/errors.ts';
import { PQWebSocketError } from '../../api/errors.ts';
import { Refusal } from '../errors.ts';
import { chain, SerialQueue } from '../../base/maybe-promise.ts';
import type { SentCallback } from '../v1/outbox.ts';
import type { CloseContent, MessageKind } from '../v1/record.ts';
import type {
  ChannelFacts,
  ProfileSession,
  SessionConfig,
  SessionHost,
  TransportClose,
  YellowpagesConfig,
} from '../session-types.ts';
import { YellowpagesFrames } from './frames.ts';
import type { YellowpagesKey } from './handshake.ts';
import { answerYellowpagesHello, YellowpagesClientHandshake } from './handshake.ts';
import { parseServerHello } from './hellos.ts';
import type { YellowpagesEnd } from './outcome.ts';
import { yellowpagesFailure, yellowpagesOutcome } from './outcome.ts';
import type { YellowpagesState } from './states.ts';
import { YellowpagesMachine } from './states.ts';

/** What a waiting message costs beside its bytes, so that empty ones count too. */
const WAITING_MESSAGE_BYTES = 64;
const CUT_OFF: TransportClose = { reason: '', wasClean: false };

export class YellowpagesSession<Text> implements ProfileSession {
  readonly profile = 'yellowpages';
  /** The transport's closes are not answered inside the seal. */
  readonly closeAnswered = undefined;
  readonly #state: YellowpagesMachine;
  readonly #client: YellowpagesClientHandshake;
  readonly #frames: YellowpagesFrames;
  readonly #inbound: SerialQueue;
  readonly #own: YellowpagesConfig;
  #waitingBytes = 0;
  #stepDeadline: number;
  #facts: ChannelFacts | undefined;
  #failure: PQWebSocketError | undefined;
  #transportEnd: YellowpagesEnd | undefined;

  /** @throws {Error} without the config's `yellowpages` */
  constructor(
    private readonly config: SessionConfig<Text>,
    private readonly host: SessionHost<Text>,
  ) {
    if (config.yellowpages === undefined) throw new Error('no configuration of yellowpages');
    this.#own = config.yellowpages;
    const failed = (error: unknown): void => {
      this.#fail(error);
    };
    this.#state = new YellowpagesMachine(config.role);
    this.#inbound = new SerialQueue(failed);
    this.#client = new YellowpagesClientHandshake(config, this.#own);
    const { random, limits } = config;
    this.#frames = new YellowpagesFrames(
      { random, maxPayload: limits.maxPayload, maxFrames: this.#own.maxFrames },
      {
        transmit: (frame, receipt) => {
          host.transmit(frame, receipt);
        },
        failed,
      },
    );
    this.#stepDeadline = this.#nextStepDeadline();
  }

  get state(): YellowpagesState {
    return this.#state.current;
  }

  get failure(): PQWebSocketError | undefined {
    return this.#failure;
  }

  get facts(): ChannelFacts | undefined {
    return this.#facts;
  }

  /** The application's bytes that have not been given to the transport. */
  get queuedBytes(): number {
    return this.#frames.queuedBytes;
  }

  get recordsSealed(): number {
    return this.#frames.recordsSealed;
  }

  get recordsOpened(): number {
    return this.#frames.recordsOpened;
  }

  /** When `tick` has something to do: a step of the handshake must end. An open connection may be idle for ever. */
  get deadline(): number | undefined {
    return this.#isHandshaking ? this.#stepDeadline : undefined;
  }

  /** This profile has no fast open: the first message is its hello. */
  answerEarly(): void {}

  /** Client: the transport is open. */
  start(): void {
    this.#stepDeadline = this.#nextStepDeadline();
    this.#inbound.push(() =>
      chain(this.#client.start(), (clientHello) => {
        if (!this.#state.is('client: idle')) return;
        this.#state.move('start');
        this.host.transmit(clientHello, undefined);
      }),
    );
  }

  /** A message from the transport. The bytes are only read. */
  receive(message: string | Uint8Array): void {
    if (this.#state.is('closing', 'ended', 'failed')) return;
    // Here the peer has nothing to say yet.
    if (this.#state.is('client: idle', 'server: replying')) {
      this.#fail(new Refusal('PQ_ERR_MESSAGE_TYPE'));
      return;
    }
    const cost = message.length + WAITING_MESSAGE_BYTES;
    this.#waitingBytes += cost;
    this.#inbound.push(() => {
      this.#waitingBytes -= cost;
      return this.#accept(message);
    });
    if (this.#isHandshaking && this.#waitingBytes > this.config.limits.maxWaitingBytes) {
      this.#fail(new Refusal('PQ_ERR_QUEUE_LIMIT'));
    }
    this.flush();
  }

  /**
   * Queues a copy of a message until `flush`, or until the connection is open. Text goes as its UTF-8 bytes.
   * @returns whether it was queued
   */
  send(_kind: MessageKind, payload: Uint8Array, _owned: boolean, sent?: SentCallback): boolean {
    if (this.#state.is('closing', 'ended', 'failed')) {
      sent?.(this.#reason());
      return false;
    }
    this.#frames.add(payload, sent);
    if (this.#isHandshaking && this.queuedBytes > this.config.limits.maxQueuedBytes) {
      this.#fail(new Refusal('PQ_ERR_QUEUE_LIMIT'));
    }
    return true;
  }

  /** Seals what waits, each message in a frame of its own. */
  flush(): void {
    if (!this.#state.is('open')) return;
    try {
      this.#frames.flush();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Closes the transport behind what was sent. Before the connection is open it fails the connection instead. */
  close(content: CloseContent): void {
    this.flush();
    if (this.#isHandshaking) this.#fail(new Refusal('PQ_ERR_CLOSED_EARLY'));
    if (!this.#state.is('open')) return;
    this.#state.move('close');
    this.#frames.after(() => {
      if (!this.#state.is('closing')) return;
      this.#state.move('handed over');
      this.#release();
      this.host.closing(content);
      if (this.#transportEnd !== undefined) this.#conclude(this.#transportEnd);
    });
  }

  /** Nothing waits for an answer to a close here. */
  closeDrained(): void {
    return;
  }

  /** To be called at `deadline`. */
  tick(): void {
    const { deadline } = this;
    if (deadline === undefined || this.config.now() < deadline) return;
    this.#fail(new Refusal('PQ_ERR_HANDSHAKE_TIMEOUT'));
  }

  /** Gives up, for a reason that the host found. */
  abort(code: PQErrorCode, cause?: unknown): void {
    this.#fail(new Refusal(code, cause === undefined ? undefined : { cause }));
  }

  /** The transport has closed, and what it said then. Frames that came before are still handled first. */
  transportClosed(code: number, cause?: unknown, said: TransportClose = CUT_OFF): void {
    if (this.#transportEnd !== undefined) return;
    const end = { code, cause, ...said };
    this.#transportEnd = end;
    if (!this.#state.is('open')) this.#conclude(end);
    else {
      this.#inbound.push(() => {
        this.#conclude(end);
      });
    }
  }

  /** @throws {Error} always: this profile derives no keys */
  exportKey(): never {
    throw new Error('exportKey: the profile yellowpages has no exporter');
  }

  get #isHandshaking(): boolean {
    return !this.#state.is('open', 'closing', 'ended', 'failed');
  }

  #nextStepDeadline(): number {
    return this.config.now() + this.#own.stepTimeout;
  }

  #accept(message: string | Uint8Array): MaybePromise<void> {
    switch (this.state) {
      case 'client: awaiting server hello':
        return this.#acceptServerHello(message);
      case 'server: awaiting client hello':
        return this.#acceptClientHello(message);
      case 'open':
        return this.#acceptFrame(message);
      case 'closing':
      case 'ended':
      case 'failed':
        return undefined;
      case 'client: idle':
      case 'client: verifying':
      case 'server: replying':
        throw new Error(`a message was handled in state '${this.state}'`);
    }
  }

  #acceptServerHello(message: string | Uint8Array): MaybePromise<void> {
    const { ciphertext, document } = parseServerHello(message);
    this.#state.move('server hello');
    return chain(this.#client.verify(ciphertext, document), () =>
      this.#state.is('client: verifying')
        ? chain(this.#client.finish(ciphertext), (agreed) => this.#agreed(agreed, 'client: verifying'))
        : undefined,
    );
  }

  #acceptClientHello(message: string | Uint8Array): MaybePromise<void> {
    this.#state.move('client hello');
    this.#stepDeadline = this.#nextStepDeadline();
    return chain(answerYellowpagesHello(this.config, this.#own, message), (agreed) =>
      this.#agreed(agreed, 'server: replying', agreed.serverHello),
    );
  }

  /** @param expected the state that the connection must still be in, after what took time */
  #agreed({ key, nativeKem }: YellowpagesKey, expected: YellowpagesState, serverHello?: string): MaybePromise<void> {
    if (!this.#state.is(expected)) {
      key.destroy();
      return undefined;
    }
    this.#facts = { transcriptHash: undefined, nativeKem };
    this.#frames.use(key);
    // A transport may deliver, and the peer answer, before transmit() returns: from here on that is in turn.
    this.#state.move('agreed');
    if (serverHello !== undefined) this.host.transmit(serverHello, undefined);
    this.flush();
    return chain(this.#frames.handedOver(), () => {
      if (this.#state.is('open')) this.host.opened();
    });
  }

  #acceptFrame(frame: string | Uint8Array): MaybePromise<void> {
    if (typeof frame === 'string') throw new Refusal('PQ_ERR_TEXT_FRAME');
    return chain(this.#frames.open(frame), (binary) => {
      if (!this.#state.is('open')) return;
      // Whoever sealed this has the key: until then nothing proved that the peer has it.
      if (this.recordsOpened === 1) this.host.peerAccepted();
      if (this.#state.is('open')) this.host.messages([{ binary }]);
    });
  }

  #fail(error: unknown): void {
    if (this.#state.is('ended', 'failed')) return;
    const refusal = error instanceof Refusal ? error : new Refusal('PQ_ERR_INTERNAL', { cause: error });
    this.#failure = yellowpagesFailure(refusal, this.config.role, !this.#isHandshaking);
    this.#state.move('fail');
    this.#release();
    this.host.failed(this.#failure);
    if (this.#transportEnd !== undefined) this.#conclude(this.#transportEnd);
  }

  #conclude(end: YellowpagesEnd): void {
    const wasOpen = !this.#isHandshaking;
    const outcome = yellowpagesOutcome(end, wasOpen, this.#failure);
    this.#failure = outcome.failure;
    if (!this.#state.is('ended', 'failed')) {
      this.#state.move(wasOpen ? 'transport closed' : 'fail');
      this.#release();
    }
    this.host.closed(outcome);
  }

  /** Lets go of every secret and of all that waits, in either direction. */
  #release(): void {
    this.#inbound.clear();
    this.#client.destroy();
    this.#frames.destroy(this.#reason());
  }

  /** Why nothing can be sent. */
  #reason(): PQWebSocketError {
    return this.#failure ?? new PQWebSocketError('PQ_ERR_CLOSED_EARLY', undefined, 'local');
  }
}
