/**
 * The data of this end's pings. Control frames are not sealed, so it stays here, and comes back with the pong that
 * answers: who tells their own pings by their data, or measures by it, finds it as in `ws`. The peer never sees it.
 */
import { MAX_CONTROL_BYTES } from '../../base/rfc6455.ts';
import { utf8 } from '../../base/bytes.ts';
import { described } from '../../options/channel.ts';

/** A peer that answers no ping must not make this end remember them all; `ws` itself gives up at 60 unanswered ones. */
const MAX_WAITING = 60;

/**
 * What is kept of the data that ping() or pong() was given.
 * @throws {TypeError} for what is neither text, a number nor bytes, and for data of a pong that is this end's own, which could only leave unsealed
 * @throws {RangeError} for more than 125 bytes
 */
export function controlData(name: 'ping' | 'pong', given: unknown): Uint8Array {
  const isEmpty = given === undefined || given === null || (given as { length?: number }).length === 0;
  if (name === 'pong' && !isEmpty)
    throw new TypeError('pong: data is not supported, since control frames are not sealed');
  const bytes = bytesOf(typeof given === 'number' ? String(given) : (given ?? ''));
  if (bytes.length > MAX_CONTROL_BYTES)
    throw new RangeError(`The data size must not be greater than ${MAX_CONTROL_BYTES} bytes`);
  return bytes;
}

function bytesOf(data: unknown): Uint8Array {
  if (typeof data === 'string') return utf8(data);
  if (data instanceof ArrayBuffer) return new Uint8Array(data).slice();
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  throw new TypeError(`ping: the data must be a string, a number or bytes, got ${described(data)}`);
}

/** The pings that have no answer yet, the oldest first. */
export class UnansweredPings {
  readonly #waiting: Uint8Array[] = [];

  sent(data: Uint8Array): void {
    this.#waiting.push(data);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
  }

  /** @param seen what the pong has brought: nothing, from a peer of ours */
  answered(seen: Uint8Array): Uint8Array {
    const data = this.#waiting.shift();
    return seen.length > 0 ? seen : (data ?? seen);
  }
}
