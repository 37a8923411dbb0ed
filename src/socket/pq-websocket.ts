/**
 * The standard's WebSocket over a secure connection: WHATWG WebSockets, member by member. The `ws`-style classes
 * extend it; they attach to a socket that is there already and listen in through hooks.
 */
import { platform } from '#platform';
import type { CloseOutcome } from '../protocol/outcome.ts';
import type { SentCallback } from '../protocol/outbox.ts';
import type { CloseContent } from '../protocol/record.ts';
import type { Message } from '../protocol/session.ts';
import { fromUtf8 } from '../protocol/bytes.ts';
import { createClientSession } from '../protocol/client-session.ts';
import { applicationProtocol } from '../protocol/fast-open.ts';
import type { PQChannel, PQWebSocketOptions } from '../types.ts';
import type { SocketHooks } from './attachment.ts';
import { Attachment } from './attachment.ts';
import { Channel } from './channel.ts';
import { openTransport } from './client-options.ts';
import { Connection } from './connection.ts';
import type { ConnectionFace, ConnectionParts } from './connection.ts';
import { EventHandlers } from './event-handlers.ts';
import { EventOrder } from './event-order.ts';
import { BaseCloseEvent, BaseEvent, BaseEventTarget, BaseMessageEvent } from './events.ts';
import { SendQueue, sizeOf } from './send-queue.ts';
import type { Brand } from './underlying.ts';
import { BRAND } from './underlying.ts';
import type { SendData } from './webidl.ts';
import { parseCloseArguments, parseSendData, requireArguments, toDomString } from './webidl.ts';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

const CLIENT_PARTS: ConnectionParts = { createSession: createClientSession, attachTransport: platform.attachTransport };

/** What subclasses in this folder reach; not members, so that no script sees them. */
export let connectionOf: (socket: PQWebSocket) => Connection<string | Uint8Array>;
export let sendOn: (socket: PQWebSocket, message: SendData, sent?: SentCallback) => void;
export let closeOn: (socket: PQWebSocket, content: CloseContent) => void;

export class PQWebSocket extends BaseEventTarget {
  static readonly CONNECTING = CONNECTING;
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;
  declare static readonly [BRAND]: Brand;
  declare readonly CONNECTING: typeof CONNECTING;
  declare readonly OPEN: typeof OPEN;
  declare readonly CLOSING: typeof CLOSING;
  declare readonly CLOSED: typeof CLOSED;

  static {
    connectionOf = (socket): Connection<string | Uint8Array> => socket.#connection;
    sendOn = (socket, message, sent): void => {
      socket.#send(message, sent);
    };
    closeOn = (socket, content): void => {
      socket.#close(content);
    };
  }

  readonly #url: string;
  readonly #origin: string;
  readonly #strict: boolean;
  readonly #hooks: SocketHooks | undefined;
  readonly #handlers: EventHandlers;
  readonly #connection: Connection<string | Uint8Array>;
  readonly #channel: Channel;
  #readyState: 0 | 1 | 2 | 3 = CONNECTING;
  #wasOpen = false;
  #binaryType: BinaryType = 'blob';
  readonly #sends = new SendQueue(() => this.#connection);
  readonly #events = new EventOrder();

  /**
   * @throws {DOMException} SyntaxError for a URL or subprotocols that the standard refuses
   * @throws {TypeError | RangeError} for an option that is unknown or wrong
   */
  constructor(url: unknown, protocols: unknown = undefined, options: unknown = undefined) {
    super();
    requireArguments('PQWebSocket constructor', arguments.length, 1);
    this.#handlers = new EventHandlers(this);
    let finish!: () => void;
    let giveUp!: (reason: unknown) => void;
    const finished = new Promise<void>((resolve, reject) => {
      finish = resolve;
      giveUp = reject;
    });
    finished.catch(() => undefined);
    const attachment = url instanceof Attachment ? url : undefined;
    const opened = attachment ?? openTransport(url, protocols, options);
    this.#url = opened.url;
    this.#origin = opened.url === '' ? '' : new URL(opened.url).origin;
    this.#strict = (options as PQWebSocketOptions | undefined)?.strict ?? false;
    this.#hooks = attachment?.hooks;
    const backend = platform.backend();
    this.#connection = new Connection<string | Uint8Array>(
      opened.transport,
      {
        role: attachment?.role ?? 'client',
        backend,
        random: platform.random,
        now: () => performance.now(),
        readText: attachment === undefined ? fromUtf8 : utf8OrNothing,
        ...opened.config,
      },
      this.#face(finish, giveUp),
      attachment?.parts ?? CLIENT_PARTS,
    );
    this.#channel = new Channel(this.#connection, backend.name, finished);
  }

  get url(): string {
    return this.#url;
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState;
  }

  get bufferedAmount(): number {
    return this.#connection.bufferedAmount + this.#sends.waitingBytes;
  }

  get protocol(): string {
    return this.#wasOpen ? applicationProtocol(this.#connection.transport.protocol) : '';
  }

  get extensions(): string {
    return this.#wasOpen ? this.#connection.transport.extensions : '';
  }

  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(value: BinaryType) {
    // Web IDL: an enumeration ignores what it does not name.
    const type = toDomString(value);
    if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type;
  }

  /** What is known of the secure channel; beyond the standard. */
  get pq(): PQChannel {
    return this.#channel;
  }

  get onopen(): unknown {
    return this.#handlers.get('open');
  }

  set onopen(handler: unknown) {
    this.#setHandler('open', handler);
  }

  get onerror(): unknown {
    return this.#handlers.get('error');
  }

  set onerror(handler: unknown) {
    this.#setHandler('error', handler);
  }

  get onclose(): unknown {
    return this.#handlers.get('close');
  }

  set onclose(handler: unknown) {
    this.#setHandler('close', handler);
  }

  get onmessage(): unknown {
    return this.#handlers.get('message');
  }

  set onmessage(handler: unknown) {
    this.#setHandler('message', handler);
  }

  /**
   * Seals and sends. While CONNECTING it queues, unless the option `strict` is set.
   * @throws {DOMException} InvalidStateError while CONNECTING, with `strict`
   */
  send(data: unknown): void {
    requireArguments('send', arguments.length, 1);
    const message = parseSendData(data);
    if (this.#strict && this.#readyState === CONNECTING) {
      throw new DOMException('Still in CONNECTING state.', 'InvalidStateError');
    }
    this.#send(message);
  }

  /**
   * @throws {DOMException} InvalidAccessError for a code that is not 1000 or 3000 to 4999, SyntaxError for a reason
   *   of more than 123 bytes
   */
  close(code: unknown = undefined, reason: unknown = undefined): void {
    this.#close(parseCloseArguments(code, reason));
  }

  #send(message: SendData, sent?: SentCallback): void {
    if (this.#readyState < CLOSING) {
      this.#sends.send(message, sent);
    } else {
      this.#connection.drop(sizeOf(message));
      sent?.(new Error('WebSocket is not open'));
    }
  }

  /** The closing handshake starts behind everything that was sent. */
  #close(content: CloseContent): void {
    if (this.#readyState >= CLOSING) return;
    const wasConnecting = this.#readyState === CONNECTING;
    this.#readyState = CLOSING;
    this.#sends.close(content, wasConnecting);
  }

  #face(finish: () => void, giveUp: (reason: unknown) => void): ConnectionFace<string | Uint8Array> {
    return {
      opened: () => {
        if (this.#readyState !== CONNECTING) return;
        this.#events.next(() => {
          this.#readyState = OPEN;
          this.#wasOpen = true;
          this.#hooks?.opened();
          if (this.#hasListeners()) this.#dispatch(new BaseEvent('open'));
          // A message may have come with the end of the handshake. Who awaited `open` listens a microtask later.
          this.#events.asTask(() => undefined);
        });
      },
      peerAccepted: finish,
      messages: (messages) => {
        let isFirst = true;
        for (const message of messages) {
          if (this.#events.isFree) this.#deliver(message);
          else this.#deliverLater(message, isFirst);
          isFirst = false;
        }
      },
      closing: () => {
        this.#events.next(() => {
          if (this.#readyState < CLOSING) this.#readyState = CLOSING;
        });
      },
      closed: (outcome, withError) => {
        giveUp(outcome.failure ?? new Error('closed before the peer had proved itself'));
        // Some transports close within the application's own close() or send(); the standard's events are tasks.
        this.#events.asTask(() => {
          this.#readyState = CLOSED;
          // Whatever ended it, a socket that never opened has failed.
          if (withError || !this.#wasOpen) this.#fireError(outcome);
          this.#hooks?.closed(outcome);
          if (this.#hasListeners()) this.#dispatch(new BaseCloseEvent('close', outcome));
        });
      },
    };
  }

  /** The first message of a record comes in the task that brought the record. */
  #deliverLater(message: Message<string | Uint8Array>, isFirst: boolean): void {
    const deliver = (): void => {
      this.#deliver(message);
    };
    if (isFirst) this.#events.next(deliver);
    else this.#events.nextTask(deliver);
  }

  #deliver(message: Message<string | Uint8Array>): void {
    // WHATWG WebSockets 4: what arrives in another state is not for the application.
    if (this.#readyState !== OPEN) return;
    if ('binary' in message) {
      this.#hooks?.message(message.binary, true);
      if (this.#hasListeners()) this.#fireMessage(this.#hooks?.domBinary(message.binary) ?? this.#binaryData(message.binary));
    } else if (typeof message.text === 'string') {
      this.#fireMessage(message.text);
    } else {
      this.#hooks?.message(message.text, false);
      if (this.#hasListeners()) this.#fireMessage(fromUtf8(message.text));
    }
  }

  #binaryData(payload: Uint8Array): ArrayBuffer | Blob {
    if (this.#binaryType === 'blob') return new Blob([payload as Uint8Array<ArrayBuffer>]);
    const { buffer, byteOffset, byteLength } = payload;
    return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  }

  #dispatch(event: Event): void {
    BaseEventTarget.prototype.dispatchEvent.call(this, event);
  }

  #fireMessage(data: unknown): void {
    this.#dispatch(new BaseMessageEvent('message', { data, origin: this.#origin }));
  }

  #fireError(outcome: CloseOutcome): void {
    this.#hooks?.failed(outcome);
    if (this.#hasListeners()) this.#dispatch(new BaseEvent('error'));
  }

  #hasListeners(): boolean {
    return this.#hooks === undefined || this.#hooks.hasDomListeners;
  }

  #setHandler(type: string, handler: unknown): void {
    if (this.#hooks !== undefined) this.#hooks.hasDomListeners = true;
    this.#handlers.set(type, handler);
  }
}

function utf8OrNothing(payload: Uint8Array): Uint8Array | undefined {
  return platform.isUtf8(payload) ? payload : undefined;
}

// Web IDL: constants on interface object and prototype, members enumerable.
for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED })) {
  const constant = { value, enumerable: true, writable: false, configurable: false };
  Object.defineProperty(PQWebSocket, name, constant);
  Object.defineProperty(PQWebSocket.prototype, name, constant);
}
for (const name of Object.getOwnPropertyNames(PQWebSocket.prototype)) {
  const isConstant = name in { CONNECTING, OPEN, CLOSING, CLOSED };
  if (name !== 'constructor' && !isConstant) Object.defineProperty(PQWebSocket.prototype, name, { enumerable: true });
}
Object.defineProperty(PQWebSocket.prototype, Symbol.toStringTag, { value: 'WebSocket', configurable: true });
// Minifiers rename classes.
Object.defineProperty(PQWebSocket, 'name', { value: 'PQWebSocket', configurable: true });
Object.defineProperty(PQWebSocket, BRAND, { value: {} satisfies Brand });
