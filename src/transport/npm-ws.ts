/** npm `ws` underneath, from version 6 on: ours, or a socket that another copy of `ws` has accepted. */
import { platform } from '#platform';
import { decoder } from '../base/captured.ts';
import type { Deliveries } from '../platform/node-frames/pieces.ts';
import { ABNORMAL_CLOSURE, OPEN } from '../base/rfc6455.ts';
import { Reading } from './reading.ts';
import type { Transport, TransportHost, WsFeatures } from './transport.ts';

/** The part of npm `ws`'s public surface that is used here. Optional is what its older versions do not have. */
export interface NpmWsSocket {
  readonly url?: string | undefined;
  readonly readyState: number;
  readonly protocol: string;
  readonly extensions: string;
  readonly bufferedAmount: number;
  readonly isPaused?: boolean;
  listenerCount?(event: string): number;
  on(event: string, listener: (...values: never[]) => void): unknown;
  send(data: string | Uint8Array, options: { binary: boolean; compress: false }, done?: (error?: Error) => void): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  ping(data?: unknown, mask?: boolean, done?: (error: Error) => void): void;
  pong(data?: unknown, mask?: boolean, done?: (error: Error) => void): void;
  pause?(): void;
  resume?(): void;
}

/** What is looked at inside `ws`, for what its public surface can't say of a socket that is open. */
interface Internals {
  readonly _receiver?: Partial<Record<LimitName, number>> | null;
  readonly _socket?: { pause(): void; resume(): void } | null;
}

/** Of `ws`'s receiver: bytes of a message, fragments of one, chunks from the network that wait to be a frame. 0 is no limit. */
type LimitName = '_maxPayload' | '_maxFragments' | '_maxBufferedChunks';
type Limits = Readonly<Partial<Record<LimitName, number>>>;

/** Each part of a message costs more than its bytes. A hello comes in one, or in one for each packet on its way. */
const MAX_PARTS = 128;

// A hello with a byte-order mark must be seen as one, and refused.
const decode = /* @__PURE__ */ decoder(false);

export function isNpmWs(socket: object): socket is NpmWsSocket {
  const { on, terminate } = socket as Partial<NpmWsSocket>;
  return typeof on === 'function' && typeof terminate === 'function';
}

export function attachNpmWs(socket: NpmWsSocket, host: TransportHost): Transport {
  // A server's socket is open already and never fires 'open'.
  if (socket.readyState !== OPEN) {
    socket.on('open', () => {
      host.transportOpened();
    });
  }
  const transport = new NpmWsTransport(socket);
  let delivered: Deliveries | undefined;
  /** @param kept whether it was ours alone when it was kept back, for what is told of now */
  const take = (data: WsData, isBinary: boolean | undefined, kept?: boolean): void => {
    // Another listener of the same socket may keep what it is given.
    const isOurs = kept ?? socket.listenerCount?.('message') === 1;
    const { reading } = transport;
    if (kept === undefined) {
      delivered ??= platform.giveBackJoined?.(socket, data);
      delivered?.(data);
      if (reading?.isHolding === true) {
        reading.keepBrought(() => {
          take(data, isBinary, isOurs);
        }, lengthOf(data));
        return;
      }
    }
    const text = textOf(data, isBinary);
    if (text !== undefined) {
      host.transportMessage(text);
      return;
    }
    const bytes = data as Exclude<WsData, string>;
    host.transportMessage(joined(bytes), isOurs && (isAlone(bytes) || platform.readsAlone?.(socket) === true));
  };
  socket.on('message', take);
  socket.on('error', (error: Error) => {
    host.transportFailed(error);
  });
  socket.on('close', (code: number, reason?: Uint8Array | string) => {
    transport.reading?.letGo();
    // Until version 8 the reason was a string.
    const text = typeof reason === 'string' ? reason : decode(reason);
    host.transportClosed(code, text, code !== ABNORMAL_CLOSURE);
  });
  return transport;
}

class NpmWsTransport implements Transport, WsFeatures {
  readonly #socket: NpmWsSocket;
  /** The limits that the socket was made with, while lower ones are set. */
  #ownLimits: Limits | undefined;
  #isHeld = false;
  reading: Reading | undefined;

  constructor(socket: NpmWsSocket) {
    this.#socket = socket;
  }

  get ws(): WsFeatures {
    return this;
  }

  get holdsBack(): boolean {
    return this.reading?.isHolding ?? false;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  get extensions(): string {
    return this.#socket.extensions;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === OPEN;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  get url(): string | undefined {
    return this.#socket.url;
  }

  get isPaused(): boolean {
    return this.reading?.isPaused ?? false;
  }

  send(message: string | Uint8Array, done?: (error?: Error) => void): void {
    if (typeof message !== 'string' && platform.writeFrame?.(this.#socket, message, done) === true) return;
    this.#socket.send(message, { binary: typeof message !== 'string', compress: false }, done);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  joinFrames(): void {
    platform.joinFrames?.(this.#socket);
  }

  terminate(): void {
    this.reading?.drop();
    platform.writeJoined?.(this.#socket);
    this.#socket.terminate();
  }

  limit(bytes: number | undefined): void {
    const receiver = (this.#socket as Internals)._receiver;
    if (!receiver) return;
    if (bytes === undefined) {
      if (this.#ownLimits !== undefined) Object.assign(receiver, this.#ownLimits);
      this.#ownLimits = undefined;
      return;
    }
    this.#ownLimits ??= limitsOf(receiver);
    const { _maxPayload, _maxFragments, _maxBufferedChunks } = this.#ownLimits;
    Object.assign(receiver, {
      _maxPayload: lower(bytes, _maxPayload),
      _maxFragments: lower(MAX_PARTS, _maxFragments),
      _maxBufferedChunks: lower(MAX_PARTS, _maxBufferedChunks),
    });
  }

  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    this.#read();
  }

  onControl(type: 'ping' | 'pong', listener: (data: Uint8Array) => void): void {
    this.#socket.on(type, (data: Uint8Array) => {
      if (this.reading?.isHolding !== true) listener(data);
      else {
        this.reading.keepBrought(() => {
          listener(data);
        }, data.length);
      }
    });
  }

  sendControl(type: 'ping' | 'pong', data?: Uint8Array, done?: (error: Error) => void): void {
    this.#socket[type](data, undefined, done);
  }

  /** As in `ws`, which remembers nothing of a socket that is over. */
  pause(): void {
    if (this.#socket.readyState > 2) return;
    this.reading ??= new Reading(() => {
      this.#read();
    });
    this.reading.pause();
    // Where nothing stops the reading, nothing may wait for its end.
    if (this.#network?.pause === undefined) this.reading.letGo();
  }

  resume(): void {
    if (this.#socket.readyState <= 2) this.reading?.resume();
  }

  /** Before version 8.6 there was no pause(). */
  get #network(): Partial<Record<'pause' | 'resume', () => void>> | null | undefined {
    return this.#socket.pause === undefined ? (this.#socket as Internals)._socket : this.#socket;
  }

  #read(): void {
    if (this.#isHeld || this.isPaused || this.reading?.isHolding === true) this.#network?.pause?.();
    else this.#network?.resume?.();
  }
}

function limitsOf({ _maxPayload = 0, _maxFragments = 0, _maxBufferedChunks = 0 }: Limits): Limits {
  return { _maxPayload, _maxFragments, _maxBufferedChunks };
}

function lower(limit: number, own: number | undefined): number {
  return own === undefined || own === 0 ? limit : Math.min(limit, own);
}

/** Whether nothing else stands in the memory. */
function isAlone(data: Exclude<WsData, string>): boolean {
  return ArrayBuffer.isView(data) && data.byteLength === data.buffer.byteLength;
}

/** What `ws` delivers depends on its version, and on its binaryType, which is not always ours to set. */
type WsData = string | Uint8Array | ArrayBuffer | Uint8Array[];

/** Since version 8 the second argument tells text from bytes; before it the type did. */
function textOf(data: WsData, isBinary: boolean | undefined): string | undefined {
  if (typeof data === 'string') return data;
  return isBinary === false ? decode(joined(data)) : undefined;
}

function lengthOf(data: WsData): number {
  if (Array.isArray(data)) return data.reduce((length, part) => length + part.length, 0);
  return typeof data === 'string' ? data.length : data.byteLength;
}

function joined(data: Exclude<WsData, string>): Uint8Array {
  if (ArrayBuffer.isView(data)) return data;
  if (!Array.isArray(data)) return new Uint8Array(data);
  const bytes = new Uint8Array(lengthOf(data));
  let at = 0;
  for (const part of data) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
