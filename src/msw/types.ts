/** What msw gives and what a handler gets, by structure: nothing here imports msw, so that one build serves both majors. */
import type {
  ChannelOptions,
  ClientAuthenticationOptions,
  GlobalInstance,
  PQBlob,
  PQChannel,
  PQCloseEvent,
  PQEvent,
  PQMessageEvent,
  Profile,
  ServerSocketOptions,
} from '../api/types.ts';

/** What a handler can send. It receives strings, and binary messages as ArrayBuffers. */
export type MockData = string | ArrayBuffer | ArrayBufferView | PQBlob;

/** Options of `pqExtension` and `terminatePQ`: the mocked server's, as `wrapServerSocket` takes them, and the origin's. */
export interface MockOptions extends ServerSocketOptions {
  /** How `server.connect()` speaks to the real server. Default: as `new PQWebSocket(url)` without options. */
  origin?: OriginOptions;
}

/** What the mock is towards the real server: a client. */
export interface OriginOptions extends ChannelOptions, ClientAuthenticationOptions {
  /** As on `PQWebSocket`. Default `'v1'`. */
  profile?: Profile;
}

/** The subprotocols that the client offers, as msw tells them. */
export interface MockInfo {
  readonly protocols: string | string[] | undefined;
}

/** What msw's 'connection' event carries, in 2.15 and 3 alike. */
export interface MockConnection {
  readonly client: {
    readonly id: string;
    readonly url: URL;
    /** msw's own. */
    send(data: never): void;
    /** msw's own. */
    close(code?: number, reason?: string): void;
    /** msw's own. */
    addEventListener(type: never, listener: never): void;
  };
  readonly server: {
    /** msw's own. */
    connect(): void;
    /** msw's own. */
    send(data: never): void;
    /** msw's own. */
    close(): void;
    /** msw's own. */
    addEventListener(type: never, listener: never): void;
  };
  readonly info: MockInfo;
}

interface ClientEvents {
  open: PQEvent;
  message: PQMessageEvent;
  close: PQCloseEvent;
}

interface ServerEvents extends ClientEvents {
  error: PQEvent;
}

type ListenerOptions =
  boolean | { once?: boolean; signal?: GlobalInstance<'AbortSignal', object>; capture?: boolean; passive?: boolean };

interface Listens<Events> {
  /** Calls `listener` with each event of the type, until `signal` or `once` ends it. */
  addEventListener<Type extends keyof Events>(
    type: Type,
    listener: (event: Events[Type]) => void,
    options?: ListenerOptions,
  ): void;
  /** Takes away what `addEventListener` has added with the same arguments. */
  removeEventListener<Type extends keyof Events>(
    type: Type,
    listener: (event: Events[Type]) => void,
    options?: boolean | { capture?: boolean },
  ): void;
}

/** The client under test, as msw shows it to a handler, in plaintext. */
export interface MockClient extends Listens<ClientEvents> {
  readonly id: string;
  readonly url: URL;
  /** msw's stand-in for the WebSocket under the secure one. */
  readonly socket: GlobalInstance<'WebSocket', object>;
  /** Seals and sends; before the channel is open it queues. After a close nothing happens. */
  send(data: MockData): void;
  /**
   * Closes with a sealed code and reason, once the channel is open. 1006 cuts the connection instead, as a network does.
   * @param code 1000 to 1003, 1005 to 1014 or 3000 to 4999; 1005 is a close without a code. Default 1000, as in msw
   * @param reason at most 123 bytes of UTF-8
   * @throws {RangeError} for others
   */
  close(code?: number, reason?: string): void;
}

/** The real server, as msw shows it to a handler, in plaintext. */
export interface MockServer extends Listens<ServerEvents> {
  /** The connection to the real server. @throws {Error} before `connect()` */
  readonly socket: GlobalInstance<'WebSocket', object>;
  /**
   * Connects to the real server and agrees a key with it. From then on messages and closes of either side go to the other,
   * unless a listener prevents the event's default.
   * @throws {Error} while it is connected already, and for a client with `fastOpen`: its subprotocols go to the real server
   *   too, and hold a hello of which only the client has the key
   */
  connect(): void;
  /** @throws {Error} before `connect()` */
  send(data: MockData): void;
  /** Closes the connection to the real server, and leaves the client as it is. @throws {Error} before `connect()` */
  close(): void;
}

/** A connection in plaintext. */
export interface Termination {
  readonly client: MockClient;
  readonly server: MockServer;
  /** Without the secure layer's own subprotocols. */
  readonly info: MockInfo;
  /**
   * The facts of the channel with the client under test. Null where msw was started after the polyfill and the code under test
   * opened the global WebSocket: msw then stands above the secure layer, and there is no channel to speak of.
   */
  readonly pq: PQChannel | null;
}

/** What `ws.link(url, { extensions: [...] })` of msw 3 takes: structurally a `WebSocketExtension<MockData, { pq }>`. */
export interface PQExtension {
  /** Frames stay frames on msw's own connections. */
  encode(message: MockData): string | ArrayBuffer;
  /** As `encode`. */
  decode(data: MockData): MockData;
  /** Called by msw before `extend`. */
  apply(connection: { client: { extension?: unknown }; server: { extension?: unknown } }): void;
  /** Called by msw for each handler: gives what the event has instead of, and beside, msw's own members. */
  extend(connection: MockConnection): { readonly pq: PQChannel | null };
}
