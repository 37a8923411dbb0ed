/** Memory given back at once. The collector that is told of so much of it runs often, and takes longer than the cipher. */

/** Below this the collector is cheaper. */
const WORTH_FREEING_BYTES = 8_192;

/**
 * Gives back the memory of bytes that nobody looks at any more, where nothing else stands in it: the view is empty then. Node 20 has
 * no way to.
 */
export function free({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < WORTH_FREEING_BYTES || buffer.byteLength !== byteLength) return;
  (buffer as ArrayBuffer & { transfer?: (length: number) => ArrayBuffer }).transfer?.(0);
}
