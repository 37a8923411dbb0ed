/**
 * Memory for frames, where the platform writes them to the network itself: with room in front for the transport's header, so that
 * a frame leaves as one piece, and used again once the network has taken it: fresh memory costs more than the
 * cipher does, and so much of it at once calls the collector. What stands in it is
 * ciphertext, of any connection, and never unsealed content, so that a view kept by mistake can never send any.
 */

import { free } from '../../base/free.ts';

/** Free bytes in front of every frame: RFC 6455 5.2 needs 14 at most. A multiple of a word, so that frames can be masked by words. */
const HEADROOM_BYTES = 16;

/** Below this the engine's own allocator is as good. */
const SMALLEST_POOLED = 8_192;
/** How much is kept for later, in all: enough for a few batches on their way. */
const MOST_KEPT_BYTES = 2 * 1024 * 1024;
/** Sizes in steps of this many bytes, so that batches of about the same length fit in the same buffers. */
const STEP_BYTES = 4_096;

/** Up to this a frame shares its memory with others, each in bytes of its own that are never used again. */
const LARGEST_SHARED = 4_096;
/** One short frame that a slow peer does not take keeps so much memory alive: as much as the header of plain `ws` does. */
const SLAB_BYTES = 8_192;

const kept: Uint8Array[] = [];
let keptBytes = 0;
/** The memory of frames that are out, so that nothing else is ever taken for one. */
const taken = new WeakSet<ArrayBufferLike>();

let slab = new Uint8Array(0);
let slabUsed = 0;

/** @returns `length` bytes that only the caller has a view of. What they are is left open: the caller writes them all. */
export function takeFrame(length: number): Uint8Array {
  const bytes = HEADROOM_BYTES + length;
  if (bytes <= LARGEST_SHARED) return share(bytes);
  const buffer = length < SMALLEST_POOLED ? new Uint8Array(bytes) : takePooled(bytes);
  taken.add(buffer.buffer);
  return buffer.subarray(HEADROOM_BYTES, bytes);
}

function share(bytes: number): Uint8Array {
  if (slabUsed + bytes > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
    taken.add(slab.buffer);
  }
  const frame = slab.subarray(slabUsed + HEADROOM_BYTES, slabUsed + bytes);
  slabUsed = Math.ceil((slabUsed + bytes) / HEADROOM_BYTES) * HEADROOM_BYTES;
  return frame;
}

function takePooled(bytes: number): Uint8Array {
  // A much larger buffer is worth more to a larger frame.
  const index = kept.findIndex((buffer) => buffer.length >= bytes && buffer.length <= 2 * bytes);
  if (index < 0) return new Uint8Array(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
  const [buffer] = kept.splice(index, 1) as [Uint8Array];
  keptBytes -= buffer.length;
  return buffer;
}

/** Whether it was taken from here and not given back, so that the bytes in front of it are its own. */
export function hasHeadroom(frame: Uint8Array): boolean {
  return taken.has(frame.buffer);
}

/** Whether its memory is used again when it is given back. */
export function isPooled(frame: Uint8Array): boolean {
  return frame.length >= SMALLEST_POOLED && hasHeadroom(frame);
}

/** @param frame sealed, and no longer needed. Anything but a pooled frame that is out is ignored. */
export function giveFrameBack(frame: Uint8Array): void {
  if (!isPooled(frame)) return;
  taken.delete(frame.buffer);
  const memory = new Uint8Array(frame.buffer);
  if (keptBytes + memory.length > MOST_KEPT_BYTES) {
    free(memory);
    return;
  }
  kept.push(memory);
  keptBytes += memory.length;
}
