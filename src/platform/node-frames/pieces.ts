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
  on(event: string, listener: (event: string | symbol) => void): unknown;
  off(event: string, listener: (event: string | symbol) => void): unknown;
}

/** What is shown of what `ws` has read. A close is the last that is read, and nothing is given back behind it. */
const SHOWN = new Set<string | symbol>(['message', 'ping', 'pong']);

/** Is to be told of each message while `ws` delivers it. */
export type Deliveries = (message: unknown) => void;

/** Of networks for which it was tried, once for all. */
const known = new WeakSet<Socket>();

/**
 * From now on, until anybody else listens to the network, or anybody stops listening to what `ws` shows.
 * @param message what `ws` delivers at present: where it was not joined, what follows most likely is not either
 * @returns is to be told of `message` too; undefined where nothing will be given back
 */
export function giveBackJoined(ws: object, message: unknown): Deliveries | undefined {
  if (!(message instanceof Uint8Array && isFreeable(message))) return undefined;
  const { _socket: network, _receiver: receiver } = ws as Ws;
  if (!isNetwork(network) || known.has(network) || typeof receiver?._bufferedBytes !== 'number') return undefined;
  if (!readsAlone(ws) || network.listenerCount('readable') > 0) return undefined;
  known.add(network);
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
  /** `begun`: it is made while a piece is worked off. */
  #state: 'begun' | 'at work' | 'between pieces' | 'over' = 'begun';
  /** They came before `#current`, `ws` has not read them to their ends, and nobody else has a view of them. */
  readonly #behind: Uint8Array[] = [];
  #behindBytes = 0;
  /** What `ws` is working off, until somebody else has a view of it; undefined where it would not be given back. */
  #current: Uint8Array | undefined;

  constructor(
    private readonly ws: Ws,
    private readonly network: Socket,
  ) {
    listenWithin(network, this.#begin, true);
    listenWithin(network, this.#end);
    network.on('newListener', this.#networkHeard);
    ws.on('ping', this.#shown);
    ws.on('pong', this.#shown);
    ws.on('removeListener', this.#leftBy);
  }

  delivered(message: unknown): void {
    if (this.#state === 'over') return;
    // Where `ws` delivers later, what it has read is not known.
    if (this.#state === 'between pieces' || !(message instanceof Uint8Array)) {
      this.#stop();
      return;
    }
    // The one fragment of a message that is not empty is delivered as it is, from wherever it stands.
    for (const piece of this.#behind.splice(0)) if (piece.buffer !== message.buffer) free(piece);
    this.#behindBytes = 0;
    if (this.#current?.buffer === message.buffer) this.#shown();
  }

  readonly #shown = (): void => {
    this.#current = undefined;
  };

  readonly #begin = (piece: Uint8Array): void => {
    // Somebody has it brought while another is worked off: what `ws` has read is not known.
    if (this.#state === 'at work') {
      this.#stop();
      return;
    }
    this.#state = 'at work';
    // A network may have been told to give text.
    this.#current = piece instanceof Uint8Array && isFreeable(piece) ? piece : undefined;
  };

  readonly #end = (): void => {
    const unread = this.ws._receiver?._bufferedBytes;
    // `ws` listens no more once it has failed or been closed.
    if (!readsAlone(this.ws) || typeof unread !== 'number') {
      this.#stop();
      return;
    }
    this.#state = 'between pieces';
    if (this.#current !== undefined) {
      this.#behind.push(this.#current);
      this.#behindBytes += this.#current.byteLength;
      this.#current = undefined;
    }
    this.#forgetRead(unread);
  };

  /** Nothing is kept longer than `ws` keeps it: fragments that it has read may be many, and the message far away. */
  #forgetRead(unread: number): void {
    for (;;) {
      const first = this.#behind[0]?.byteLength;
      if (first === undefined || this.#behindBytes - first < unread) return;
      this.#behind.shift();
      this.#behindBytes -= first;
    }
  }

  readonly #networkHeard = (event: string | symbol, listener: unknown): void => {
    const isReader = event === 'readable' || (event === 'data' && !keepsNothing(this.network, listener));
    if (isReader) this.#stop();
  };

  /** It may have been us, and come back later: then others have been shown what we have not heard of. */
  readonly #leftBy = (event: string | symbol): void => {
    if (SHOWN.has(event)) this.#stop();
  };

  #stop(): void {
    this.#state = 'over';
    this.#behind.length = 0;
    this.#current = undefined;
    this.network.off('data', this.#begin).off('data', this.#end).off('newListener', this.#networkHeard);
    this.ws.off('removeListener', this.#leftBy);
    this.ws.off('ping', this.#shown);
    this.ws.off('pong', this.#shown);
  }
}
