/**
 * Memory for copies of short messages that wait to be sealed: many share one piece, each in bytes of its own that are never used
 * again. A piece of its own for each costs several times what the copy does, and calls the collector. No frame ever stands here.
 */
import { Buffer } from 'node:buffer';
import { copyOf } from './bytes.ts';

/** What is longer gets memory of its own, so that a message that waits keeps little else alive. */
const LARGEST_SHARED = 2_048;
const SLAB_BYTES = 8_192;
/** What the caller's memory may have, all around the message, to be remembered: as much as Node reads from the network at once. */
const MOST_REMEMBERED = 65_536;

let slab = new Uint8Array(0);
let used = 0;

/** What was copied last, and the copy: who sends one message to many gives the same object again and again. */
let lastGiven: Uint8Array | undefined;
let lastCopy = slab;

/** @returns a copy that nobody may change: others may have been given the same */
export function copyShort(bytes: Uint8Array): Uint8Array {
  // Only what was the caller's own object before is compared: how long that takes must not tell of another's message.
  if (bytes === lastGiven && Buffer.compare(bytes, lastCopy) === 0) return lastCopy;
  const { length } = bytes;
  if (length > LARGEST_SHARED) return copyOf(bytes);
  if (used + length > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const copy = slab.subarray(used, used + length);
  used += length;
  copy.set(bytes);
  lastGiven = bytes.buffer.byteLength <= MOST_REMEMBERED ? bytes : undefined;
  lastCopy = copy;
  return copy;
}
