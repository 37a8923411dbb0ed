/** Byte helpers of the wire format. All integers on the wire are big-endian. */
import { atob, btoa, decoder, encode } from './captured.ts';

// fatal: RFC 3629, no replacement characters.
const decode = /* @__PURE__ */ decoder(true);

export { encode as utf8 };

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
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
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

/** So few arguments that every engine takes them in one call. */
const CHARACTERS_AT_ONCE = 4_096;

/** RFC 4648 section 4, padded. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHARACTERS_AT_ONCE) {
    // Spread, an iterator would be asked for each byte.
    binary += String.fromCharCode.apply(null, bytes.subarray(at, at + CHARACTERS_AT_ONCE) as unknown as number[]);
  }
  return btoa(binary);
}

/** Strict RFC 4648 section 4, padded and canonical. `atob` is lax, so what comes out is encoded again and compared. */
export function fromBase64(text: string): Uint8Array | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return toBase64(bytes) === text ? bytes : undefined;
}
