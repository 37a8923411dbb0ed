/**
 * Bun gives a server no socket object with events: it calls handlers, with the socket as their argument. This is that
 * socket in the WHATWG shape.
 */
import { DispatchedSocket } from './dispatched.ts';

/** The part of Bun's ServerWebSocket that is used here. */
export interface BunServerWebSocket<Data = unknown> {
  data: Data;
  readonly readyState: number;
  readonly remoteAddress: string;
  /** @returns bytes sent, -1 with back-pressure, 0 when the message was dropped */
  send(message: string | Uint8Array, compress?: boolean): number;
  close(code?: number, reason?: string): void;
  terminate(): void;
  getBufferedAmount(): number;
}

export class BunSocket extends DispatchedSocket {
  readonly #socket: BunServerWebSocket;

  constructor(socket: BunServerWebSocket) {
    super();
    this.#socket = socket;
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  get bufferedAmount(): number {
    return this.#socket.getBufferedAmount();
  }

  /** @throws {Error} when Bun drops the message: the peer would refuse every record after a missing one */
  send(message: string | Uint8Array): void {
    if (this.#socket.send(message, false) !== 0) return;
    this.#socket.terminate();
    throw new Error('Bun dropped a message: the connection is over, or its backpressureLimit was exceeded');
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
