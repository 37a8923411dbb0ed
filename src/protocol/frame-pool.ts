/**
 * Buffers of large frames, used again once the network has taken what was in them: fresh memory costs more than the
 * cipher does, and so much of it at once calls the collector. What stands in them is
 * ciphertext, of any connection, and never a content that is not sealed: whoever held on to one would send that.
 */

/** Below this the engine's own allocator is as good. */
const SMALLEST_BYTES = 8_192;
/** How much is kept for later, in all: enough for a few batches on their way. */
const MOST_KEPT_BYTES = 2 * 1024 * 1024;
/** Sizes in steps of this many bytes, so that batches of about the same length fit in the same buffers. */
const STEP_BYTES = 4_096;

const kept: Uint8Array[] = [];
let keptBytes = 0;
/** The memory of frames that are out, so that nothing else is ever taken for one. */
const taken = new WeakSet<ArrayBufferLike>();

/** @returns `length` bytes that only the caller has a view of. What they are is left open: the caller writes them all. */
export function takeFrame(length: number): Uint8Array {
  if (length < SMALLEST_BYTES) return new Uint8Array(length);
  // A much larger buffer is worth more to a larger frame.
  const index = kept.findIndex((buffer) => buffer.length >= length && buffer.length <= 2 * length);
  const [buffer] = index < 0 ? [new Uint8Array(Math.ceil(length / STEP_BYTES) * STEP_BYTES)] : kept.splice(index, 1);
  if (index >= 0) keptBytes -= (buffer as Uint8Array).length;
  taken.add((buffer as Uint8Array).buffer);
  return (buffer as Uint8Array).subarray(0, length);
}

/** Whether it was taken from here and not given back. */
export function isPooled(frame: Uint8Array): boolean {
  return frame.length >= SMALLEST_BYTES && taken.has(frame.buffer);
}

/** @param frame sealed, and looked at by nobody any more. Anything but a frame that is out is ignored. */
export function giveFrameBack(frame: Uint8Array): void {
  if (!taken.delete(frame.buffer) || keptBytes + frame.buffer.byteLength > MOST_KEPT_BYTES) return;
  kept.push(new Uint8Array(frame.buffer));
  keptBytes += frame.buffer.byteLength;
}
