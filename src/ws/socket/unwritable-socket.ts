/**
 * What libraries find where npm `ws` keeps its network socket: the facts and the life of that socket, and no way
 * to write to it, since what is written there is not sealed.
 */
import { EventEmitter } from '#emitter';

/** The part of net.Socket that is passed on. */
export interface NetworkSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly remoteFamily?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly writableFinished?: boolean | undefined;
  readonly destroyed?: boolean | undefined;
  on(event: string, listener: () => void): unknown;
  ref?(): unknown;
  unref?(): unknown;
}

/** A network socket without its writing half. */
export class UnwritableSocket extends EventEmitter {
  readonly #socket: NetworkSocket;
  /** `ws`'s stream adapter asks whether everything has been written. */
  readonly _writableState = { finished: false };

  constructor(socket: NetworkSocket) {
    super();
    this.#socket = socket;
    this._writableState.finished = socket.writableFinished === true || socket.destroyed === true;
    socket.on('drain', () => this.emit('drain'));
    socket.on('finish', () => {
      this.finish();
    });
    socket.on('close', () => {
      this.finish();
      this.emit('close');
    });
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.#socket.remoteFamily;
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  ref(): this {
    this.#socket.ref?.();
    return this;
  }

  unref(): this {
    this.#socket.unref?.();
    return this;
  }

  /** @throws {Error} always */
  write(): never {
    throw new Error('what is written to the network socket is not sealed: use send()');
  }

  /** @throws {Error} always */
  end(): never {
    throw new Error('what is written to the network socket is not sealed: use close() or terminate()');
  }

  private finish(): void {
    if (this._writableState.finished) return;
    this._writableState.finished = true;
    this.emit('finish');
  }
}
