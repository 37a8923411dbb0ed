/** A client that is in before its upstream is: what it says meanwhile is kept, and it is not read further. */
import type { Duplex } from 'node:stream';
import { holdCloseAnswer } from 'pq-websocket/proxy';
import type { WsStyleWebSocket } from 'pq-websocket/ws';
import { cut } from './bridge.ts';
import type { EarlyWords } from './bridge.ts';
import { untilLeftBeside } from './leaving.ts';

export class EarlyClient {
  readonly #messages: { readonly data: Buffer; readonly isBinary: boolean }[] = [];
  #close: EarlyWords['close'];
  readonly #stopWatching: () => void;
  readonly #said = (data: Buffer, isBinary: boolean): void => {
    this.#messages.push({ data, isBinary });
  };

  constructor(
    readonly socket: WsStyleWebSocket,
    private readonly network: Duplex,
  ) {
    socket.on('error', ignore);
    socket.on('message', this.#said);
    holdCloseAnswer(socket, (code, reason, answer) => {
      this.#close = { code, reason, answer };
    });
    // What has been opened before is all that comes: of the rest not even the seal is looked at.
    socket.pause();
    this.#stopWatching = untilLeftBeside(network);
  }

  get isGone(): boolean {
    return this.network.destroyed || this.socket.readyState === this.socket.CLOSED;
  }

  /** For the bridge, which listens from now on. */
  release(): EarlyWords {
    this.#stopWatching();
    this.socket.off('error', ignore);
    this.socket.off('message', this.#said);
    return { messages: this.#messages, close: this.#close };
  }

  /** There is no upstream for it. One that has closed already is cut: an answer would say that its words had arrived. */
  refuse(code: number, reason: string): void {
    this.#stopWatching();
    if (this.#close !== undefined) cut(this.network, this.socket);
    else {
      this.socket.resume();
      this.socket.close(code, reason);
    }
  }
}

function ignore(): void {
  // 'close' tells of it again.
}
