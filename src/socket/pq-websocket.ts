/**
 * The standard's WebSocket over a secure connection: WHATWG WebSockets, member by member. The `ws`-style classes
 * extend it; they attach to a socket that is there already and listen in through hooks.
 */
import { platform } from '#platform';
import { chain, SerialQueue } from '../protocol/maybe-promise.ts';
import type { CloseOutcome } from '../protocol/outcome.ts';
import type { SentCallback } from '../protocol/outbox.ts';
import { Kind, maxInnerBytes } from '../protocol/record.ts';
import type { CloseContent } from '../protocol/record.ts';
import type { Message } from '../protocol/session.ts';
import { fromUtf8 } from '../protocol/bytes.ts';
import type { PQChannel, PQWebSocketOptions } from '../types.ts';
import { Channel } from './channel.ts';
import { Connection } from './connection.ts';
import type { ConnectionFace } from './connection.ts';
import { EventHandlers } from './event-handlers.ts';
import { BaseCloseEvent, BaseEvent, BaseEventTarget, BaseMessageEvent } from './events.ts';
import type { ChannelConfig } from './options.ts';
import { booleanOption, CHANNEL_OPTION_NAMES, channelConfig, refuseUnknown } from './options.ts';
import type { Brand } from './underlying.ts';
import { BRAND, underlyingClass } from './underlying.ts';
import type { SendData } from './webidl.ts';
import { baseUrl, parseCloseArguments, parseProtocols, parseSendData, parseUrl, requireArguments } from './webidl.ts';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** The standard has no limit; a page's memory has. */
const CLIENT_MAX_PAYLOAD = 2 ** 30;
/** Room above the longest frame, so that a longer one is refused by the session, with its code, and not by `ws`. */
export const FRAME_HEADROOM = 1024 * 1024;

const OWN_OPTIONS = [...CHANNEL_OPTION_NAMES, 'strict', 'WebSocket'];

/** What a `ws`-style subclass is told, before DOM events are dispatched. */
export interface SocketHooks {
  opened(): void;
  message(payload: Uint8Array, isBinary: boolean): void;
  failed(outcome: CloseOutcome): void;
  closed(outcome: CloseOutcome): void;
  /** What a DOM event has as its data instead of what binaryType says, or undefined. */
  domBinary(payload: Uint8Array): unknown;
  /** Whether a DOM event would have a listener. */
  hasDomListeners: boolean;
}

/** Attaches a socket object to a transport that exists. Not exported from the package: only subclasses here use it. */
export class Attachment {
  constructor(
    readonly role: 'client' | 'server',
    readonly transport: object,
    readonly url: string,
    readonly config: ChannelConfig,
    readonly hooks: SocketHooks,
  ) {}
}

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
  /** Sends that stand behind a Blob whose bytes are still being read. */
  readonly #sends = new SerialQueue((error) => {
    this.#connection.abort('PQ_ERR_INTERNAL', error);
  });
  #waitingSends = 0;
  #waitingBytes = 0;
  /** Events that wait for a task of their own. */
  #queuedEvents = 0;

  /**
   * @throws {DOMException} SyntaxError for a URL or subprotocols that the standard refuses
   * @throws {TypeError | RangeError} for an option that is unknown or wrong
   */
  constructor(url: unknown, protocols: unknown = undefined, options: unknown = undefined) {
    super();
    // eslint-disable-next-line prefer-rest-params -- Web IDL counts arguments
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
    const opened = attachment ?? this.#openTransport(url, protocols, optionsObject(options));
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
        random: (target) => crypto.getRandomValues(target as Uint8Array<ArrayBuffer>) as typeof target,
        now: () => performance.now(),
        readText: attachment === undefined ? fromUtf8 : utf8OrNothing,
        ...opened.config,
      },
      this.#face(finish, giveUp),
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
    return this.#connection.bufferedAmount + this.#waitingBytes;
  }

  get protocol(): string {
    return this.#wasOpen ? this.#connection.transport.protocol : '';
  }

  get extensions(): string {
    return this.#wasOpen ? this.#connection.transport.extensions : '';
  }

  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(value: BinaryType) {
    // Web IDL: an enumeration ignores what it does not name.
    const type = String(value);
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
    // eslint-disable-next-line prefer-rest-params -- Web IDL counts arguments
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
    const size = message.type === 'blob' ? message.blob.size : message.bytes.length;
    if (this.#readyState >= CLOSING) {
      this.#connection.drop(size);
      sent?.(new Error('WebSocket is not open'));
      return;
    }
    if (message.type !== 'blob' && this.#waitingSends === 0) {
      this.#connection.send(kindOf(message), message.bytes, message.type === 'text', sent);
      return;
    }
    // The bytes of what stands behind a Blob are copied now: the caller may change them before the Blob is read.
    const content = message.type === 'blob' ? message.blob : message.bytes.slice();
    this.#waitingSends += 1;
    this.#waitingBytes += size;
    this.#sends.push(() =>
      chain(content instanceof Uint8Array ? content : bytesOf(content), (bytes) => {
        this.#waitingSends -= 1;
        this.#waitingBytes -= size;
        this.#connection.send(kindOf(message), bytes, true, sent);
      }),
    );
  }

  /** The closing handshake starts behind everything that was sent. */
  #close(content: CloseContent): void {
    if (this.#readyState >= CLOSING) return;
    const wasConnecting = this.#readyState === CONNECTING;
    this.#readyState = CLOSING;
    if (wasConnecting || this.#waitingSends === 0) this.#connection.close(content);
    else {
      this.#sends.push(() => {
        this.#connection.close(content);
      });
    }
  }

  #openTransport(
    url: unknown,
    protocols: unknown,
    options: PQWebSocketOptions & Record<string, unknown>,
  ): { url: string; transport: object; config: ChannelConfig } {
    const where = 'PQWebSocket';
    const { href } = parseUrl(url, baseUrl());
    const subprotocols = parseProtocols(protocols);
    const config = checkClientOptions(where, options);
    const transportOptions = Object.fromEntries(
      Object.entries(options).filter(([name, value]) => platform.transportOptions.has(name) && value !== undefined),
    );
    const needsWs = Object.keys(transportOptions).length > 0;
    const Underlying = underlyingClass(where, options.WebSocket, needsWs);
    const offered = subprotocols.length > 0 ? subprotocols : undefined;
    if (needsWs || Underlying === platform.fallbackWebSocket()) {
      const maxPayload = maxInnerBytes(config.limits.maxPayload) + FRAME_HEADROOM;
      const wsOptions = { ...transportOptions, perMessageDeflate: false, maxPayload };
      return { url: href, transport: new Underlying(href, offered, wsOptions), config };
    }
    const transport = offered === undefined ? new Underlying(href) : new Underlying(href, offered);
    return { url: href, transport, config };
  }

  #face(finish: () => void, giveUp: (reason: unknown) => void): ConnectionFace<string | Uint8Array> {
    return {
      opened: () => {
        if (this.#readyState !== CONNECTING) return;
        this.#inOrder(() => {
          this.#readyState = OPEN;
          this.#wasOpen = true;
          this.#hooks?.opened();
          if (this.#hasListeners()) this.#dispatch(new BaseEvent('open'));
        });
      },
      peerAccepted: finish,
      messages: (messages) => {
        messages.forEach((message, index) => {
          this.#inOrder(() => {
            this.#deliver(message);
          }, index > 0);
        });
      },
      closing: () => {
        this.#inOrder(() => {
          if (this.#readyState < CLOSING) this.#readyState = CLOSING;
        });
      },
      closed: (outcome, withError) => {
        giveUp(outcome.failure ?? new Error('closed before the peer had proved itself'));
        this.#inOrder(() => {
          this.#readyState = CLOSED;
          if (withError) this.#fireError(outcome);
          this.#hooks?.closed(outcome);
          if (this.#hasListeners()) this.#dispatch(new BaseCloseEvent('close', outcome));
        });
      },
    };
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

  /**
   * Keeps events in order where some must wait: a browser fires each message from a task of its own, so that
   * microtasks run in between, and of the messages of one record only the first has a task already.
   */
  #inOrder(act: () => void, needsTask = false): void {
    if (platform.queueTask === undefined || (!needsTask && this.#queuedEvents === 0)) {
      act();
      return;
    }
    this.#queuedEvents += 1;
    platform.queueTask(() => {
      this.#queuedEvents -= 1;
      act();
    });
  }
}

/** @throws {TypeError | RangeError} for an option that is unknown or wrong */
export function checkClientOptions(where: string, options: PQWebSocketOptions): ChannelConfig {
  refuseUnknown(where, options, [...OWN_OPTIONS, ...platform.transportOptions]);
  booleanOption(where, 'strict', options.strict, false);
  return channelConfig(where, options, CLIENT_MAX_PAYLOAD);
}

function kindOf(message: SendData): typeof Kind.TEXT | typeof Kind.BINARY {
  return message.type === 'text' ? Kind.TEXT : Kind.BINARY;
}

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}

function utf8OrNothing(payload: Uint8Array): Uint8Array | undefined {
  return platform.isUtf8(payload) ? payload : undefined;
}

function optionsObject(options: unknown): PQWebSocketOptions & Record<string, unknown> {
  if (options === undefined) return {};
  if (typeof options === 'object' && options !== null) return options as PQWebSocketOptions & Record<string, unknown>;
  throw new TypeError(`PQWebSocket: options must be an object, got ${options === null ? 'null' : typeof options}`);
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
Object.defineProperty(PQWebSocket, BRAND, { value: {} satisfies Brand });
