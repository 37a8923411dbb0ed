/** A socket of the standard's shape underneath: browsers, Node's own, Deno, workerd, faye-websocket, msw. */
import { ON_NODE } from '#on-node';
import { platform } from '#platform';
import { SerialQueue } from '../base/maybe-promise.ts';
import { ABNORMAL_CLOSURE, CLOSED, OPEN } from '../base/rfc6455.ts';
import { blobBytes, isArrayBuffer } from '../base/brands.ts';
import type { Transport, TransportHost } from './transport.ts';
import { setTimeout } from '../base/captured.ts';

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
  /** Beyond the standard. */
  terminate?(): void;
  on?: unknown;
}

/** `#attach` where there is no npm `ws`. */
export function attachTransport(socket: object, host: TransportHost): Transport {
  return attach(socket as WhatwgSocket, host);
}

function attach(socket: WhatwgSocket, host: TransportHost): Transport {
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
      const message = messageOf(data);
      if (message === undefined) {
        return blobBytes(data as Blob).then((bytes) => {
          host.transportMessage(bytes);
        });
      }
      host.transportMessage(message);
      return undefined;
    });
  });
  const closed = (code: number, reason = '', wasClean = code !== ABNORMAL_CLOSURE): void => {
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
        if (!isClosed) closed(ABNORMAL_CLOSURE);
      });
    }
  });
  socket.addEventListener('close', ({ code, reason, wasClean }: Partial<CloseEvent> & { code: number }) => {
    closed(code, reason, wasClean);
  });
  return new WhatwgTransport(socket, () => isClosed);
}

class WhatwgTransport implements Transport {
  readonly #socket: WhatwgSocket;
  readonly #isClosed: () => boolean;

  constructor(socket: WhatwgSocket, isClosed: () => boolean) {
    this.#socket = socket;
    this.#isClosed = isClosed;
  }

  get protocol(): string {
    return this.#socket.protocol ?? '';
  }

  get extensions(): string {
    return this.#socket.extensions ?? '';
  }

  get isOpen(): boolean {
    return this.#socket.readyState === OPEN;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount ?? 0;
  }

  send(message: string | Uint8Array, done?: (error?: Error) => void): void {
    // Node's streams in the standard's shape (faye-websocket) take a Buffer for bytes, and nothing else.
    const isStream = ON_NODE && typeof this.#socket.on === 'function';
    this.#socket.send(isStream && typeof message !== 'string' ? platform.toBuffer(message) : message);
    done?.();
  }

  close(code?: number, reason?: string): void {
    if (this.#isClosed() || this.#socket.readyState === CLOSED) return;
    try {
      if (code !== undefined) {
        this.#socket.close(code, reason);
        return;
      }
    } catch {
      // WHATWG-shaped servers (Deno's) let an application say no code below 3000 but 1000.
    }
    this.#socket.close();
  }

  terminate(): void {
    if (this.#socket.terminate === undefined) this.close();
    else this.#socket.terminate();
  }
}

/** Undefined for a Blob. */
function messageOf(data: unknown): string | Uint8Array | undefined {
  if (typeof data === 'string') return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return isArrayBuffer(data) ? new Uint8Array(data) : undefined;
}
