/** Gives large buffers back at once. Left to the collector, they make it run often, which costs more than the cipher. */

/** Below this the collector is cheaper. */
const WORTH_FREEING_BYTES = 8_192;

/**
 * Gives back the memory of bytes that are no longer needed, where nothing else shares it: the view is empty then. Node 20 has
 * no way to.
 */
export function free({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < WORTH_FREEING_BYTES || buffer.byteLength !== byteLength) return;
  (buffer as ArrayBuffer & { transfer?: (length: number) => ArrayBuffer }).transfer?.(0);
}
