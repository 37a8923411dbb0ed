/** The WebSocket underneath, whatever it is: everything above sees this one shape. */
import type { Reading } from './reading.ts';

export interface Transport {
  /** The subprotocol that the server selected, and what else the upgrade agreed. */
  readonly protocol: string;
  readonly extensions: string;
  readonly isOpen: boolean;
  /** Bytes given to `send` and not yet sent. */
  readonly bufferedAmount: number;
  /** @param done called when the message is sent, or right away where the transport does not tell */
  send(message: string | Uint8Array, done?: (error?: Error) => void): void;
  /** Lets what is sent until this turn is over go in one write; absent where that is not possible. */
  joinFrames?(): void;
  close(code?: number, reason?: string): void;
  /** Cuts the connection; where a socket has no way to, it is closed without a code. */
  terminate(): void;
  /**
   * Refuses longer messages from now on, before it holds them, and messages in many parts. Absent where the socket underneath can't be
   * told.
   * @param bytes of a message; undefined: the limits that the socket was made with
   */
  limit?(bytes: number | undefined): void;
  /** Stops or goes on reading for the secure layer's own reasons; absent where that is not possible. */
  hold?(isHeld: boolean): void;
  /** Whether this end's application has stopped reading; absent where it can't. */
  readonly holdsBack?: boolean;
  /** What only npm `ws` has. */
  readonly ws?: WsFeatures;
}

export interface TransportHost {
  transportOpened(): void;
  /** @param owned whether the message's memory is ours alone */
  transportMessage(message: string | Uint8Array, owned?: boolean): void;
  transportFailed(cause: unknown): void;
  transportClosed(code: number, reason: string, wasClean: boolean): void;
}

/** Attaches to a socket and reports its life to `host` from now on. */
export type Attach = (socket: object, host: TransportHost) => Transport;

/** What npm `ws` has beyond the standard, for sockets that show it. */
export interface WsFeatures {
  /** On a client, as it stands after redirects. */
  readonly url: string | undefined;
  /** Whether the application has stopped reading. */
  readonly isPaused: boolean;
  onControl(type: 'ping' | 'pong', listener: (data: Uint8Array) => void): void;
  /** @param data of a pong: what a ping has brought */
  sendControl(type: 'ping' | 'pong', data?: Uint8Array, done?: (error: Error) => void): void;
  pause(): void;
  resume(): void;
  /** What waits while the application has stopped reading; undefined until it has for the first time. */
  readonly reading: Reading | undefined;
}
