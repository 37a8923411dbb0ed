/**
 * What `wrapServerSocket` may be given: sockets that a transport attaches to as they are, one that is put into the standard's
 * shape first, and those that are refused by name, since a socket that is taken for another one would hang or speak in the clear.
 */
import { platform } from '#platform';
import { CLOSED, CLOSING, OPEN } from '../base/rfc6455.ts';
import { described } from '../options/channel.ts';
import { brandOf } from './choose.ts';
import { DispatchedSocket } from './dispatched.ts';

type Members = Readonly<Record<string, unknown>>;

/**
 * @returns what a transport attaches to: the socket itself, nearly always
 * @throws {TypeError} that says what came
 */
export function acceptedSocket(where: string, socket: unknown): object {
  const given = `${where}: the first argument`;
  if (typeof socket !== 'object' || socket === null || !has(socket, 'send') || !has(socket, 'close')) {
    throw new TypeError(`${given} must be a WebSocket, got ${described(socket)}`);
  }
  if (brandOf(socket.constructor) !== undefined) {
    throw new TypeError(`${given} is secure already: give the socket that was accepted`);
  }
  if (isWebSocketNode(socket)) return new WebSocketNodeSocket(socket);
  if (has(socket, 'on') && has(socket, 'terminate')) return socket;
  if (has(socket, 'subscribe') && !has(socket, 'addEventListener')) {
    throw new TypeError(
      `${given} is a socket without events (uWebSockets.js's or Bun's): for Bun use bunHandlers; uWebSockets.js needs an object ` +
        `of the standard's shape that dispatches what its handlers are called with`,
    );
  }
  if (!has(socket, 'addEventListener')) {
    throw new TypeError(`${given} must have addEventListener, or npm ws's on and terminate, got ${described(socket)}`);
  }
  if (has(socket, 'on') && typeof (socket as Members)['target'] === 'object') {
    throw new TypeError(`${given} is mock-socket's, which makes text of bytes: use pq-websocket/msw (docs/msw.md)`);
  }
  return socket;
}

function has(socket: object, name: string): boolean {
  return typeof (socket as Members)[name] === 'function';
}

/** The part of a `WebSocketConnection` of npm `websocket` that is used here. */
interface WebSocketNodeConnection {
  readonly connected: boolean;
  readonly protocol?: string | null;
  readonly socket: { readonly writableLength?: number; destroy(): void };
  on(event: string, listener: (...values: never[]) => void): unknown;
  sendUTF(data: string, done?: (error?: Error) => void): void;
  sendBytes(data: Uint8Array, done?: (error?: Error) => void): void;
  close(code?: number, reason?: string): void;
}

function isWebSocketNode(socket: object): socket is WebSocketNodeConnection {
  return has(socket, 'on') && has(socket, 'sendUTF') && has(socket, 'sendBytes');
}

/** npm `websocket`'s connection: text and bytes by methods of their own, and messages that say which they are. */
class WebSocketNodeSocket extends DispatchedSocket {
  override readonly protocol: string;
  readonly #connection: WebSocketNodeConnection;
  #isOver = false;

  constructor(connection: WebSocketNodeConnection) {
    super();
    this.#connection = connection;
    this.protocol = connection.protocol ?? '';
    connection.on('message', (message: { type: string; utf8Data?: string; binaryData?: Uint8Array }) => {
      this.dispatch('message', { data: message.type === 'utf8' ? message.utf8Data : message.binaryData });
    });
    connection.on('error', (error: Error) => {
      this.dispatch('error', { error });
    });
    connection.on('close', (code: number, reason?: string) => {
      this.#isOver = true;
      this.dispatch('close', { code, reason: reason ?? '' });
    });
  }

  get readyState(): number {
    if (this.#isOver) return CLOSED;
    return this.#connection.connected ? OPEN : CLOSING;
  }

  get bufferedAmount(): number {
    return this.#connection.socket.writableLength ?? 0;
  }

  send(message: string | Uint8Array): void {
    if (typeof message === 'string') this.#connection.sendUTF(message);
    else this.#connection.sendBytes(platform.toBuffer(message));
  }

  close(code?: number, reason?: string): void {
    this.#connection.close(code, reason);
  }

  terminate(): void {
    this.#connection.socket.destroy();
  }
}
