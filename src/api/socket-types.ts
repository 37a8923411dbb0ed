/** The declared shapes of the sockets: what `PQWebSocket` and its `ws`-style siblings are to a type checker. */
import type {
  GlobalInstance,
  PQAbortSignal,
  PQBlob,
  PQChannel,
  PQCloseEvent,
  PQEvent,
  PQEventTarget,
  PQMessageEvent,
  PQWebSocketOptions,
} from './types.ts';

/** An `on…` attribute, where the consumer's types have no type for it. */
export type AnyHandler = ((this: unknown, event: never) => unknown) | null;

/** The standard's WebSocket where the consumer's types have none. */
interface StandardWebSocket extends PQEventTarget {
  readonly url: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly protocol: string;
  readonly extensions: string;
  binaryType: 'blob' | 'arraybuffer';
  onopen: AnyHandler;
  onmessage: AnyHandler;
  onerror: AnyHandler;
  onclose: AnyHandler;
  send(data: string | ArrayBuffer | ArrayBufferView | PQBlob): void;
  close(code?: number, reason?: string): void;
}

/** `Symbol.asyncDispose` where the consumer's types have it. */
type Disposer = SymbolConstructor extends { readonly asyncDispose: infer Name extends symbol } ? Name : never;

/** What a PQWebSocket has beyond the standard's. */
export interface PQWebSocketAdditions {
  readonly pq: PQChannel;
  /**
   * Resolves when the socket has opened. Rejects with `pq.failure` where it ends before; a rejection that nobody handles is not
   * reported. A member of the same name that an application puts on the socket replaces it.
   */
  readonly opened: Promise<void>;
  /**
   * `for await (const data of socket)`: the data of messages from then on, until the connection has ended. Throws `pq.failure` where
   * that was no clean end. Leaving the loop leaves the socket open. Messages that are not taken wait in memory: with back-pressure
   * see `pq-websocket/stream`.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<string | ArrayBuffer | PQBlob>;
}

/** The platform's WebSocket type with `pq`: the polyfilled class has no more. */
export type PQWebSocketBase = GlobalInstance<'WebSocket', StandardWebSocket> & Pick<PQWebSocketAdditions, 'pq'>;

/** The platform's WebSocket type with `pq` and some more on top; `await using` closes it, and waits for its end. */
export type PQWebSocketInstance = PQWebSocketBase & PQWebSocketAdditions & { [Name in Disposer]: () => Promise<void> };

interface ReadyStates {
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
}

/** The class `PQWebSocket`: what `typeof WebSocket` is, with options. */
export interface PQWebSocketConstructor extends ReadyStates {
  /**
   * @param url ws:, wss:, http: or https:, absolute, or relative where the page has a base URL
   * @param protocols subprotocols in the order of preference
   * @throws {DOMException} SyntaxError for a URL or subprotocols that the standard refuses
   * @throws {TypeError | RangeError} for an option that is unknown, and on Node for one that is wrong; in a page the check of most options is
   *   loaded when one is given, and a wrong one fails the connection before anything goes out, as `pq.failure.cause`
   */
  new (
    url: string | { readonly href: string },
    protocols?: string | string[],
    options?: PQWebSocketOptions,
  ): PQWebSocketInstance;
  readonly prototype: PQWebSocketInstance;
}

/** Node's Buffer where there is one. */
export type ReceivedBytes = GlobalInstance<'Buffer', Uint8Array>;

/** Events of a `ws`-style socket, and what their listeners get. */
export interface WsEvents {
  open: [];
  /** Text arrives as its UTF-8 bytes, with `isBinary` false. A Buffer on Node, elsewhere a Uint8Array. */
  message: [data: ReceivedBytes, isBinary: boolean];
  close: [code: number, reason: ReceivedBytes];
  /** A `PQWebSocketError`; or `ws`'s own, where the transport failed (ECONNREFUSED, an HTTP status): `pq.failure` has both. */
  error: [error: Error & { readonly code?: string }];
  ping: [data: ReceivedBytes];
  pong: [data: ReceivedBytes];
}

export interface WsSendOptions {
  /** Overrides the kind that the data's type implies: text for a string, binary for bytes. */
  binary?: boolean;
  /** Accepted and without effect: sealed frames are not compressed. */
  compress?: boolean;
  /** `false`: the message goes on with what is sent next. It is sealed as a whole, with its last part. Default true. */
  fin?: boolean;
  /** Accepted and without effect: the transport masks what it must. */
  mask?: boolean;
}

export type WsSendData = string | number | ArrayBufferLike | ArrayBufferView | PQBlob | readonly number[];
export type WsCallback = (error?: Error) => void;

/** The standard's events, by type. */
export interface DomEvents {
  open: PQEvent;
  message: PQMessageEvent;
  close: PQCloseEvent;
  error: PQEvent;
}

type DomListener<Event> = ((event: Event) => void) | { handleEvent(event: Event): void };

/** The emitter under a `ws`-style socket. */
export interface WsEmitter {
  on<Name extends keyof WsEvents>(event: Name, listener: (this: this, ...values: WsEvents[Name]) => void): this;
  on(event: string, listener: (this: this, ...values: never[]) => void): this;
  once<Name extends keyof WsEvents>(event: Name, listener: (this: this, ...values: WsEvents[Name]) => void): this;
  once(event: string, listener: (this: this, ...values: never[]) => void): this;
  off(event: string, listener?: (...values: never[]) => void): this;
  addListener: this['on'];
  removeListener: this['off'];
  removeAllListeners(event?: string): this;
  emit(event: string, ...values: unknown[]): boolean;
  listeners(event: string): ((...values: never[]) => void)[];
  listenerCount(event: string): number;
  eventNames(): (string | symbol)[];
  /** These are Node's, on Node, Deno and Bun. */
  prependListener: this['on'];
  prependOnceListener: this['on'];
  rawListeners(event: string): ((...values: never[]) => void)[];
  setMaxListeners(count: number): this;
  getMaxListeners(): number;
}

/** A secure socket with npm `ws`'s surface beside the standard's. */
export interface WsStyleWebSocket
  extends ReadyStates, WsEmitter, Omit<PQEventTarget, 'addEventListener' | 'removeEventListener'> {
  readonly url: string;
  readonly readyState: 0 | 1 | 2 | 3;
  readonly bufferedAmount: number;
  readonly protocol: string;
  readonly extensions: string;
  binaryType: 'blob' | 'arraybuffer' | 'nodebuffer' | 'fragments';
  onopen: AnyHandler;
  onmessage: AnyHandler;
  onerror: AnyHandler;
  onclose: AnyHandler;
  readonly pq: PQChannel;
  readonly isPaused: boolean;

  addEventListener<Type extends keyof DomEvents>(
    type: Type,
    listener: DomListener<DomEvents[Type]>,
    options?: boolean | { once?: boolean; signal?: PQAbortSignal; capture?: boolean; passive?: boolean },
  ): void;
  removeEventListener<Type extends keyof DomEvents>(
    type: Type,
    listener: DomListener<DomEvents[Type]>,
    options?: boolean | { capture?: boolean },
  ): void;

  /** @param callback called once: when the message is handed to the transport, or with the reason why it is not */
  send(data: WsSendData, callback?: WsCallback): void;
  send(data: WsSendData, options: WsSendOptions, callback?: WsCallback): void;
  /**
   * @param code 1000 to 1003, 1007 to 1014 or 3000 to 4999
   * @param reason at most 123 bytes of UTF-8
   * @throws {TypeError | RangeError} for others
   */
  close(code?: number, reason?: string | Uint8Array): void;
  /** Cuts the connection without a close: 1006 at both ends. */
  terminate(): void;
  /**
   * Control frames are not sealed, so the ping carries nothing: its data stays at this end, and comes with the 'pong' that answers.
   * @throws {TypeError | RangeError} for data that `ws` refuses, or of more than 125 bytes
   * @throws {Error} while CONNECTING
   */
  ping(callback?: WsCallback): void;
  ping(data?: string | number | ArrayBuffer | ArrayBufferView, mask?: boolean, callback?: WsCallback): void;
  /** @throws {TypeError} for data but that of a 'ping' of the peer's, as it was given: control frames are not sealed */
  pong(callback?: WsCallback): void;
  pong(data?: ReceivedBytes, mask?: boolean, callback?: WsCallback): void;
  /**
   * Stops reading. What has been read already waits too, in which `ws` differs: no message comes before `resume()`, unless the transport
   * is over. As in `ws`, nothing happens while CONNECTING.
   * @throws {TypeError} where the transport is not npm `ws`
   */
  pause(): void;
  /** @throws {TypeError} where the transport is not npm `ws` */
  resume(): void;
}

/** What `wrapServerSocket` gives. */
export type ServerSocket = WsStyleWebSocket;
