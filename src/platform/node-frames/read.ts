/**
 * Frames of npm `ws`, opened where they stand. What `ws` delivers is a view of what came from the network in one piece, which it has
 * unmasked in place already, or memory of its own that it has joined several pieces in.
 */
import type { Socket } from 'node:net';
import { free } from '../../base/free.ts';
import { isNetwork } from './network.ts';

/** What is looked at inside npm `ws`. */
interface WsInternals {
  readonly _socket?: object | null;
}

/** Of the public surface of npm `ws`. */
interface Emitter {
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  listeners(event: string): readonly unknown[];
}

/** Networks that we listen to ourselves, twice. */
const heard = new WeakSet<Socket>();

function isHeardByWsAlone(network: Socket): boolean {
  return network.listenerCount('data') === (heard.has(network) ? 3 : 1);
}

/**
 * Whether nobody but `ws` hears what comes from the network underneath, and there is no stream between that may have kept what it handed
 * on.
 */
export function readsAlone(ws: object): boolean {
  const { _socket: network } = ws as WsInternals;
  return isNetwork(network) && isHeardByWsAlone(network);
}

/**
 * From now on memory of pieces that `ws` has joined to a message is given back when the message is there. Left to the collector, it makes
 * that run so often that it takes longer than the cipher, and what the network brings next stands in memory that has left the processor's
 * caches.
 * @returns to be told of each message that `ws` delivers, when it does
 */
export function giveBackJoined(ws: object): ((data: unknown) => void) | undefined {
  const { _socket: network } = ws as WsInternals;
  if (!isNetwork(network) || !readsAlone(ws)) return undefined;
  const pieces = new Pieces(network, ws as Emitter);
  return (data) => {
    pieces.delivered(data);
  };
}

/** Control frames, whose content is a view too. */
const CONTROL = ['ping', 'pong'];
/** Of a message of more pieces those before are left to the collector. */
const MOST_PIECES = 256;

/**
 * Pieces of which nobody has been given anything. `ws` works each off before the network brings the next, and a message is delivered while
 * its last piece is: those before it have been read to their ends then. Where `ws` delivers later, nothing is given back.
 */
class Pieces {
  /** Of the message under way, with that in which the last one ended. Weakly: nothing lives longer than `ws` has it. */
  #memory: WeakRef<ArrayBufferLike>[] = [];
  /** That `ws` is working off, while nobody has been given anything of it. */
  #current: Buffer | undefined;
  /** It is made while a message is delivered. */
  #isAtWork = true;

  constructor(
    private readonly network: Socket,
    private readonly ws: Emitter,
  ) {
    heard.add(network);
    network.prependListener('data', this.#begin);
    network.on('data', this.#end);
    for (const event of CONTROL) ws.on(event, this.#shown);
  }

  delivered(data: unknown): void {
    // It has stopped.
    if (!heard.has(this.network)) return;
    const memory = this.#memory.map((piece) => piece.deref());
    if (!this.#isAtWork || !(data instanceof Uint8Array) || !this.#isJoined(data, memory)) {
      this.#shown();
      return;
    }
    for (const piece of memory) if (piece !== undefined) free(new Uint8Array(piece));
    this.#memory = [];
  }

  readonly #begin = (piece: Buffer): void => {
    this.#current = piece;
    this.#isAtWork = true;
  };

  readonly #end = (): void => {
    const piece = this.#current;
    this.#current = undefined;
    this.#isAtWork = false;
    // `ws` reads no more once it has failed or been closed.
    if (!isHeardByWsAlone(this.network)) this.#stop();
    else if (piece !== undefined && piece.length === piece.buffer.byteLength) {
      if (this.#memory.length >= MOST_PIECES) this.#memory = [];
      this.#memory.push(new WeakRef(piece.buffer));
    }
  };

  /** Somebody has been given a view, of a piece that we may have. */
  readonly #shown = (): void => {
    this.#memory = [];
    this.#current = undefined;
    if (!this.#isAtWork) this.#stop();
  };

  /** Whether a message stands in memory of its own, and we would have heard of whatever else has been shown. */
  #isJoined({ buffer, byteLength }: Uint8Array, memory: readonly (ArrayBufferLike | undefined)[]): boolean {
    return (
      byteLength === buffer.byteLength &&
      this.#current?.buffer !== buffer &&
      !memory.includes(buffer) &&
      isHeardByWsAlone(this.network) &&
      CONTROL.every((event) => this.ws.listeners(event).includes(this.#shown))
    );
  }

  #stop(): void {
    this.#memory = [];
    this.network.off('data', this.#begin).off('data', this.#end);
    heard.delete(this.network);
    for (const event of CONTROL) this.ws.off(event, this.#shown);
  }
}
