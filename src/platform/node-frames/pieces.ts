/**
 * Memory of pieces that the network has brought and npm `ws` has joined to a message, given back when the message is there. V8 counts such
 * memory, and marks the application's whole heap whenever some sixteen megabytes of it have come: with a heap of a hundred megabytes, that
 * takes longer than all the rest of a large message. What is given back does not count.
 */
import type { Socket } from 'node:net';
import { free, isFreeable } from '../../base/free.ts';
import { isNetwork } from './network.ts';
import { keepsNothing, listenWithin, readsAlone } from './read.ts';

/** What is looked at of npm `ws`, and inside it. */
interface Ws {
  readonly _socket?: object | null;
  /** How much of what it has been given it has not read yet, in bytes. */
  readonly _receiver?: { readonly _bufferedBytes?: unknown } | null;
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  listeners(event: string): readonly unknown[];
}

/** Frames whose content is shown too. A close is the last that is read, and nothing is given back behind it. */
const CONTROL = ['ping', 'pong'];

/** Is to be told of each message while `ws` delivers it. */
export type Deliveries = (message: unknown) => void;

/**
 * From now on, until anybody else listens to the network.
 * @param message what `ws` delivers at present: where it was not joined, what follows most likely is not either
 * @returns is to be told of `message` too; undefined where nothing will be given back
 */
export function giveBackJoined(ws: object, message: unknown): Deliveries | undefined {
  if (!(message instanceof Uint8Array && isFreeable(message))) return undefined;
  const { _socket: network, _receiver: receiver } = ws as Ws;
  if (!isNetwork(network) || typeof receiver?._bufferedBytes !== 'number') return undefined;
  if (!readsAlone(ws) || network.listenerCount('readable') > 0) return undefined;
  const pieces = new Pieces(ws as Ws, network);
  return (delivered) => {
    pieces.delivered(delivered);
  };
}

/**
 * `ws` works each piece off before the network brings the next, and shows a frame while its last piece is worked off: what it shows stands
 * in that piece or in memory of its own. When it delivers a message, it has read all pieces before to their ends.
 */
class Pieces {
  /** They came before `#current`, and nobody but `ws` has a view of them. */
  #behind: ArrayBufferLike[] = [];
  /** What `ws` is working off, until somebody else has a view of it. */
  #current: ArrayBufferLike | undefined;
  /** It is made while a message is delivered. */
  #isAtWork = true;

  constructor(
    private readonly ws: Ws,
    private readonly network: Socket,
  ) {
    listenWithin(network, this.#begin, true);
    listenWithin(network, this.#end);
    network.on('newListener', this.#joinedBy);
    for (const event of CONTROL) ws.on(event, this.#shown);
  }

  delivered(message: unknown): void {
    if (!this.#isAtWork || !this.#hearsControl || !(message instanceof Uint8Array)) {
      this.#stop();
      return;
    }
    const behind = this.#behind;
    this.#behind = [];
    // The one fragment of a message that is not empty is delivered as it is, from wherever it stands.
    for (const memory of behind) if (memory !== message.buffer) free(new Uint8Array(memory));
    if (this.#current === message.buffer) this.#shown();
  }

  /** Whoever removes all listeners removes ours too. */
  get #hearsControl(): boolean {
    return CONTROL.every((event) => this.ws.listeners(event).includes(this.#shown));
  }

  readonly #shown = (): void => {
    this.#current = undefined;
  };

  readonly #begin = ({ buffer, byteLength }: Uint8Array): void => {
    this.#isAtWork = true;
    // What others share is not given back, and a network may have been told to give text.
    this.#current = (buffer as ArrayBufferLike | undefined)?.byteLength === byteLength ? buffer : undefined;
  };

  readonly #end = (): void => {
    this.#isAtWork = false;
    // `ws` listens no more once it has failed or been closed.
    if (!readsAlone(this.ws)) this.#stop();
    // Nothing is kept longer than `ws` keeps it.
    else if (this.ws._receiver?._bufferedBytes === 0) this.#behind = [];
    else if (this.#current !== undefined) this.#behind.push(this.#current);
    this.#current = undefined;
  };

  readonly #joinedBy = (event: string | symbol, listener: unknown): void => {
    const isReader = event === 'readable' || (event === 'data' && !keepsNothing(this.network, listener));
    if (isReader) this.#stop();
  };

  #stop(): void {
    this.#behind = [];
    this.#current = undefined;
    this.network.off('data', this.#begin).off('data', this.#end).off('newListener', this.#joinedBy);
    for (const event of CONTROL) this.ws.off(event, this.#shown);
  }
}
