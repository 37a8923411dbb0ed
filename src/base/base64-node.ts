/** RFC 4648 section 4 by Node's Buffer, which takes a fifth of the time of `atob` and `btoa`. */

// Taken now. The global: this room imports nothing of Node.
const { Buffer } = globalThis;

/** Padded. */
export function toBase64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** Strict: padded and canonical. Node is lax, so what comes out is encoded again and compared. */
export function fromBase64(text: string): Uint8Array | undefined {
  // In memory of its own, as long as what canonical text stands for: short Buffers share theirs.
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array(Math.max(0, Math.floor((text.length * 3) / 4) - padding));
  const view = Buffer.from(bytes.buffer);
  view.write(text, 'base64');
  return view.toString('base64') === text ? bytes : undefined;
}
