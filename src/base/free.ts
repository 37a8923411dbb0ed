/** Gives large buffers back at once. Left to the collector, they make it run often, which costs more than the cipher. */

/** Below this the collector is cheaper. */
const WORTH_FREEING_BYTES = 8_192;

type Transferable = ArrayBufferLike & { transfer?: (length: number) => ArrayBuffer };

/** Whether `free` gives back what the bytes stand in: so many, and nothing else in their memory. Node 20 has no way to. */
export function isFreeable({ buffer, byteLength }: Uint8Array): boolean {
  const isWorthIt = byteLength >= WORTH_FREEING_BYTES && buffer.byteLength === byteLength;
  return isWorthIt && (buffer as Transferable).transfer !== undefined;
}

/** Gives back the memory of bytes that are no longer needed, where nothing else shares it: the view is empty then. */
export function free(bytes: Uint8Array): void {
  if (isFreeable(bytes)) (bytes.buffer as Transferable).transfer?.(0);
}
