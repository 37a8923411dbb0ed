/**
 * The platform's own WebSocketStream underneath, as a socket of the standard's shape that can stop reading: what a browser's
 * WebSocket has no way to.
 */
import { Promise } from '../base/captured.ts';
import { ABNORMAL_CLOSURE, CLOSED, CLOSING, CONNECTING, NO_STATUS, OPEN } from '../base/rfc6455.ts';
import { DispatchedSocket } from './dispatched.ts';

/** How a socket underneath is made to wait. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Resolves when everything that was given to send() has left. */
  drained(): Promise<void>;
  /** Whether the platform's class gives bytes as ArrayBuffer, as Chromium's does, and not as Uint8Array. */
  readonly givesBuffers: boolean;
}

interface NativeStream {
  readonly opened: Promise<{
    readonly readable: ReadableStream<string | ArrayBuffer | Uint8Array>;
    readonly writable: WritableStream<string | Uint8Array>;
    readonly protocol: string;
    readonly extensions: string;
  }>;
  readonly closed: Promise<{ readonly closeCode?: number; readonly reason?: string }>;
  close(info: { closeCode?: number; reason?: string }): void;
}

export type NativeStreamClass = new (url: string, options: { protocols?: string[] }) => NativeStream;

export class StreamSocket extends DispatchedSocket implements Flow {
  override protocol = '';
  override extensions = '';
  readyState: number = CONNECTING;
  bufferedAmount = 0;
  givesBuffers = false;
  readonly #stream: NativeStream;
  #writer: WritableStreamDefaultWriter<string | Uint8Array> | undefined;
  #lastWrite: Promise<void> = Promise.resolve();
  #gate: Promise<void> | undefined;
  #open: (() => void) | undefined;

  constructor(Native: NativeStreamClass, url: string, protocols: string[] | undefined) {
    super();
    this.#stream = new Native(url, protocols === undefined ? {} : { protocols });
    this.#stream.opened.then(
      ({ readable, writable, protocol, extensions }) => {
        this.protocol = protocol;
        this.extensions = extensions;
        this.#writer = writable.getWriter();
        // The stream's own `closed` reports its end.
        this.#writer.closed.catch(() => undefined);
        this.readyState = OPEN;
        this.dispatch('open', {});
        void this.#read(readable);
      },
      () => undefined,
    );
    this.#stream.closed.then(
      ({ closeCode, reason }) => {
        this.#closed(closeCode, reason, true);
      },
      (error: { closeCode?: number | null; reason?: string } | undefined) => {
        this.#closed(error?.closeCode ?? ABNORMAL_CLOSURE, error?.reason, false, error);
      },
    );
  }

  send(message: string | Uint8Array): void {
    const bytes = message.length;
    this.bufferedAmount += bytes;
    const sent = (): void => {
      this.bufferedAmount -= bytes;
    };
    this.#lastWrite = (this.#writer?.write(message) ?? Promise.resolve()).then(sent, () => undefined);
  }

  drained(): Promise<void> {
    return this.#lastWrite;
  }

  close(closeCode?: number, reason?: string): void {
    if (this.readyState >= CLOSING) return;
    this.readyState = CLOSING;
    this.#stream.close({ ...(closeCode !== undefined && { closeCode }), ...(reason && { reason }) });
    this.resume();
  }

  terminate(): void {
    this.close();
  }

  pause(): void {
    this.#gate ??= new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  resume(): void {
    this.#open?.();
    this.#gate = undefined;
  }

  async #read(readable: ReadableStream<string | ArrayBuffer | Uint8Array>): Promise<void> {
    const reader = readable.getReader();
    try {
      for (;;) {
        await this.#gate;
        const { done, value } = await reader.read();
        if (done) return;
        this.givesBuffers = value instanceof ArrayBuffer;
        this.dispatch('message', { data: value });
      }
    } catch {
      // `closed` says why.
    }
  }

  #closed(code = NO_STATUS, reason = '', wasClean: boolean, error?: unknown): void {
    this.readyState = CLOSED;
    if (!wasClean) this.dispatch('error', { error });
    this.dispatch('close', { code, reason, wasClean });
  }
}
