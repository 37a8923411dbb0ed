/** msw's two connections, whose frames are sealed, in the shape that a secure connection runs over. */
import { ABNORMAL_CLOSURE, CLOSED, CONNECTING, OPEN } from '../base/rfc6455.ts';
import { DispatchedSocket } from '../transport/dispatched.ts';
import { queueMicrotask } from '../base/captured.ts';

type RawListener = (event: Event) => void;

/** The public members of msw's client connection that are used. */
export interface RawClient {
  readonly id: string;
  readonly url: URL;
  readonly socket: WebSocket;
  send(data: unknown): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: RawListener): void;
}

/** The public members of msw's server connection that are used. */
export interface RawServer {
  /** Throws before `connect()`. */
  readonly socket: WebSocket;
  connect(): void;
  send(data: unknown): void;
  close(): void;
  addEventListener(type: string, listener: RawListener): void;
}

/** The connections' own ways to send and close, whatever is put into their place later. */
export function ownMethods(client: RawClient, server: RawServer): { client: RawClient; server: RawServer } {
  return {
    client: {
      id: client.id,
      url: client.url,
      socket: client.socket,
      send: client.send.bind(client),
      close: client.close.bind(client),
      addEventListener: client.addEventListener.bind(client),
    },
    server: {
      get socket() {
        return server.socket;
      },
      connect: server.connect.bind(server),
      send: server.send.bind(server),
      close: server.close.bind(server),
      addEventListener: server.addEventListener.bind(server),
    },
  };
}

/**
 * The server's end of the client's transport. It can be sent to from the start: what msw is given before the mock opens it
 * delivers after.
 */
export class ClientTransport extends DispatchedSocket {
  readonly bufferedAmount = 0;
  readyState: typeof OPEN | typeof CLOSED = OPEN;
  readonly #raw: RawClient;

  constructor(raw: RawClient) {
    super();
    this.#raw = raw;
    raw.addEventListener('message', (event) => {
      // Else msw would pass the frame on to the real server, which has another key.
      event.preventDefault();
      this.dispatch('message', event);
    });
    raw.addEventListener('close', (event) => {
      this.readyState = CLOSED;
      this.dispatch('close', event);
    });
  }

  send(message: string | Uint8Array): void {
    this.#raw.send(message);
  }

  /** msw hands messages over in a microtask, and drops those that have not been when the socket closes. */
  close(code?: number, reason?: string): void {
    queueMicrotask(() => {
      this.#raw.close(code, reason);
    });
  }

  terminate(): void {
    this.close(ABNORMAL_CLOSURE);
  }
}

/** The client's end of the transport to the real server. */
export class OriginTransport extends DispatchedSocket {
  readonly bufferedAmount = 0;
  readyState: typeof CONNECTING | typeof OPEN | typeof CLOSED = CONNECTING;
  readonly #raw: RawServer;

  /** @param raw not connected yet, or not any more */
  constructor(raw: RawServer) {
    super();
    this.#raw = raw;
    // Else msw would pass all of these on to the client, which has another key.
    for (const type of ['message', 'error', 'close'] as const) {
      raw.addEventListener(type, (event) => {
        event.preventDefault();
        if (type === 'close') this.readyState = CLOSED;
        this.dispatch(type, event);
      });
    }
    raw.addEventListener('open', (event) => {
      this.readyState = OPEN;
      this.dispatch('open', event);
    });
  }

  send(message: string | Uint8Array): void {
    this.#raw.send(message);
  }

  /** msw's own `close()` takes no code. */
  close(code?: number, reason?: string): void {
    this.#raw.socket.close(code, reason);
  }

  terminate(): void {
    this.close();
  }
}
