/**
 * Types that an application meets. They name the DOM's types where the consumer has them (lib.dom, or
 * @types/node) and small structural stand-ins where not, so that declarations compile either way.
 */
import type { PQWebSocketError } from './errors.ts';

/**
 * A key encapsulation mechanism (docs/protocol/kems.md): ML-KEM of FIPS 203, or ML-KEM-768 and X25519 together
 * (MLKEM768-X25519 of draft-irtf-cfrg-concrete-hybrid-kems, also called X-Wing).
 */
export type KemName = 'ml-kem-768' | 'mlkem768-x25519' | 'ml-kem-1024';

/** The instance type of a global class, or `Fallback` where there is no such global. */
export type GlobalInstance<Name extends string, Fallback> =
  typeof globalThis extends Record<Name, { prototype: infer Instance }> ? Instance : Fallback;

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

/** Options of every server. */
export interface ServerSocketOptions extends ChannelOptions, ServerAuthenticationOptions {
  /**
   * Which wire profiles are spoken: the client's hello tells which it is. `identity`, `context`, `padding` and `rekey` are
   * v1's, and refused where v1 is not in the list. Default `['v1']`.
   */
  profiles?: readonly Profile[];
  /**
   * The KEMs that are spoken: of those that a client offers the first in this order is taken.
   * Default `['mlkem768-x25519', 'ml-kem-1024', 'ml-kem-768']`.
   */
  kems?: readonly KemName[];
  /**
   * Whom to let in: the ML-DSA-65 public keys of clients, or their fingerprints, or a function of the raw key that answers `true`. A
   * client without such an identity fails with 3770, and the socket opens only when it is accepted. Default: everybody.
   */
  clientKeys?: ServerKey | readonly ServerKey[] | ((publicKey: Uint8Array) => boolean | Promise<boolean>);
  /**
   * With `clientKeys`: whether a client has to have an identity. With `'accept'` one that offers none comes in too, and its `pq.peerKey`
   * is null; one that offers an identity has to prove it and be let in all the same. Default `'demand'`.
   */
  clientIdentity?: 'demand' | 'accept';
}

/**
 * The wire profile. `'yellowpages'` is for talking to systems that speak it: messages can be dropped and reordered
 * unnoticed, closes are authenticated by nothing, and there is no `exportKey` (PROTOCOL.md 15).
 */
export type Profile = 'v1' | 'yellowpages';

/** An upgrade request: Node's IncomingMessage, a `Request`, or anything with its headers. */
export interface UpgradeRequest {
  readonly headers:
    { get(name: string): string | null } | Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Options of `wrapServerSocket`. */
export interface WrapOptions extends ServerSocketOptions {
  /**
   * The request that was upgraded. With it a client's fast open is answered at once, which saves a round trip; without
   * it the client's first message is. Default: none.
   */
  request?: UpgradeRequest;
}

/** Fast open, which costs a server that knows it nothing and saves a round trip. */
export interface FastOpenOptions {
  /**
   * `true`: ClientHello goes with the upgrade request too, as subprotocols, so that the channel is open as soon as the
   * transport is. For servers known to select `pqws1`: with any other that selects no subprotocol the connection fails.
   * Where the platform makes the key pair later (browsers), the WebSocket underneath is constructed when it is there.
   * Default `false`.
   */
  fastOpen?: boolean;
}

/** Options that both ends have. */
export interface ChannelOptions {
  /**
   * Milliseconds for the secure handshake: on a client from the transport's opening to the server's Finished, on a
   * server from the upgrade to the client's. Then the connection fails with 3769. In yellowpages it is for each step (the
   * transport's opening, each hello), and fails with 4000. 1 to 2,147,483,647; default 10,000, in yellowpages 30,000.
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
   * Fresh key agreements inside the connection, which heal what a theft of its state has laid open: `milliseconds` between them
   * (1 to 2,147,483,647; default one hour), `timeout` for each step (default 60,000; beyond it the connection fails with 3769). On
   * where both ends have it, which is the default; `false` turns it off.
   */
  exchange?: false | { milliseconds?: number; timeout?: number };
  /**
   * Sealed pings: when nothing has been opened for `interval` milliseconds one goes out, and when nothing is opened within `timeout`
   * after it the connection fails with `PQ_ERR_HEARTBEAT` and 1006. `timeout` must exceed the time that the largest message takes on
   * the slowest link. `true`: pings are answered, and sent by `pq.ping()` alone. Both ends must have the option. Default `false`.
   */
  heartbeat?: boolean | { interval: number; timeout: number };
  /** Whether each hello has a member with a random name, so that a peer which refuses the unknown is found at once. Default `true`. */
  grease?: boolean;
  /**
   * Bytes of the application's messages that may wait for the channel to open; beyond it the connection fails with
   * `PQ_ERR_QUEUE_LIMIT`. Default 16 MiB.
   */
  maxQueuedBytes?: number;
  /**
   * Bytes of the longest frame that several messages, sent in one turn, share: for proxies that cap messages. A message alone keeps
   * its size. 1 (every message alone) to 1,048,576. Default 65,000.
   */
  maxBatchBytes?: number;
  /** Bytes of one received message; a longer one fails the connection with 3773. Default: 1 GiB on a
   * `PQWebSocket`, 100 MiB everywhere else, as in npm `ws`. */
  maxPayload?: number;
  /**
   * Whether the optional package `pq-websocket-native` does the cryptography, on Node: `true` demands it, and the constructor throws
   * where it can't be loaded, as it can't in browsers; `false` refuses it. Default: what the environment variable
   * PQ_WEBSOCKET_NATIVE says, `require`, `off` or `auto`, which uses it where it is installed and is the default.
   */
  native?: boolean;
  /**
   * For debugging, on Node alone: where the keys of records are written down, a line for each, in the manner of TLS's SSLKEYLOGFILE. Whoever
   * has them can read all that is said: `pq-websocket decode` does. A path (the file gets mode 0600, and is appended to), or a function
   * of each line, which ends the connection where it throws. The first line comes with a warning of the process. In profile v1; yellowpages
   * writes none. Default: what the environment variable PQ_WEBSOCKET_KEYLOG names.
   */
  keyLog?: string | ((line: string) => void);
}

/**
 * What npm `ws` takes on a client, on Node only: its own options, those of http.request and of tls.connect. They
 * mean what they mean there, and make the connection run over npm `ws`. Elsewhere they are unknown options.
 */
export interface TransportOptions {
  headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The Origin header. */
  origin?: string;
  followRedirects?: boolean;
  maxRedirects?: number;
  protocolVersion?: number;
  allowSynchronousEvents?: boolean;
  autoPong?: boolean;
  closeTimeout?: number;
  maxBufferedChunks?: number;
  maxFragments?: number;
  /** Unanswered pings after which `ws` ends the connection. */
  maxPendingAutoPongs?: number;
  generateMask?: (mask: never) => void;
  /** Gets the request alone: `ws`'s own socket does not seal. */
  finishRequest?: (request: never) => void;

  agent?: object | false;
  auth?: string;
  createConnection?: (...values: never[]) => object;
  family?: number;
  hints?: number;
  insecureHTTPParser?: boolean;
  localAddress?: string;
  localPort?: number;
  lookup?: (...values: never[]) => void;
  maxHeaderSize?: number;
  setHost?: boolean;
  socketPath?: string;
  timeout?: number;
  autoSelectFamily?: boolean;
  autoSelectFamilyAttemptTimeout?: number;
  defaultPort?: number | string;
  joinDuplicateHeaders?: boolean;
  setDefaultHeaders?: boolean;
  uniqueHeaders?: readonly (string | readonly string[])[];
  allowHalfOpen?: boolean;
  blockList?: object;
  highWaterMark?: number;
  keepAlive?: boolean;
  keepAliveInitialDelay?: number;
  noDelay?: boolean;

  allowPartialTrustChain?: boolean;
  clientCertEngine?: string;
  enableTrace?: boolean;
  privateKeyEngine?: string;
  privateKeyIdentifier?: string;
  /** As in node:tls. */
  pskCallback?: (...values: never[]) => unknown;
  requestOCSP?: boolean;
  sessionTimeout?: number;
  socket?: object;
  ticketKeys?: Uint8Array;
  ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  cert?: string | Uint8Array | readonly (string | Uint8Array)[];
  key?: string | Uint8Array | readonly (string | Uint8Array | object)[];
  pfx?: string | Uint8Array | readonly (string | Uint8Array | object)[];
  crl?: string | Uint8Array | readonly (string | Uint8Array)[];
  passphrase?: string;
  rejectUnauthorized?: boolean;
  servername?: string;
  checkServerIdentity?: (hostname: string, certificate: never) => Error | undefined;
  ALPNProtocols?: readonly string[] | Uint8Array;
  ciphers?: string;
  dhparam?: string | Uint8Array;
  ecdhCurve?: string;
  honorCipherOrder?: boolean;
  minDHSize?: number;
  minVersion?: string;
  maxVersion?: string;
  secureContext?: object;
  secureOptions?: number;
  secureProtocol?: string;
  session?: Uint8Array;
  sessionIdContext?: string;
  sigalgs?: string;
}

/**
 * A pinned ML-DSA-65 public key: its 1952 bytes, their base64, PEM (RFC 9881), or its fingerprint, `sha256:` and the
 * 64 hex digits of the SHA-256 of those bytes.
 */
export type ServerKey = Uint8Array | string;

/** What an attestation has to be bound to. */
export interface AttestationContext {
  readonly profile: Profile;
  /** The socket's URL. */
  readonly url: string;
  /** What the document's user data must be, byte for byte. Nothing else binds it to this connection. */
  readonly userData: Uint8Array;
  /** The same as ASCII text, for attestation services that take text alone: a document may have either. Undefined in yellowpages. */
  readonly userDataText?: Uint8Array | undefined;
  /** 32 bytes in profile v1; undefined in yellowpages, which has none. In an exchange the exchange's own. */
  readonly transcriptHash: Uint8Array | undefined;
}

/** How a client tells who the server is. Who asks for several things needs all of them. */
export interface ClientAuthenticationOptions {
  /**
   * Who the client is, for servers that demand it (`clientKeys`): an ML-DSA-65 secret key (the 32-byte seed, the expanded 4032 bytes,
   * or PEM), or what signs with one elsewhere. A client that pins no server shows its public key to whoever answers. Default: none.
   */
  identity?: Uint8Array | string | { sign: IdentitySigner; publicKey: Uint8Array | string };
  /** The server must sign with one of these keys, else the connection fails with 3770. Default: none, no signature needed. */
  serverKeys?: ServerKey | readonly ServerKey[];
  /**
   * Judges the server's attestation document; throws or rejects to refuse, and the connection fails with 3770, as it does
   * without a document. It runs within the handshake's timeout. Default: none, no document needed. In yellowpages there is
   * no default: the document is all that says who the server is, and `false` says that none is wanted.
   */
  verifyAttestation?: false | ((document: Uint8Array, context: AttestationContext) => void | Promise<void>);
}

/** For work that takes its time: aborted when the connection that asked has ended, so that its result is of no use. */
export interface WorkContext {
  readonly signal: PQAbortSignal | undefined;
}

/** Signs with ML-DSA-65, pure and with an empty context: 3309 bytes. */
export type IdentitySigner = (message: Uint8Array, work: WorkContext) => Uint8Array | Promise<Uint8Array>;

/** How a server proves who it is. */
export interface ServerAuthenticationOptions {
  /**
   * Signatures and attestations that may be under way at once, 1 to 65,536; other clients' wait, in order, and those whose
   * socket has gone are dropped. Whatever the number, this thread spends at most half of its time on them. Default 16.
   */
  maxProofs?: number;
  /**
   * An ML-DSA-65 secret key (the 32-byte seed, the expanded 4032 bytes, or PEM), or what signs with one elsewhere. Clients
   * that pin a fingerprint need the public key, so a bare function serves only those that pin keys.
   */
  identity?: Uint8Array | string | IdentitySigner | { sign: IdentitySigner; publicKey: Uint8Array | string };
  /**
   * Gives an attestation document whose user data is `context.userData`. Let it be callable only by the measured code that
   * runs this server: anyone who can have a document made for any transcript can impersonate it.
   */
  attest?: (
    /** Undefined in yellowpages, which has none. */
    transcriptHash: Uint8Array | undefined,
    context: {
      readonly profile: Profile;
      readonly userData: Uint8Array;
      /** The same as ASCII text, for services that take text alone: either form will do. Undefined in yellowpages. */
      readonly userDataText?: Uint8Array | undefined;
    } & WorkContext,
  ) => Uint8Array | Promise<Uint8Array>;
}

/** Options of `PQWebSocket`. On Node it also takes what npm `ws` takes (headers, agent, TLS options). */
export interface PQWebSocketOptions
  extends ChannelOptions, TransportOptions, ClientAuthenticationOptions, FastOpenOptions {
  /**
   * The one that is spoken; there is no fallback. `'yellowpages'` demands `verifyAttestation`, and refuses `serverKeys`,
   * `context`, `padding` and `rekey`, which it cannot keep. Default `'v1'`.
   */
  profile?: Profile;
  /** The KEM that is offered, or several in the order of preference; the server decides. Default `'ml-kem-768'`. */
  kem?: KemName | readonly KemName[];
  /** `true`: `send()` while CONNECTING throws an InvalidStateError, as the standard says. Default `false`: it queues. */
  strict?: boolean;
  /**
   * When it aborts, the socket closes as by `close()`: one that is CONNECTING fails, an open one sends what it was given and closes without
   * a code. Default: none.
   */
  signal?: PQAbortSignal;
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

/** Whose code seals and opens: @noble/ciphers, node:crypto, pq-websocket-native or crypto.subtle. */
export type BackendName = 'noble' | 'node' | 'native' | 'webcrypto';

/** What is known of the secure channel: `socket.pq`. */
export interface PQChannel {
  /** Why the connection failed, or null. */
  readonly failure: PQWebSocketError | null;
  /** On a server of both profiles `'v1'` until the ClientHello has come. */
  readonly profile: Profile;
  /** The KEM that ran; before the key is agreed the one that a hello without a choice has. */
  readonly kem: KemName;
  /** How many exchanges this connection has completed (docs/protocol/exchange.md). */
  readonly generation: number;
  /**
   * The peer's ML-DSA-65 public key, 1,952 bytes, by which it has shown who it is in the handshake, for the whole connection.
   * Null before, and where this end demanded none.
   */
  readonly peerKey: Uint8Array | null;
  /**
   * A fresh key agreement: what a thief of this end's state could read ends with it. Resolves when one that begins from now on has
   * completed: at a client when it has sent its part, at a server when it has accepted the client's.
   * @throws {Error} when the connection is not open, exchange is off at either end, or the connection ends first
   */
  exchange(): Promise<void>;
  /**
   * A sealed ping, which a frozen page does not answer, as its browser does the transport's. Resolves with its pong's content.
   * @param data 0 to 125 bytes
   * @throws {Error} when the connection is not open, `heartbeat` is off at either end, or the connection ends first
   * @throws {RangeError} for more bytes
   */
  ping(data?: Uint8Array): Promise<Uint8Array>;
  readonly cipher: 'AES-256-GCM';
  /** Whose code seals and opens: @noble/ciphers, node:crypto, pq-websocket-native or crypto.subtle. */
  readonly backend: BackendName;
  /** Whether ML-KEM ran in the platform's own code here, or in pq-websocket-native's (else @noble/post-quantum's). Null before the key is agreed. */
  readonly nativeKem: boolean | null;
  /** How long the secure handshake took, in milliseconds; null until it is over. In yellowpages that is at `open`. */
  readonly handshakeMilliseconds: number | null;
  /** SHA-256 over both hellos (and the context): equal at both ends. A copy, 32 bytes; null before, and in yellowpages. */
  readonly transcriptHash: Uint8Array | null;
  /**
   * True when one end answered the other's close, false when the closes crossed (then what either end had under
   * way may be lost), null before a clean end, and in yellowpages, where neither end can know.
   */
  readonly closeAnswered: boolean | null;
  /**
   * Resolves when the peer has proved that it holds the key: on a client with `open`, on a server a moment later,
   * and until then what arrived may be a replay of nothing but hellos. Rejects with the failure when it never does.
   * An unhandled rejection is not reported. In yellowpages it resolves with the first frame that opens, at either
   * end: a client whose server only ever closes never learns that the server had the key.
   */
  readonly finished: Promise<void>;
  readonly counters: ChannelCounters;
  /**
   * Keying material for binding what is inside the channel to this very connection (RFC 9266 has the idea for TLS).
   * Both ends get the same bytes for the same label and length, and nobody else can.
   * @param label names the purpose; use one of its own for each direction
   * @param length 1 to 8160 bytes
   * @throws {Error} before the channel is open and after it has closed, and in yellowpages, which has no exporter
   * @throws {RangeError} for another length
   */
  exportKey(label: string, length: number): Promise<Uint8Array>;
}
