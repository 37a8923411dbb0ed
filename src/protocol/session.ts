/**
 * One end of one connection: transport messages in, frames and the application's messages out. Without I/O,
 * timers or waiting of its own: the host moves bytes, asks for `deadline` and calls `tick`. With a synchronous
 * backend everything happens within the call that caused it.
 */
import type { CryptoBackend, MaybePromise, RandomSource } from '../crypto/backend.ts';
import type { PQErrorCode } from './errors.ts';
import { failureOf, PQWebSocketError, Refusal } from './errors.ts';
import type { ReceivedFinished, ServerProof } from './handshake.ts';
import { buildFinished, parseFinished } from './handshake.ts';
import type { Agreement } from './key-agreement.ts';
import { answerClientHello, ClientKeyAgreement } from './key-agreement.ts';
import type { SessionLimits } from './limits.ts';
import { destroyKeys } from './key-schedule.ts';
import { chain, SerialQueue } from './maybe-promise.ts';
import type { CloseOutcome } from './outcome.ts';
import { outcomeOf } from './outcome.ts';
import type { Receipt, SentCallback } from './outbox.ts';
import { Outbox } from './outbox.ts';
import type { OpenedRecord } from './receiver.ts';
import { RecordReceiver } from './receiver.ts';
import type { BatchEntry, CloseContent, MessageKind, Padding } from './record.ts';
import { composeFrame, encodeClose, Kind, maxInnerBytes, parseBatch, parseClose, sameClose } from './record.ts';
import { RecordSender } from './sender.ts';
import { StateMachine } from './states.ts';

/** @typeParam Text what a text message is handed over as: a string, or its validated UTF-8 bytes */
export interface SessionConfig<Text> {
  readonly role: 'client' | 'server';
  readonly backend: CryptoBackend;
  readonly random: RandomSource;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly limits: SessionLimits;
  readonly padding: Padding;
  /** Bound into the key by both ends; never empty. */
  readonly context: Uint8Array | undefined;
  /** The message, or undefined where the bytes are not valid UTF-8. */
  readonly readText: (payload: Uint8Array) => Text | undefined;
  /** Client: judges what the server's Finished proves. Throws or rejects with a Refusal. */
  readonly authenticate?: ((finished: ReceivedFinished, transcriptHash: Uint8Array) => MaybePromise<void>) | undefined;
  /** Server: what its Finished is to prove. */
  readonly prove?: ((transcriptHash: Uint8Array) => MaybePromise<ServerProof>) | undefined;
  /** Test vectors only: the 32 bytes that FIPS 203 calls m. */
  readonly encapsulationRandomness?: (() => Uint8Array) | undefined;
}

export type Message<Text> = { readonly text: Text } | { readonly binary: Uint8Array };

/** What a session tells its host, always in this order of the wire. None of these may throw. */
export interface SessionHost<Text> {
  /** Give this to the transport: a hello as text, everything else as bytes. */
  transmit(message: string | Uint8Array, receipt: Receipt | undefined): void;
  /** The application may use the connection. */
  opened(): void;
  /** This side has accepted its peer's Finished. On a client that is `opened`, on a server later. */
  peerAccepted(): void;
  /**
   * Messages that came in one record, all checked, one or more. Before each, see whether the session is still
   * open: the application may close it while it looks at an earlier one.
   */
  messages(messages: readonly Message<Text>[]): void;
  /** The peer has closed: nothing more will be delivered or can be sent. */
  peerClosing(): void;
  /** This end's sealed close has been given to `transmit`; tell `closeDrained` when the transport has sent it. */
  closeTransmitted(): void;
  /** Both sealed closes are exchanged: close the transport with 1000 and no reason. */
  ended(): void;
  /** Close the transport with the failure's code, if it has one, and message. */
  failed(failure: PQWebSocketError): void;
  /** The last call: the transport is gone, and this is how it ended. */
  closed(outcome: CloseOutcome): void;
}

/** What is known once the key is agreed. */
export interface ChannelFacts {
  readonly transcriptHash: Uint8Array;
  readonly nativeKem: boolean;
}

export class Session<Text> {
  readonly #state: StateMachine;
  readonly #inbound = new SerialQueue((error) => {
    this.#fail(error);
  });
  readonly #outbox: Outbox;
  readonly #keyAgreement: ClientKeyAgreement | undefined;
  #agreement: Agreement | undefined;
  #sender: RecordSender<Receipt> | undefined;
  #receiver: RecordReceiver | undefined;
  #handshakeDeadline: number | undefined;
  #closeDeadline: number | undefined;
  /** Bytes received that wait for an earlier step. */
  #waitingBytes = 0;
  #ownClose: CloseContent;
  #peerClose: CloseContent;
  #closeAnswered: boolean | undefined;
  #failure: PQWebSocketError | undefined;

  constructor(
    private readonly config: SessionConfig<Text>,
    private readonly host: SessionHost<Text>,
  ) {
    this.#outbox = new Outbox(config.padding);
    if (config.role === 'client') {
      this.#state = new StateMachine('client: idle');
      this.#keyAgreement = new ClientKeyAgreement(config);
    } else {
      this.#state = new StateMachine('server: awaiting client hello');
      this.#handshakeDeadline = config.now() + config.limits.handshakeTimeout;
    }
  }

  get state(): StateMachine['current'] {
    return this.#state.current;
  }

  get failure(): PQWebSocketError | undefined {
    return this.#failure;
  }

  /** True when one side answered the other's close, false when they crossed, undefined before a clean end. */
  get closeAnswered(): boolean | undefined {
    return this.#closeAnswered;
  }

  get facts(): ChannelFacts | undefined {
    return this.#agreement;
  }

  /** The application's bytes that have not been given to the transport. */
  get queuedBytes(): number {
    return this.#outbox.bytes;
  }

  get recordsSealed(): number {
    return this.#sender?.recordsSealed ?? 0;
  }

  get recordsOpened(): number {
    return this.#receiver?.recordsOpened ?? 0;
  }

  /** When `tick` has something to do, on the clock of the config; undefined when nothing is timed. */
  get deadline(): number | undefined {
    switch (this.#state.current) {
      case 'open':
      case 'finishing':
      case 'ended':
      case 'failed':
        return undefined;
      case 'close sent':
        return this.#closeDeadline;
      case 'server: closing unconfirmed':
        return Math.min(this.#handshakeDeadline ?? Infinity, this.#closeDeadline ?? Infinity);
      default:
        return this.#handshakeDeadline;
    }
  }

  /** Client: the transport is open. */
  start(): void {
    this.#handshakeDeadline = this.config.now() + this.config.limits.handshakeTimeout;
    this.#inbound.push(() =>
      chain((this.#keyAgreement as ClientKeyAgreement).start(), (clientHello) => {
        if (!this.#state.is('client: idle')) return;
        this.#state.move('start');
        this.host.transmit(clientHello, undefined);
      }),
    );
  }

  /** A message from the transport. The bytes are only read. */
  receive(message: string | Uint8Array): void {
    if (this.#state.is('failed', 'ended')) return;
    this.#waitingBytes += message.length;
    this.#inbound.push(() => {
      this.#waitingBytes -= message.length;
      return this.#accept(message);
    });
    // Frames behind a verification that still runs wait, but not without limit. An open session falls behind
    // only as far as its backend does.
    if (!this.#hasAccepted() && this.#waitingBytes > this.config.limits.maxQueuedBytes) {
      this.#fail(new Refusal('PQ_ERR_QUEUE_LIMIT'));
    }
    this.flush();
  }

  /**
   * Queues a message until `flush`, or until the connection is open. After a close or a failure it is dropped.
   * @param owned whether nobody else can change `payload`; otherwise it is copied now
   * @returns whether it was queued
   */
  send(kind: MessageKind, payload: Uint8Array, owned: boolean, sent?: SentCallback): boolean {
    if (this.#state.is('close sent', 'server: closing unconfirmed', 'finishing', 'ended', 'failed')) {
      sent?.(this.#failure ?? new PQWebSocketError('PQ_ERR_CLOSED_EARLY', undefined, 'local'));
      return false;
    }
    this.#outbox.add(kind, payload, owned, sent);
    if (!this.#canSeal() && this.#outbox.bytes > this.config.limits.maxQueuedBytes) {
      this.#fail(new Refusal('PQ_ERR_QUEUE_LIMIT'));
    }
    return true;
  }

  /** Seals what waits; messages that wait together share records. */
  flush(): void {
    if (this.#outbox.isEmpty || !this.#canSeal()) return;
    const sender = this.#sender as RecordSender<Receipt>;
    this.#outbox.flush((kind, frame, receipt) => {
      sender.push(kind, frame, receipt);
    });
  }

  /** Seals a close behind what was sent before it. Before the connection is open it fails the connection instead. */
  close(content: CloseContent): void {
    if (this.#canSeal()) {
      this.flush();
      this.#ownClose = content;
      this.#state.move('close');
      this.#sealLast(Kind.CLOSE, content);
      this.#sender?.after(() => {
        if (!this.#state.is('failed')) this.host.closeTransmitted();
      });
    } else if (!this.#hasAccepted() && !this.#state.is('failed', 'server: closing unconfirmed')) {
      this.#fail(new Refusal('PQ_ERR_CLOSED_EARLY'));
    }
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
   * The transport has closed, with this code. What it delivered before is still handled first.
   * @param cause what the transport said of its own failure, if it did
   */
  transportClosed(code: number, cause?: unknown): void {
    const conclude = (): void => {
      const outcome = outcomeOf(this.#state.current, this.#peerClose, this.#failure, { code, cause });
      this.#failure = outcome.failure;
      if (!this.#state.is('ended', 'failed')) this.#state.move('fail');
      this.#destroy();
      this.#agreement?.keys.exporter.destroy();
      this.#outbox.abandon(this.#failure ?? new PQWebSocketError('PQ_ERR_CLOSED_EARLY', undefined, 'local'));
      this.host.closed(outcome);
    };
    // A verification that never ends must not keep a dead connection alive.
    if (this.#hasAccepted()) this.#inbound.push(conclude);
    else conclude();
  }

  /** @throws {Error} before the connection is open and after it has closed */
  exportKey(label: string, length: number): MaybePromise<Uint8Array> {
    if (this.#agreement === undefined || !this.#isUsable()) throw new Error('exportKey: the connection is not open');
    return this.#agreement.keys.exporter.exportKey(label, length);
  }

  #canSeal(): boolean {
    return this.#state.is('open', 'server: awaiting finished');
  }

  #hasAccepted(): boolean {
    return this.#state.is('open', 'close sent', 'finishing', 'ended');
  }

  #isUsable(): boolean {
    return this.#hasAccepted() || this.#state.is('server: awaiting finished', 'server: closing unconfirmed');
  }

  #accept(message: string | Uint8Array): MaybePromise<void> {
    switch (this.#state.current) {
      case 'client: awaiting server hello':
        return chain((this.#keyAgreement as ClientKeyAgreement).finish(message), (agreement) => {
          if (!this.#state.is('client: awaiting server hello')) {
            destroyKeys(agreement.keys);
            return;
          }
          this.#establish(agreement);
          this.#state.move('server hello');
        });
      case 'server: awaiting client hello':
        return this.#answer(message);
      case 'client: awaiting finished':
      case 'server: awaiting finished':
      case 'server: closing unconfirmed':
        return this.#acceptFinished(message);
      case 'open':
      case 'close sent':
        return this.#acceptRecord(message);
      case 'finishing':
      case 'ended':
      case 'failed':
        return undefined;
      default:
        throw new Refusal('PQ_ERR_MESSAGE_TYPE');
    }
  }

  #answer(clientHello: string | Uint8Array): MaybePromise<void> {
    this.#state.move('client hello');
    return chain(answerClientHello(this.config, clientHello), (agreement) => {
      if (!this.#state.is('server: replying')) {
        destroyKeys(agreement.keys);
        return undefined;
      }
      this.#agreement = agreement;
      return chain(this.#prove(agreement.transcriptHash), (proof) => {
        if (!this.#state.is('server: replying')) return;
        const finished = buildFinished(proof);
        this.#establish(agreement);
        this.host.transmit(agreement.serverHello, undefined);
        this.#pushFinished(finished);
        this.#state.move('finished sent');
        this.#sender?.after(() => {
          if (!this.#state.is('failed')) this.host.opened();
        });
      });
    });
  }

  #prove(transcriptHash: Uint8Array): MaybePromise<ServerProof> {
    const refuse = (cause: unknown): never => {
      throw new Refusal('PQ_ERR_IDENTITY', { cause });
    };
    try {
      const proof = this.config.prove?.(transcriptHash) ?? {};
      return proof instanceof Promise ? proof.catch(refuse) : proof;
    } catch (error) {
      return refuse(error);
    }
  }

  #acceptFinished(frame: string | Uint8Array): MaybePromise<void> {
    if (typeof frame === 'string') throw new Refusal('PQ_ERR_MESSAGE_TYPE');
    return chain((this.#receiver as RecordReceiver).open(frame), ({ kind, content }) => {
      if (this.#state.is('failed')) return undefined;
      if (kind !== Kind.FINISHED) throw new Refusal('PQ_ERR_FINISHED');
      const finished = parseFinished(content);
      if (this.config.role === 'server') {
        this.#state.move('peer accepted');
        this.host.peerAccepted();
        return undefined;
      }
      this.#state.move('finished received');
      const { transcriptHash } = this.#agreement as Agreement;
      return chain(this.config.authenticate?.(finished, transcriptHash), () => {
        if (!this.#state.is('client: verifying')) return;
        this.#state.move('peer accepted');
        this.#pushFinished(buildFinished({}));
        this.flush();
        this.host.peerAccepted();
        this.host.opened();
      });
    });
  }

  #acceptRecord(frame: string | Uint8Array): MaybePromise<void> {
    if (typeof frame === 'string') throw new Refusal('PQ_ERR_TEXT_FRAME');
    return chain((this.#receiver as RecordReceiver).open(frame), (record) => {
      if (!this.#state.is('failed')) this.#dispatch(record);
    });
  }

  #dispatch({ kind, content }: OpenedRecord): void {
    switch (kind) {
      case Kind.TEXT:
      case Kind.BINARY:
        this.#deliver([{ kind, payload: content }]);
        return;
      case Kind.BATCH:
        this.#deliver(parseBatch(content));
        return;
      case Kind.KEY_UPDATE:
        return;
      case Kind.CLOSE:
        this.#peerClosed(parseClose(content));
        return;
      case Kind.CLOSE_ANSWER:
        this.#peerAnswered(parseClose(content));
        return;
      default:
        throw new Refusal('PQ_ERR_KIND');
    }
  }

  /** Checks all of it before any of it is delivered. After this end's close it is checked and discarded. */
  #deliver(entries: readonly BatchEntry[]): void {
    const messages = entries.map(({ kind, payload }): Message<Text> => {
      if (payload.length > this.config.limits.maxPayload) throw new Refusal('PQ_ERR_MESSAGE_SIZE');
      if (kind === Kind.BINARY) return { binary: payload };
      const text = this.config.readText(payload);
      if (text === undefined) throw new Refusal('PQ_ERR_UTF8');
      return { text };
    });
    if (this.#state.is('open')) this.host.messages(messages);
  }

  #peerClosed(content: CloseContent): void {
    const crossed = this.#state.is('close sent');
    if (!crossed) this.flush();
    this.#peerClose = content;
    this.#closeAnswered = !crossed;
    this.#state.move('peer closed');
    this.host.peerClosing();
    if (!crossed) this.#sealLast(Kind.CLOSE_ANSWER, content);
    this.#end();
  }

  #peerAnswered(content: CloseContent): void {
    if (!this.#state.is('close sent') || !sameClose(content, this.#ownClose)) throw new Refusal('PQ_ERR_CLOSE');
    this.#peerClose = content;
    this.#closeAnswered = true;
    this.#state.move('peer closed');
    this.#end();
  }

  /** Ended is who has received a close and handed its own to the transport. */
  #end(): void {
    this.#sender?.after(() => {
      if (!this.#state.is('finishing')) return;
      this.#state.move('handed over');
      this.#destroy();
      this.host.ended();
    });
  }

  #sealLast(kind: Kind, content: CloseContent): void {
    this.#sender?.push(kind, composeFrame(kind, encodeClose(content), this.config.padding));
  }

  /** Finished is never padded: the peer's limits are not known to be ours until it is accepted. */
  #pushFinished(content: Uint8Array): void {
    this.#sender?.push(Kind.FINISHED, composeFrame(Kind.FINISHED, content, 'off'));
  }

  #establish(agreement: Agreement): void {
    const { role, limits, random, now, padding } = this.config;
    const { client, server } = agreement.keys;
    this.#agreement = agreement;
    this.#receiver = new RecordReceiver({
      keys: role === 'client' ? server : client,
      maxInner: maxInnerBytes(limits.maxPayload),
      maxEpochRecords: limits.receivedEpochRecords,
    });
    this.#sender = new RecordSender<Receipt>(
      { keys: role === 'client' ? client : server, random, now, rekey: limits.rekey, padding },
      {
        frame: (frame, receipt) => {
          if (!this.#state.is('failed')) this.host.transmit(frame, receipt);
        },
        failed: (error) => {
          this.#fail(error);
        },
      },
    );
  }

  #fail(error: unknown): void {
    if (this.#state.is('ended', 'failed')) return;
    const refusal = error instanceof Refusal ? error : new Refusal('PQ_ERR_INTERNAL', { cause: error });
    this.#failure = failureOf(refusal, this.#hasAccepted());
    this.#state.move('fail');
    this.#destroy();
    this.#outbox.abandon(this.#failure);
    this.host.failed(this.#failure);
  }

  /** The exporter is not among it: it lives until the transport closes. */
  #destroy(): void {
    this.#keyAgreement?.destroy();
    this.#agreement?.keys.client.destroy();
    this.#agreement?.keys.server.destroy();
  }
}
