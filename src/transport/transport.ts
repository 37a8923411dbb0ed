/**
 * The WebSocket underneath, whatever it is: WHATWG-shaped (browsers, Node's own, Deno, workerd, msw) or npm `ws`.
 * Everything above sees this one shape.
 */
import { platform } from '#platform';
import type { PQErrorCode } from '../api/errors.ts';
import { SerialQueue } from '../base/maybe-promise.ts';
import { isBlob } from '../base/webidl.ts';

export interface Transport {
  /** The subprotocol that the server selected, and what else the upgrade agreed. */
  readonly protocol: string;
  readonly extensions: string;
  readonly isOpen: boolean;
  /** Bytes given to `send` and not yet sent. */
  readonly bufferedAmount: number;
  /** @param done called when the message is sent, or right away where the transport does not tell */
  send(message: string | Uint8Array, done?: (error?: Error) => void): void;
  close(code?: number, reason?: string): void;
  /** Cuts the connection, where that is possible. */
  terminate(): void;
  /** The socket underneath, where it has what only npm `ws` has. */
  readonly ws: WsSocket | undefined;
}

export interface TransportHost {
  transportOpened(): void;
  /** @param owned whether nobody else has the message's memory */
  transportMessage(message: string | Uint8Array, owned?: boolean): void;
  transportFailed(cause: unknown): void;
  transportClosed(code: number, reason: string, wasClean: boolean): void;
  /** There cannot be a transport, for a reason of this end's own. */
  abort(code: PQErrorCode, cause?: unknown): void;
}

/** The part of npm `ws`'s public surface that is used here. */
export interface WsSocket {
  /** On a client. */
  readonly url?: string | undefined;
  readonly readyState: number;
  readonly protocol: string;
  readonly extensions: string;
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  listenerCount?(event: string): number;
  on(event: string, listener: (...values: never[]) => void): unknown;
  send(data: string | Uint8Array, options: { binary: boolean; compress: false }, done?: (error?: Error) => void): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  ping(data?: unknown, mask?: boolean, done?: (error: Error) => void): void;
  pong(data?: unknown, mask?: boolean, done?: (error: Error) => void): void;
  pause(): void;
  resume(): void;
}

/** The part of the WHATWG surface that is used here. workerd's `accept()` has been called by its owner. */
export interface WhatwgSocket {
  readonly readyState: number;
  readonly protocol?: string | null;
  readonly extensions?: string | null;
  readonly bufferedAmount?: number;
  binaryType?: string;
  send(data: string | ArrayBuffer | ArrayBufferView): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: never) => void): void;
}

const OPEN = 1;
/** RFC 6455 7.1.5: there was no close frame. */
const ABNORMAL = 1006;
// A hello with a byte-order mark must be seen as one, and refused.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const CLOSED = 3;

/** Attaches to a socket and reports its life to `host` from now on. */
export function attachTransport(socket: object, host: TransportHost): Transport {
  return isWsSocket(socket) ? attachWs(socket, host) : attachWhatwg(socket as WhatwgSocket, host);
}

function isWsSocket(socket: object): socket is WsSocket {
  const candidate = socket as Partial<WsSocket>;
  return typeof candidate.on === 'function' && typeof candidate.terminate === 'function';
}

function attachWs(socket: WsSocket, host: TransportHost): Transport {
  // A server's is open: it would only keep room for what never comes.
  if (socket.readyState !== OPEN) {
    socket.on('open', () => {
      host.transportOpened();
    });
  }
  socket.on('message', (data: WsData, isBinary: boolean) => {
    // What answers a hello is two messages.
    if (!isBinary) {
      const text = decoder.decode(joined(data));
      inOneWrite(socket, () => {
        host.transportMessage(text);
      });
    }
    // Who else listens to the same socket may keep what it is given.
    else host.transportMessage(joined(data), socket.listenerCount?.('message') === 1 && isAlone(data));
  });
  socket.on('error', (error: Error) => {
    host.transportFailed(error);
  });
  socket.on('close', (code: number, reason?: Uint8Array) => {
    // RFC 6455 7.1.5: this code stands for a connection without a close frame, and only for that.
    host.transportClosed(code, decoder.decode(reason), code !== 1006);
  });
  return new WsTransport(socket);
}

class WsTransport implements Transport {
  constructor(readonly ws: WsSocket) {}

  get protocol(): string {
    return this.ws.protocol;
  }

  get extensions(): string {
    return this.ws.extensions;
  }

  get isOpen(): boolean {
    return this.ws.readyState === OPEN;
  }

  get bufferedAmount(): number {
    return this.ws.bufferedAmount;
  }

  send(message: string | Uint8Array, done?: (error?: Error) => void): void {
    if (typeof message !== 'string' && platform.writeFrame?.(this.ws, message, done) === true) return;
    this.ws.send(message, { binary: typeof message !== 'string', compress: false }, done);
  }

  close(code?: number, reason?: string): void {
    this.ws.close(code, reason);
  }

  terminate(): void {
    this.ws.terminate();
  }
}

function inOneWrite(socket: WsSocket, act: () => void): void {
  if (platform.inOneWrite === undefined) act();
  else platform.inOneWrite(socket, act);
}

/** Whether nothing else stands in the memory. */
function isAlone(data: WsData): boolean {
  return ArrayBuffer.isView(data) && data.byteLength === data.buffer.byteLength;
}

/** What `ws` delivers depends on its binaryType, which is not always ours to set. */
type WsData = Uint8Array | ArrayBuffer | Uint8Array[];

function joined(data: WsData): Uint8Array {
  if (ArrayBuffer.isView(data)) return data;
  if (!Array.isArray(data)) return new Uint8Array(data);
  const bytes = new Uint8Array(data.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of data) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** As `attachTransport`, for a socket of the standard's shape. */
export function attachWhatwg(socket: WhatwgSocket, host: TransportHost): Transport {
  let isClosed = false;
  let hasOpened = socket.readyState === OPEN;
  // Some transports (msw) deliver a Blob whatever binaryType says. Reading one takes time; order stays.
  const inbound = new SerialQueue((error) => {
    host.transportFailed(error);
  });
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('open', () => {
    hasOpened = true;
    host.transportOpened();
  });
  socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    inbound.push(() => {
      if (isBlob(data)) {
        return data.arrayBuffer().then((buffer) => {
          host.transportMessage(new Uint8Array(buffer));
        });
      }
      host.transportMessage(messageOf(data));
      return undefined;
    });
  });
  const closed = (code: number, reason = '', wasClean = code !== ABNORMAL): void => {
    isClosed = true;
    inbound.push(() => {
      host.transportClosed(code, reason, wasClean);
    });
  };
  socket.addEventListener('error', (event: { error?: unknown; message?: unknown }) => {
    host.transportFailed(event.error ?? event.message);
    // The standard (WHATWG WebSockets, 4) fires `close` in the same task. Of connections that never were, some classes say no more:
    // Node 22's, WebKit's for a port that Fetch blocks, Chromium's where a policy allows none.
    if (!hasOpened) {
      setTimeout(() => {
        if (!isClosed) closed(ABNORMAL);
      });
    }
  });
  socket.addEventListener('close', ({ code, reason, wasClean }: Partial<CloseEvent> & { code: number }) => {
    closed(code, reason, wasClean);
  });
  return {
    get protocol() {
      return socket.protocol ?? '';
    },
    get extensions() {
      return socket.extensions ?? '';
    },
    get isOpen() {
      return socket.readyState === OPEN;
    },
    get bufferedAmount() {
      return socket.bufferedAmount ?? 0;
    },
    send(message, done) {
      socket.send(message);
      done?.();
    },
    close(code, reason) {
      if (isClosed || socket.readyState === CLOSED) return;
      try {
        if (code !== undefined) {
          socket.close(code, reason);
          return;
        }
      } catch {
        // WHATWG-shaped servers (Deno's) let an application say no code below 3000 but 1000.
      }
      socket.close();
    },
    terminate() {
      (socket as { terminate?: () => void }).terminate?.();
    },
    ws: undefined,
  };
}

function messageOf(data: unknown): string | Uint8Array {
  if (typeof data === 'string') return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data as ArrayBuffer);
}
