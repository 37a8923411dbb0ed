/** Byte helpers of the wire format. All integers on the wire are big-endian. */
import { decoder, encode } from './captured.ts';

// fatal: RFC 3629, no replacement characters.
const decode = /* @__PURE__ */ decoder(true);

export { encode as utf8 };
export { fromBase64, toBase64 } from '#base64';

/** Of ASCII. For what is made while modules load: jsdom has no TextEncoder until a test's set-up brings one. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The text, or undefined where the bytes are not valid UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

/** In memory of its own: the `slice` of a Buffer is a view of the same bytes. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/**
 * Memory for what is to be overwritten. V8 keeps arrays of 64 bytes or less in its heap and leaves a copy there when it moves them; what has an
 * ArrayBuffer from the first stays where it is.
 */
export function memoryForSecret(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

/** A copy in such memory. */
export function copyOfSecret(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = memoryForSecret(bytes.length);
  copy.set(bytes);
  return copy;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export function u16be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

export function u32be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

export function readU32be(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) * 0x1000000 +
    (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
  );
}

/** A count as 64 bits. Counts stay below 2^53, where a number is exact; epochs end long before. */
export function writeU64be(target: Uint8Array, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  for (let i = 0; i < 4; i += 1) {
    target[i] = high >>> (24 - 8 * i);
    target[i + 4] = value >>> (24 - 8 * i);
  }
}

/** For public bytes: its time tells where they differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
