/**
 * A secure socket with the surface of npm `ws` beside the standard's: `on('message', (data, isBinary) => ...)`,
 * send callbacks, ping, pong, terminate, pause and resume. Servers get it from `wrapServerSocket` and
 * `WebSocketServer`, Node clients from `pq-websocket/ws`.
 */
import { platform } from '#platform';
import { EventEmitter } from 'eventemitter3';
import type { CloseContent } from '../protocol/record.ts';
import { isCloseCode, MAX_CLOSE_REASON_BYTES } from '../protocol/record.ts';
import type { ChannelConfig } from './options.ts';
import type { SocketHooks } from './attachment.ts';
import { Attachment } from './attachment.ts';
import { closeOn, connectionOf, PQWebSocket, sendOn } from './pq-websocket.ts';
import type { NetworkSocket } from './raw-socket.ts';
import { RawSocket } from './raw-socket.ts';
import { ROLE_PARTS } from './role-parts.ts';
import type { WsSocket } from './transport.ts';
import type { SendData } from './webidl.ts';
import { isUint8Array, parseSendData, toDomString } from './webidl.ts';

/** What an emitter listener may be: the events' own types are declared where the class is exported. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- eventemitter3's own listener type
export type Listener = (...values: any[]) => void;
export type SendOptions = { binary?: boolean; compress?: boolean; fin?: boolean; mask?: boolean };
type Callback = (error?: Error) => void;

/** How `on('message')` hands over bytes; `ws` calls it binaryType. */
type WsBinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob';

/** Events of a `ws` client that change what it does by being listened to: passed on only once somebody listens. */
const UPGRADE_EVENTS: readonly string[] = ['upgrade', 'unexpected-response', 'redirect'];

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** What a server must know of its sockets, whatever listeners the application adds or removes. */
export interface SocketWatcher {
  opened(): void;
  closed(): void;
}

/** Gives the socket its `_socket`; not a member, so that no script sees it. */
export let setRawSocket: (socket: WsStyleSocket, network: NetworkSocket) => void;
/** Tells `watcher` of the socket's life, before the application hears of it. */
export let watchSocket: (socket: WsStyleSocket, watcher: SocketWatcher) => void;

export class WsStyleSocket extends PQWebSocket {
  static {
    setRawSocket = (socket, network): void => {
      socket.#rawSocket = new RawSocket(network);
    };
    watchSocket = (socket, watcher): void => {
      socket.#watcher = watcher;
    };
  }

  readonly #emitter: EventEmitter;
  readonly #hooks: SocketHooks;
  readonly #forwarded = new Set<string>();
  #wsBinaryType: WsBinaryType | undefined;
  #rawSocket: RawSocket | null = null;
  #watcher: SocketWatcher | undefined;

  /** @param transport a socket that is accepted (server) or connecting (client) */
  constructor(role: 'client' | 'server', transport: object, url: string, config: ChannelConfig) {
    const emitter = new EventEmitter();
    const hooks: SocketHooks = {
      hasDomListeners: false,
      opened: () => {
        this.#watcher?.opened();
        emitSafely(emitter, 'open');
      },
      message: (payload, isBinary) => {
        const data = isBinary ? this.#received(payload) : platform.toBuffer(payload);
        try {
          emitter.emit('message', data, isBinary);
        } catch (error) {
          throwLater(error);
        }
      },
      domBinary: (payload) => (this.#wsBinaryType === undefined ? undefined : this.#received(payload)),
      failed: ({ failure }) => {
        emitSafely(emitter, 'error', failure);
      },
      closed: ({ code, reason }) => {
        this.#watcher?.closed();
        emitSafely(emitter, 'close', code, platform.toBuffer(encoder.encode(reason)));
      },
    };
    super(new Attachment(role, transport, url, config, hooks, ROLE_PARTS[role]));
    this.#emitter = emitter;
    this.#hooks = hooks;
    const { ws } = connectionOf(this).transport;
    if (ws === undefined) return;
    this.#wsBinaryType = 'nodebuffer';
    ws.on('ping', (data: Uint8Array) => {
      emitSafely(emitter, 'ping', data);
    });
    ws.on('pong', (data: Uint8Array) => {
      emitSafely(emitter, 'pong', data);
    });
  }

  /** Where npm `ws` keeps its network socket; null until there is one. */
  get _socket(): RawSocket | null {
    return this.#rawSocket;
  }

  override get binaryType(): BinaryType {
    return (this.#wsBinaryType as BinaryType | undefined) ?? super.binaryType;
  }

  /** What `on('message')` and `onmessage` get for binary messages: as in `ws`, any time, for the messages to come. */
  override set binaryType(value: BinaryType) {
    const type = String(value) as WsBinaryType;
    if (!['nodebuffer', 'arraybuffer', 'fragments', 'blob'].includes(type)) return;
    this.#wsBinaryType = type;
    super.binaryType = value;
  }

  on(event: string, listener: Listener): this {
    this.#forward(event);
    this.#emitter.on(event, listener, this);
    return this;
  }

  once(event: string, listener: Listener): this {
    this.#forward(event);
    this.#emitter.once(event, listener, this);
    return this;
  }

  off(event: string, listener?: Listener): this {
    this.#emitter.off(event, listener);
    return this;
  }

  addListener(event: string, listener: Listener): this {
    return this.on(event, listener);
  }

  removeListener(event: string, listener?: Listener): this {
    return this.off(event, listener);
  }

  removeAllListeners(event?: string): this {
    this.#emitter.removeAllListeners(event);
    return this;
  }

  /** As with any emitter, whoever holds the socket can raise an event by hand; nothing is sent by it. */
  emit(event: string, ...values: unknown[]): boolean {
    return this.#emitter.emit(event, ...values);
  }

  listeners(event: string): Listener[] {
    return this.#emitter.listeners(event);
  }

  listenerCount(event: string): number {
    return this.#emitter.listenerCount(event);
  }

  eventNames(): (string | symbol)[] {
    return this.#emitter.eventNames();
  }

  override addEventListener(...values: Parameters<EventTarget['addEventListener']>): void {
    this.#hooks.hasDomListeners = true;
    super.addEventListener(...values);
  }

  /**
   * @param options `binary` overrides the kind that the data's type implies; a string counts as text otherwise
   * @param callback called once, when the message is handed to the transport or with the reason why it is not
   * @throws {TypeError} for data of another type than `ws` takes, and for `fin: false`
   */
  override send(data: unknown, options?: SendOptions | Callback, callback?: Callback): void {
    const given = typeof options === 'function' ? options : callback;
    const { binary, fin } = (typeof options === 'object' ? options : undefined) ?? {};
    if (fin === false) throw new TypeError('send: fragments are not supported, since each message is sealed as a whole');
    sendOn(this, asKind(wsMessage(data), binary), given && later(safely(given)));
  }

  /**
   * @param code 1000 to 1003, 1007 to 1014 or 3000 to 4999
   * @param reason at most 123 bytes
   * @throws {TypeError | RangeError} unless the socket is closing already: then nothing happens, as in `ws`
   */
  override close(code?: unknown, reason?: unknown): void {
    if (this.readyState >= this.CLOSING) return;
    closeOn(this, closeContent(code, reason));
  }

  /** Cuts the connection without a close; both applications see 1006. */
  terminate(): void {
    connectionOf(this).terminate();
  }

  /**
   * The transport's ping. It carries nothing of the application: it is not sealed.
   * @throws {TypeError} when data is given, or the transport has no ping
   */
  ping(data?: unknown, _mask?: unknown, callback?: unknown): void {
    this.#control('ping', data, callback);
  }

  /** The transport's unsolicited pong; see `ping`. */
  pong(data?: unknown, _mask?: unknown, callback?: unknown): void {
    this.#control('pong', data, callback);
  }

  /** Stops reading from the transport. As in `ws`, nothing happens unless the socket is OPEN or CLOSING. */
  pause(): void {
    const transport = this.#transport('pause');
    // A handshake that is not read would only run into its timeout.
    if (this.readyState !== this.CONNECTING) transport.pause();
  }

  resume(): void {
    const transport = this.#transport('resume');
    if (this.readyState !== this.CONNECTING) transport.resume();
  }

  get isPaused(): boolean {
    return connectionOf(this).transport.ws?.isPaused ?? false;
  }

  #received(payload: Uint8Array): unknown {
    switch (this.#wsBinaryType) {
      case 'arraybuffer':
        return payload.buffer.slice(payload.byteOffset, payload.byteOffset + payload.byteLength);
      case 'fragments':
        return [platform.toBuffer(payload)];
      case 'blob':
        return new Blob([payload as Uint8Array<ArrayBuffer>]);
      default:
        return platform.toBuffer(payload);
    }
  }

  #forward(event: string): void {
    if (!UPGRADE_EVENTS.includes(event) || this.#forwarded.has(event)) return;
    this.#forwarded.add(event);
    connectionOf(this).transport.ws?.on(event, (...values: unknown[]) => {
      emitSafely(this.#emitter, event, ...values);
    });
  }

  #control(name: 'ping' | 'pong', data: unknown, callback: unknown): void {
    const done = [data, callback].find((value) => typeof value === 'function') as Callback | undefined;
    if (data !== undefined && data !== null && data !== '' && typeof data !== 'function') {
      throw new TypeError(`${name}: data is not supported, since control frames are not sealed`);
    }
    this.#transport(name)[name](undefined, undefined, done);
  }

  #transport(method: string): WsSocket {
    const { ws } = connectionOf(this).transport;
    if (ws === undefined) throw new TypeError(`${method}: the transport has no such method; only npm ws has`);
    return ws;
  }
}

function closeContent(code: unknown, reason: unknown): CloseContent {
  if (code === undefined) return undefined;
  if (typeof code !== 'number' || !isCloseCode(code)) {
    throw new TypeError('close: the first argument must be a close code: 1000-1003, 1007-1014 or 3000-4999');
  }
  const text = isUint8Array(reason) ? decoder.decode(reason) : toDomString(reason ?? '');
  const bytes = encoder.encode(text);
  if (bytes.length > MAX_CLOSE_REASON_BYTES) {
    throw new RangeError(`close: the reason must not be longer than ${MAX_CLOSE_REASON_BYTES} bytes`);
  }
  return { code, reason: decoder.decode(bytes) };
}

/** As `ws` takes data: nothing is an empty message, and what it refuses is refused instead of sent as its name. */
function wsMessage(data: unknown): SendData {
  const value = typeof data === 'number' ? toDomString(data) : (data ?? new Uint8Array(0));
  const message = parseSendData(value);
  if (message.type !== 'text' || typeof value === 'string') return message;
  throw new TypeError(`send: the data must be a string, a number, bytes or a Blob, got ${typeof value}`);
}

function asKind(message: SendData, binary: boolean | undefined): SendData {
  if (message.type === 'blob' || binary === undefined) return message;
  if (binary) return { type: 'binary', bytes: message.bytes };
  // A text's bytes are taken for ours alone; what the caller gave as bytes may change before it is sealed.
  return message.type === 'text' ? message : { type: 'text', bytes: message.bytes.slice() };
}

function emitSafely(emitter: EventEmitter, event: string, ...values: unknown[]): void {
  safely(() => emitter.emit(event, ...values))();
}

/** `act`, but never before the turn that it was given in has ended: as `ws` calls back. */
function later<Values extends unknown[]>(act: (...values: Values) => void): (...values: Values) => void {
  let isSameTurn = true;
  queueMicrotask(() => {
    isSameTurn = false;
  });
  return (...values) => {
    if (isSameTurn) queueMicrotask(() => {
      act(...values);
    });
    else act(...values);
  };
}

/** A listener that throws is the application's bug to see, and must not end the connection that called it. */
export function safely<Values extends unknown[]>(act: (...values: Values) => unknown): (...values: Values) => void {
  return (...values) => {
    try {
      act(...values);
    } catch (error) {
      throwLater(error);
    }
  };
}

/** As from an event of Node's own: uncaught, with nothing of ours on the stack. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
