/**
 * Types that an application meets. They name the DOM's types where the consumer has them (lib.dom, or
 * @types/node) and small structural stand-ins where not, so that declarations compile either way.
 */
import type { BackendName } from './crypto/backend.ts';
import type { PQWebSocketError } from './protocol/errors.ts';

/** The instance type of a global class, or `Fallback` where there is no such global. */
export type GlobalInstance<Name extends string, Fallback> = typeof globalThis extends Record<
  Name,
  { prototype: infer Instance }
>
  ? Instance
  : Fallback;

export type PQEvent = GlobalInstance<'Event', { readonly type: string }>;
export type PQMessageEvent = GlobalInstance<'MessageEvent', { readonly type: string; readonly data: unknown }>;
export type PQCloseEvent = GlobalInstance<
  'CloseEvent',
  { readonly type: string; readonly code: number; readonly reason: string; readonly wasClean: boolean }
>;
export type PQEventTarget = GlobalInstance<
  'EventTarget',
  {
    addEventListener(type: string, listener: unknown, options?: unknown): void;
    removeEventListener(type: string, listener: unknown, options?: unknown): void;
    dispatchEvent(event: unknown): boolean;
  }
>;
export type PQBlob = GlobalInstance<'Blob', { readonly size: number; arrayBuffer(): Promise<ArrayBuffer> }>;

export type PQAbortSignal = GlobalInstance<'AbortSignal', { readonly aborted: boolean }>;

/** Bytes, as arguments and options take them. */
export type Bytes = Uint8Array | ArrayBuffer;

/** How sealed records are padded: not at all, to a multiple of a block (1 to 65,536 bytes), or by PADME. */
export type PaddingOption = 'off' | 'padme' | number;

/** When this end updates its sending key. Each limit can only be lowered. */
export interface RekeyOptions {
  /** Records under one key, the update included: 2 to 2^20. Default 2^20. */
  records?: number;
  /** Bytes sealed under one key: 1 to 2^36. Default 2^36. */
  bytes?: number;
  /** Age of a key in milliseconds when the next record leaves: 1 to 3,600,000. Default 3,600,000. */
  milliseconds?: number;
}

/** Options that both ends have. */
export interface ChannelOptions {
  /** The wire profile. Only `'v1'` exists in this version, and is the default. */
  profile?: 'v1';
  /**
   * Milliseconds for the secure handshake: on a client from the transport's opening to the server's Finished, on a
   * server from the upgrade to the client's. Then the connection fails with 3769. 1 to 2,147,483,647; default 10,000.
   */
  handshakeTimeout?: number;
  /**
   * Bound into the key: both ends must set the same non-empty bytes (a string counts as its UTF-8), or the
   * handshake fails with 3768. Default: none.
   */
  context?: string | Bytes;
  /** Default `'off'`. */
  padding?: PaddingOption;
  rekey?: RekeyOptions;
  /**
   * Bytes of the application's messages that may wait for the channel to open; beyond it the connection fails with
   * `PQ_ERR_QUEUE_LIMIT`. Default 16 MiB.
   */
  maxQueuedBytes?: number;
  /** Bytes of one received message; a longer one fails the connection with 3773. Default: 1 GiB on a
   * `PQWebSocket`, 100 MiB everywhere else, as in npm `ws`. */
  maxPayload?: number;
}

/** Options of `PQWebSocket`. On Node it also takes what npm `ws` takes (headers, agent, TLS options). */
export interface PQWebSocketOptions extends ChannelOptions {
  /** `true`: `send()` while CONNECTING throws an InvalidStateError, as the standard says. Default `false`: it queues. */
  strict?: boolean;
  /** The class of the WebSocket underneath. Default: the global one when the socket is made, else npm `ws`. */
  WebSocket?: new (url: string, protocols?: string | string[], options?: object) => object;
}

/** Counts of what was sealed and opened on this connection. */
export interface ChannelCounters {
  /** Records, the handshake's included. */
  readonly recordsSealed: number;
  readonly recordsOpened: number;
  /** Bytes of sealed frames given to and got from the transport. */
  readonly bytesSealed: number;
  readonly bytesOpened: number;
}

/** What is known of the secure channel: `socket.pq`. */
export interface PQChannel {
  /** Why the connection failed, or null. */
  readonly failure: PQWebSocketError | null;
  readonly profile: 'v1';
  readonly kem: 'ML-KEM-768';
  readonly cipher: 'AES-256-GCM';
  /** Whose code seals and opens: @noble/ciphers, node:crypto or crypto.subtle. */
  readonly backend: BackendName;
  /** Whether ML-KEM ran in the platform's own code here (else @noble/post-quantum's). Null before the key is agreed. */
  readonly nativeKem: boolean | null;
  /** How long the secure handshake took, in milliseconds; null until it is over. */
  readonly handshakeMilliseconds: number | null;
  /** SHA-256 over both hellos (and the context): equal at both ends. A copy, 32 bytes; null before. */
  readonly transcriptHash: Uint8Array | null;
  /**
   * True when one end answered the other's close, false when the closes crossed (then what either end had under
   * way may be lost), null before a clean end.
   */
  readonly closeAnswered: boolean | null;
  /**
   * Resolves when the peer has proved that it holds the key: on a client with `open`, on a server a moment later,
   * and until then what arrived may be a replay of nothing but hellos. Rejects with the failure when it never does.
   * A rejection that nobody handles is not reported.
   */
  readonly finished: Promise<void>;
  readonly counters: ChannelCounters;
  /**
   * Keying material for binding what is inside the channel to this very connection (RFC 9266 has the idea for TLS).
   * Both ends get the same bytes for the same label and length, and nobody else can.
   * @param label names the purpose; use one of its own for each direction
   * @param length 1 to 8160 bytes
   * @throws {Error} before the channel is open and after it has closed
   * @throws {RangeError} for another length
   */
  exportKey(label: string, length: number): Promise<Uint8Array>;
}
