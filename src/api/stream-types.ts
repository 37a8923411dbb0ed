/** The declared shape of `PQWebSocketStream`: the WebSocketStream of the WHATWG draft (whatwg/websockets#48), with options and `pq` on top. */
import type { GlobalInstance, PQAbortSignal, PQChannel, PQWebSocketOptions } from './types.ts';

/** Text, or the bytes of a binary message. */
export type StreamChunk = string | Uint8Array;

type Readable = GlobalInstance<
  'ReadableStream',
  { getReader(): { read(): Promise<{ done: boolean; value?: StreamChunk }> }; cancel(reason?: unknown): Promise<void> }
>;
type Writable = GlobalInstance<
  'WritableStream',
  {
    getWriter(): { write(chunk: unknown): Promise<void>; close(): Promise<void> };
    abort(reason?: unknown): Promise<void>;
  }
>;

/** What `new PQWebSocketStream` takes as the draft has it. */
export interface PQWebSocketStreamOptions {
  /** Subprotocols in the order of preference. Default: none. */
  protocols?: Iterable<string>;
  /** Gives up the connection while it is being made; afterwards it does nothing. */
  signal?: PQAbortSignal;
}

/** What `opened` resolves with. */
export interface PQWebSocketOpenInfo {
  /** What arrives, a message a chunk: strings, and Uint8Arrays. Cancelling it closes the connection. */
  readonly readable: Readable & AsyncIterable<StreamChunk>;
  /**
   * What is sent, a message a chunk: bytes as binary, everything else as text. A write is done once little waits to be sent. Closing it
   * closes the connection, aborting it too.
   */
  readonly writable: Writable;
  readonly extensions: string;
  readonly protocol: string;
}

/** A close code and reason, as `close()` takes them and `closed` gives them. */
export interface PQWebSocketCloseInfo {
  /** 1000, or 3000 to 4999. Default: none, unless there is a reason; then 1000. */
  closeCode?: number;
  /** At most 123 bytes of UTF-8. Default: empty. */
  reason?: string;
}

export interface PQWebSocketStreamInstance {
  readonly url: string;
  /** Rejects with a WebSocketError where there is no secure connection in the end, or with the signal's reason. */
  readonly opened: Promise<PQWebSocketOpenInfo>;
  /** Rejects with a WebSocketError where the connection does not end with both sealed closes. */
  readonly closed: Promise<Required<PQWebSocketCloseInfo>>;
  /** @throws {DOMException} InvalidAccessError for another code, SyntaxError for a reason that is too long */
  close(closeInfo?: PQWebSocketCloseInfo): void;
  /** What is known of the secure channel; beyond the draft. */
  readonly pq: PQChannel;
}

/** The class `PQWebSocketStream`. */
export interface PQWebSocketStreamConstructor {
  /**
   * @param url ws:, wss:, http: or https:, absolute, or relative where the page has a base URL
   * @throws {DOMException} SyntaxError for a URL or subprotocols that the standard refuses
   * @throws {TypeError | RangeError} for an option that is unknown, and on Node for one that is wrong; in a page as PQWebSocket
   */
  new (
    url: string | { readonly href: string },
    options?: PQWebSocketStreamOptions,
    channelOptions?: Omit<PQWebSocketOptions, 'strict'>,
  ): PQWebSocketStreamInstance;
  readonly prototype: PQWebSocketStreamInstance;
}
