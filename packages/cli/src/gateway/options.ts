/** What a gateway can be told. The configuration file has the same shape. Times are milliseconds, sizes are bytes. */
import type { PaddingOption, Profile } from 'pq-websocket';

/** Which requests go to which backends. */
export interface RouteOptions {
  /** The label in logs and metrics. Default: `route 1`, `route 2`, … */
  name?: string;
  /** A URL pattern for the host name, such as `chat.example.com` or `*.example.com`. Default: any. */
  host?: string;
  /** A URL pattern for the path, such as `/chat/*`. Default: any. */
  path?: string;
  /** Backends: `ws://host:port`, `wss://host:port` or `unix:/path`, or a map with more. At least one. */
  upstreams: (string | UpstreamOptions)[];
  /**
   * Which of them gets a connection: the one with the fewest for its weight, or always the same for a client's `address`, a
   * `cookie` or a `header`, while it is up. Default `least`.
   */
  balance?: 'least' | 'address' | { cookie: string } | { header: string };
  /** Addresses and CIDR blocks of clients that may ask; others get 403. Default: any. */
  allow?: string[];
  /** Of clients that get 403, before `allow`. Default: none. */
  deny?: string[];
  /** What backends get: removed first, then set. */
  requestHeaders?: HeaderRuleOptions;
  /** What clients get of a backend's 101, or of its answer to a plain request. */
  responseHeaders?: HeaderRuleOptions;
  /** Paths that begin with `from` reach backends with `to` in its place. Routes match before. Default: none. */
  rewritePrefix?: { from: string; to: string };
  /** Asks a URL before the backend: 2xx lets the request pass, another answer is the client's. Default: nobody is asked. */
  auth?: ForwardAuthOptions;
  /** Whether backends get the client's Host header, which checks of the origin need, or their own. Default true. */
  preserveHost?: boolean;
  /** Asks backends whether they are there. Default: `{}`. */
  health?: HealthOptions | false;
}

/** A backend, its share and its certificates. */
export interface UpstreamOptions {
  /** `ws://host:port`, `wss://host:port` or `unix:/path`. */
  address: string;
  /** Of the connections, beside the others': 1 to 1,000. Default 1. */
  weight?: number;
  /** PEM file: who vouches for it, in place of the well-known authorities. */
  ca?: string;
  /** PEM files: what the gateway shows it of itself. */
  cert?: string;
  key?: string;
}

/** Headers that are set, and such as go no further. */
export interface HeaderRuleOptions {
  set?: Record<string, string>;
  remove?: string[];
}

/** Who is asked whether a request may pass. */
export interface ForwardAuthOptions {
  /** Gets a GET with the request's headers, `X-Forwarded-Method` and `X-Forwarded-Uri`. */
  url: string;
  /** Milliseconds for its answer; then 502. 1 to 60,000; default 5,000. */
  timeout?: number;
  /** Headers of its answer that backends get, in place of what the client says in them. Default: none. */
  pass?: string[];
}

/** How backends are asked whether they are there. Milliseconds. */
export interface HealthOptions {
  /** An HTTP path that must answer with a status below 400. Default: none, and connecting is enough. */
  path?: string;
  /** 100 to 3,600,000; default 5,000. */
  interval?: number;
  /** 1 to 60,000; default 2,000. */
  timeout?: number;
}

/** Signs with ML-DSA-65 outside this process. */
export type IdentityOptions =
  /** A file with the secret key in PEM, as `pq-websocket keygen` writes it. */
  | { key: string }
  /** A program and its arguments: gets the message on standard input, writes the 3309 bytes of the signature. */
  | { command: string[]; publicKey?: string }
  /** A URL: gets the message as the body of a POST, answers 200 with the 3309 bytes of the signature. */
  | { url: string; publicKey?: string };

/** Gives attestation documents: gets the 64 bytes of user data and gives the document, as above. */
export type AttestationOptions = { command: string[] } | { url: string };

/** Clients by their ML-DSA-65 keys. Backends get the key's fingerprint as `X-PQ-Client-Key`. At least one pin or file. */
export interface ClientKeyOptions {
  /** Fingerprints, `sha256:` and 64 hex digits. Default: none. */
  pins?: string[];
  /** Files with public keys in PEM, one or several in each. Default: none. */
  files?: string[];
  /** Whether clients without an identity are kept out. `false`: they come in, and backends get no such header. Default true. */
  demand?: boolean;
}

/** What a gateway takes before it refuses. */
export interface LimitOptions {
  /** Admitted connections in all. Beyond: 503. Default 10,000. */
  connections?: number;
  /** Of one IPv4 address or IPv6 /64. Beyond: 429. Default 1,000. */
  connectionsPerAddress?: number;
  /** Conversations that one address may ask for in a second, for long. Beyond: 429. Default 50. */
  handshakesPerSecond?: number;
  /** Conversations that one address may ask for at once. Default 200. */
  handshakeBurst?: number;
  /** Secure handshakes under way; beyond it the oldest is closed with 1013. Default 1,000. */
  pendingHandshakes?: number;
  /** Of a request's head. Beyond: 431. Default 16,384. */
  headerBytes?: number;
  /** Of one message, either way. Beyond: the connection ends. Default 100 MiB. */
  messageBytes?: number;
  /** Bytes waiting on one leg from which the other is not read. At least 65,536; default 1 MiB. */
  bufferedBytes?: number;
}

/** How long a gateway waits, in milliseconds. */
export interface TimeoutOptions {
  /** From a connection's start to the end of its first request's head, TLS and PROXY header included. Default 10,000. */
  header?: number;
  /** For the secure handshake; then 3769. Default 10,000. */
  handshake?: number;
  /** For connecting to one backend. Default 5,000. */
  connect?: number;
  /** For a backend's answer to the upgrade, or to a plain request; then 504. Default 30,000. */
  upgrade?: number;
  /** Without any message, ping or pong either way a connection ends with 1001. 0: never. Default 3,600,000. */
  idle?: number;
}

/** How a gateway ends, in milliseconds. */
export interface DrainOptions {
  /** From "not ready" to the end of listening, so that load balancers notice. Default 0. */
  delay?: number;
  /** How long connections may stay open after that; then they get 1001. Default 30,000. */
  deadline?: number;
}

/** What a gateway logs; never a message, a key or a reason. */
export interface LogOptions {
  /** `pretty` is for people. Default `json`. */
  format?: 'json' | 'pretty';
  /** Default `info`. */
  level?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Lines a second about clients that were refused; a line a second counts the others. 0 to 1,000,000; default 100. */
  refusals?: number;
}

/** Files in PEM. */
export interface ListenerTlsOptions {
  cert: string;
  key: string;
  /** Other certificates, for the names that they hold (SNI). */
  more?: { cert: string; key: string }[];
  /** Who vouches for clients: without a certificate of theirs none gets in. Default: none is asked for. */
  clientCa?: string;
}

/** One of several places to listen. */
export interface ListenerOptions {
  /** As `GatewayOptions.listen`. */
  listen: string;
  /** Default: none, plain WebSockets. */
  tls?: ListenerTlsOptions;
  /** As `GatewayOptions.proxyProtocol`. Default false. */
  proxyProtocol?: boolean | string[];
}

/** Everything that a gateway can be told: `startGateway(options)`, or the configuration file. */
export interface GatewayOptions {
  /** `host:port`, `[v6]:port`, `:port` for all interfaces, `unix:/path`; port 0 takes a free one. Default `127.0.0.1:8443`. */
  listen?: string;
  /** Several places to listen, in place of `listen`, `tls` and `proxyProtocol`, which are those of one. At least one. */
  listeners?: ListenerOptions[];
  /**
   * Wire profiles that clients may speak; the hello tells which. `identity`, `context` and `padding` are v1's.
   * Default `['v1']`.
   */
  profiles?: Profile[];
  /** Default: none, plain WebSockets, for behind a TLS terminator. */
  tls?: ListenerTlsOptions;
  /**
   * Every connection must begin with a PROXY protocol header (v1 or v2), and come from one of these addresses and CIDR blocks;
   * `true`: from `trustedProxies`, or where there are none from a private network. Default false.
   */
  proxyProtocol?: boolean | string[];
  /** Addresses and CIDR blocks of proxies, and `unix` for those on unix sockets, whose X-Forwarded-*, Forwarded, X-Request-Id and (with `traces`) trace headers are believed. Default: none. */
  trustedProxies?: string[];
  /** The first that matches takes the request. At least one. */
  routes: RouteOptions[];
  /** Addresses and CIDR blocks of clients that may ask; others get 403. Default: any. */
  allow?: string[];
  /** Of clients that get 403, before `allow`. Default: none. */
  deny?: string[];
  /** What plain HTTP requests get: 426, or the backend's answer. Default `refuse`. */
  plainHttp?: 'refuse' | 'upstream';
  /**
   * Origins that may connect, such as `https://example.com`, `https://*.example.com` (one name or several) or an app shell's
   * `capacitor://localhost`. Others, and none, get 403. Default: any.
   */
  allowedOrigins?: string[];
  /** How the gateway proves who it is. Default: it does not. */
  identity?: IdentityOptions;
  attestation?: AttestationOptions;
  /** Which clients get in by their own identity. Default: none is asked for. */
  clientKeys?: ClientKeyOptions;
  /** A string that clients bind into the key too. Default: none. */
  context?: string;
  /** Of records to clients. Default `off`. */
  padding?: PaddingOption;
  limits?: LimitOptions;
  timeouts?: TimeoutOptions;
  drain?: DrainOptions;
  /** Where `/metrics`, `/healthz` and `/readyz` are, as `listen`. Default: nowhere. */
  admin?: { listen: string };
  log?: LogOptions;
  /** Whether spans go to the OpenTelemetry SDK that is registered in this process. Default false. */
  traces?: boolean;
  /** Processes that share the work; `cores` for one a core. Only the command line starts them. Default 1. */
  workers?: number | 'cores';
}
