/**
 * Memory for copies of short messages that wait to be sealed: many share one piece, each in bytes of its own that are never used
 * again. A piece of its own for each costs several times what the copy does, and calls the collector. No frame ever stands here.
 */
import { copyOf } from './bytes.ts';

/** What is longer gets memory of its own, so that a message that waits keeps little else alive. */
const LARGEST_SHARED = 2_048;
const SLAB_BYTES = 8_192;

let slab = new Uint8Array(0);
let used = 0;

export function copyShort(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length > LARGEST_SHARED) return copyOf(bytes);
  if (used + length > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const copy = slab.subarray(used, used + length);
  used += length;
  copy.set(bytes);
  return copy;
}
