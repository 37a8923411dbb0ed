/**
 * Random bytes for nonces, drawn from the CSPRNG many at a time: on Node one call costs as much as sealing a short
 * message, for 12 bytes as for thousands. Each byte is given once and wiped. A pool belongs to one context (each
 * worker, realm and process loads a module of its own, so has its own), and is never a source of keys.
 */
import type { RandomSource } from './backend.ts';

/** Enough for 170 nonces, and small enough to be drawn in the time that two of them would take. */
const POOL_BYTES = 2048;
/** Longer requests are for keys, and go to the CSPRNG itself. */
const LARGEST_POOLED = 16;

/**
 * @param fill the CSPRNG
 * @param mayPool asked before bytes are drawn ahead: false where memory is about to be copied into other processes
 */
export function pooled(fill: RandomSource, mayPool: () => boolean): RandomSource {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return (target) => {
    const { length } = target;
    if (length > LARGEST_POOLED || (used + length > POOL_BYTES && !mayPool())) return fill(target);
    if (used + length > POOL_BYTES) {
      fill(pool);
      used = 0;
    }
    // Byte by byte: for so few, views and fill() cost more.
    for (let i = 0; i < length; i += 1) {
      target[i] = pool[used + i] as number;
      pool[used + i] = 0;
    }
    used += length;
    return target;
  };
}
