/**
 * What every socket that an application holds stands on: the states of the standard's WebSocket over a secure
 * connection, in order and at the right moments, without a word on how events look. `PQWebSocket` shows them as DOM
 * events, the `ws`-style sockets through an emitter.
 */
import { HAS_SERVERS } from '#has-servers';
import { ON_NODE } from '#on-node';
import { platform } from '#platform';
import { PQWebSocketError } from '../api/errors.ts';
import type { BackendName } from '../api/types.ts';
import { applicationProtocol } from '../protocol/v1/reserved-names.ts';
import type { CloseOutcome } from '../protocol/outcome.ts';
import type { SentCallback } from '../protocol/receipt.ts';
import type { CloseContent } from '../protocol/v1/record.ts';
import type { BatchReader, Message, SessionConfig } from '../protocol/session-types.ts';
import type { ReadyState } from '../base/rfc6455.ts';
import { CLOSED, CLOSING, CONNECTING, OPEN } from '../base/rfc6455.ts';
import { Acceptance } from './acceptance.ts';
import { ChannelView } from './facts.ts';
import type { ConnectionFace, ConnectionParts } from './connection.ts';
import { Connection } from './connection.ts';
import type { ProofWork } from './proof-work.ts';
import { EventOrder } from './event-order.ts';
import type { ChannelConfig } from '../options/channel.ts';
import { LateSocket } from '../transport/late.ts';
import { owns, uninheriting } from '../base/own-properties.ts';
import { now } from '../base/clock.ts';
import { kindOf, SendQueue, sizeOf } from './send-queue.ts';
import type { SendData } from '../base/values.ts';
import { queueMicrotask } from '../base/captured.ts';

export type CloseHolder = (content: CloseContent, answer: () => void) => void;

/** How the object that the application holds hears of its socket. `Text` is what it wants a text as. */
export interface SocketFace<Text> {
  readonly readText: SessionConfig<Text>['readText'];
  opened(): void;
  /** The peer has proved that it holds the key. */
  accepted?(): void;
  text(payload: Text): void;
  binary(payload: Uint8Array): void;
  /** Gets the peer's close in place of its answer, which goes out when `answer` is called. */
  readonly holdClose?: CloseHolder | undefined;
  /** Just before `closed`, where the standard fires `error`. */
  failed(outcome: CloseOutcome): void;
  closed(outcome: CloseOutcome): void;
}

/** The WebSocket underneath, connecting, accepted or late, and what this end was asked to do with it. */
export interface Underneath {
  readonly role: 'client' | 'server';
  readonly transport: object;
  readonly config: ChannelConfig;
}

export class SecureSocket<Text = unknown> implements ConnectionFace<Text> {
  readonly connection: Connection<Text>;
  readonly #face: SocketFace<Text>;
  readonly #sends: SendQueue;
  readonly #events = new EventOrder();
  /** Whether messages need no tasks of their own: on Node, unless they are asked for. */
  #messagesInTurn = false;
  readonly #acceptance = new Acceptance();
  readonly #backend: BackendName;
  #proofs: ProofWork | undefined;
  readonly role: Underneath['role'];
  /** What a server closes with that was told to before it was open. */
  #closeWhenOpen: { readonly content: CloseContent } | undefined;
  #channel: ChannelView | undefined;
  #readyState: ReadyState = CONNECTING;
  #wasOpen = false;
  /** The application's, on which this object listens until it has closed. */
  readonly #signal: AbortSignal | undefined;

  /** @param batches where the face has a way of its own to read them */
  constructor(
    { role, transport, config }: Underneath,
    face: SocketFace<Text>,
    parts: ConnectionParts,
    batches?: BatchReader<Text>,
  ) {
    this.role = role;
    this.#face = face;
    if (ON_NODE) this.#messagesInTurn = platform.queueTask === undefined && config.messagesAsTasks !== true;
    this.#sends = new SendQueue(this);
    this.#backend = config.backend.name;
    // While the transport connects. Who needs what failed to load asks again, and says so.
    config.backend.prepare?.().catch(() => undefined);
    if (HAS_SERVERS) this.#proofs = parts.server?.proofWork(config);
    this.connection = new Connection<Text>(
      transport,
      // What it lacks, a page's Object.prototype must not give it.
      uninheriting({
        ...config,
        role,
        random: platform.random,
        now,
        readText: face.readText,
        toBuffer: platform.toBuffer,
        ...(ON_NODE && {
          keysDrawNonces: config.backend.name === 'native',
          takeFrame: platform.takeFrame,
          // Who wants a task for each message gets them all at once.
          batches: this.#messagesInTurn ? batches : undefined,
        }),
        ...(HAS_SERVERS && this.#proofs?.config),
      }),
      this,
      parts,
    );
    if (transport instanceof LateSocket) {
      const { ready, open } = transport;
      const begun = ready
        .then((upgrade) => {
          this.connection.begin(upgrade, open);
        })
        .catch((error: unknown) => {
          this.connection.session.fail(error);
        });
      this.#sends.behind(begun, config.limits.maxQueuedBytes);
    }
    this.#signal = config.signal;
    this.#signal?.addEventListener('abort', this);
    if (this.#signal?.aborted) this.handleEvent();
  }

  /** Made when it is asked for. */
  get channel(): ChannelView {
    return (this.#channel ??= new ChannelView(this.connection, this.#backend, this.#acceptance));
  }

  get readyState(): ReadyState {
    return this.#readyState;
  }

  /** Whether `open` has come, also where the connection has ended since. */
  get wasOpen(): boolean {
    return this.#wasOpen;
  }

  get bufferedAmount(): number {
    return this.connection.bufferedAmount + this.#sends.waitingBytes;
  }

  get protocol(): string {
    return this.#wasOpen ? applicationProtocol(this.connection.transport.protocol) : '';
  }

  get extensions(): string {
    return this.#wasOpen ? this.connection.transport.extensions : '';
  }

  /** Seals and sends; while CONNECTING it queues. What comes too late counts as buffered for ever, as the standard says. */
  send(message: SendData, sent?: SentCallback): void {
    if (this.#readyState < CLOSING) {
      if (message.type !== 'blob' && this.#sends.isIdle) {
        this.connection.send(kindOf(message), message.bytes, message.type === 'text', sent);
      } else this.#sends.send(message, sent);
    } else {
      this.connection.drop(sizeOf(message));
      sent?.(new Error('WebSocket is not open'));
    }
  }

  /** In which everything is told of. */
  get events(): EventOrder {
    return this.#events;
  }

  /** Does what the transport can do without the seal, behind everything that was sent. */
  inOrder(act: () => void): void {
    this.#sends.inOrder(() => {
      this.connection.session.flush();
      act();
    });
  }

  /** The closing handshake starts behind everything that was sent. */
  close(content: CloseContent): void {
    if (this.#readyState >= CLOSING) return;
    const wasConnecting = this.#readyState === CONNECTING;
    this.#readyState = CLOSING;
    // A client's connection fails (WHATWG WebSockets 3). A server has accepted its own: the peer is to hear why it ends.
    if (HAS_SERVERS && wasConnecting && this.role === 'server') this.#closeWhenOpen = { content };
    // Before it is open there is nothing to wait for.
    else if (wasConnecting) this.connection.close(content);
    else this.#sends.close(content);
  }

  // What the connection says. Members of this class, not functions of each socket: an idle one holds as little as it can.

  /** @internal */
  opened(): void {
    if (HAS_SERVERS) this.#proofs?.done();
    if (HAS_SERVERS && this.#closeWhenOpen !== undefined) {
      this.#wasOpen = true;
      this.#sends.close(this.#closeWhenOpen.content);
      this.#closeWhenOpen = undefined;
    }
    if (this.#readyState !== CONNECTING) return;
    this.#events.next(() => {
      this.#readyState = OPEN;
      this.#wasOpen = true;
      this.#face.opened();
      // A message may have come with the end of the handshake. Who awaited `open` listens a microtask later.
      this.#events.asTask(() => undefined);
    });
  }

  /** @internal */
  peerAccepted(): void {
    this.#acceptance.accept();
    this.#face.accepted?.();
  }

  /** @internal */
  messages(messages: Iterable<Message<Text>>): void {
    let isFirst = true;
    for (const message of messages) {
      if (ON_NODE && this.#messagesInTurn && this.#events.isFree) this.#deliver(message);
      else this.#deliverLater(message, isFirst);
      isFirst = false;
    }
  }

  /** @internal */
  closing(): void {
    if (HAS_SERVERS) this.#proofs?.end();
    this.#events.next(() => {
      if (this.#readyState < CLOSING) this.#readyState = CLOSING;
    });
  }

  /** @internal */
  answersLater(content: CloseContent, answer: () => void): boolean {
    const { holdClose } = this.#face;
    if (holdClose === undefined) return false;
    this.#events.next(() => {
      holdClose(content, answer);
    });
    return true;
  }

  /** @internal */
  closed(outcome: CloseOutcome, withError: boolean): void {
    if (HAS_SERVERS) this.#proofs?.end();
    this.#acceptance.giveUp(() => outcome.failure ?? new PQWebSocketError('PQ_ERR_UNPROVED', undefined, 'transport'));
    // Some transports close within the application's own close() or send(); the standard's events are tasks.
    this.#signal?.removeEventListener('abort', this);
    this.#events.asTask(() => {
      this.#readyState = CLOSED;
      // Whatever ended it, a socket that never opened has failed.
      const hasFailed = withError || !this.#wasOpen;
      if (hasFailed) this.#face.failed(outcome);
      const close = (): void => {
        this.#face.closed(outcome);
      };
      // Where the platform dispatches, microtasks of `error` come before `close`, and no task does.
      if (hasFailed && platform.queueTask !== undefined) queueMicrotask(close);
      else close();
    });
  }

  /** @internal The application's signal has aborted. */
  handleEvent(): void {
    this.close(undefined);
  }

  /** The first message of a record comes in the task that brought the record. */
  #deliverLater(message: Message<Text>, isFirst: boolean): void {
    const deliver = (): void => {
      this.#deliver(message);
    };
    if (isFirst || (ON_NODE && this.#messagesInTurn)) this.#events.next(deliver);
    else this.#events.asTask(deliver);
  }

  #deliver(message: Message<Text>): void {
    // WHATWG WebSockets 4: what arrives in another state is not for the application.
    if (this.#readyState !== OPEN) return;
    if (owns(message, 'binary')) this.#face.binary(message.binary);
    else this.#face.text(message.text);
  }
}
