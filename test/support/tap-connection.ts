import type { Socket } from 'node:net';
import { OPCODE, closePayload } from './frames.ts';
import { TapDirection } from './tap-direction.ts';
import type { Frame } from './frames.ts';

/** Who sent something. */
export type Side = 'client' | 'server';

export interface TapFrame extends Frame {
  /** Who sent it. */
  readonly direction: Side;
  /** Counts the connection's frames of both directions from 0, as they were completed here. */
  readonly order: number;
}

/** Payloads are sent instead, each in a frame with the original's opcode and FIN. */
export type FrameVerdict = 'forward' | 'drop' | Uint8Array | readonly Uint8Array[];
export type FrameHook = (frame: TapFrame, connection: TapConnection) => FrameVerdict;

interface FrameWaiter {
  readonly predicate: (frame: TapFrame) => boolean;
  readonly resolve: (frame: TapFrame) => void;
}

/** One TCP connection through the tap. What is recorded is what the ends sent, not what a hook made of it. */
export class TapConnection {
  readonly frames: TapFrame[] = [];
  /** Settles when both sockets are closed. */
  readonly closed: Promise<void>;

  readonly #client: Socket;
  readonly #server: Socket;
  readonly #fromClient: TapDirection;
  readonly #fromServer: TapDirection;
  #waiters: FrameWaiter[] = [];

  constructor(client: Socket, server: Socket, hook: () => FrameHook | undefined) {
    this.#client = client;
    this.#server = server;
    const record =
      (direction: Side) =>
      (frame: Frame): FrameVerdict => {
        const recorded: TapFrame = { ...frame, direction, order: this.frames.length };
        this.frames.push(recorded);
        this.#announce(recorded);
        return hook()?.(recorded, this) ?? 'forward';
      };
    const hooked = (): boolean => hook() !== undefined;
    this.#fromClient = new TapDirection(client, server, true, record('client'), hooked);
    this.#fromServer = new TapDirection(server, client, false, record('server'), hooked);
    this.#fromServer.onHead = (head) => {
      const upgraded = /^HTTP\/1\.1 101 /.test(head);
      this.#fromServer.startBody(upgraded);
      this.#fromClient.startBody(upgraded);
    };
    this.closed = Promise.all([client, server].map(closedSocket)).then(() => undefined);
    follow(client, server);
    follow(server, client);
  }

  /** The request's head, and the response's; empty until they are complete. */
  get upgrade(): { readonly request: string; readonly response: string } {
    return { request: this.#fromClient.head, response: this.#fromServer.head };
  }

  /** Whether the server has answered 101. */
  get upgraded(): boolean {
    return /^HTTP\/1\.1 101 /.test(this.#fromServer.head);
  }

  /** Every byte that this side sent, the HTTP head included. */
  rawBytes(direction: Side): Buffer {
    return this.#from(direction).recorded();
  }

  /** The first frame, recorded already or to come, that the predicate holds for. */
  frame(predicate: (frame: TapFrame) => boolean): Promise<TapFrame> {
    const present = this.frames.find(predicate);
    if (present !== undefined) return Promise.resolve(present);
    return new Promise((resolve) => {
      this.#waiters.push({ predicate, resolve });
    });
  }

  /** Ends both TCP connections at once, without any WebSocket close. */
  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  /** Sends a frame as if `direction` had sent it, at the next frame boundary. */
  inject(direction: Side, opcode: number, payload: Uint8Array, fin = true): void {
    this.#from(direction).inject(opcode, payload, fin);
  }

  /** Sends bytes as if `direction` had sent them, whatever they are, at the next frame boundary. */
  injectRaw(direction: Side, bytes: Uint8Array): void {
    this.#from(direction).injectRaw(bytes);
  }

  /** Sends a transport close as if `direction` had sent it; no code sends one without. */
  forgeClose(direction: Side, code?: number, reason = ''): void {
    this.inject(direction, OPCODE.close, closePayload(code, reason));
  }

  #from(direction: Side): TapDirection {
    return direction === 'client' ? this.#fromClient : this.#fromServer;
  }

  #announce(frame: TapFrame): void {
    const met = this.#waiters.filter((waiter) => waiter.predicate(frame));
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter));
    for (const waiter of met) waiter.resolve(frame);
  }
}

/** When one socket is gone the other ends too, after what is on its way to it unless the first one broke. */
function follow(gone: Socket, other: Socket): void {
  gone.once('close', (broken) => {
    if (broken) other.destroy();
    else other.destroySoon();
  });
}

function closedSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => {
      resolve();
    });
  });
}
