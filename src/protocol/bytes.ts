/** Byte helpers of the wire format. All integers on the wire are big-endian. */

const encoder = new TextEncoder();
// ignoreBOM: a message that begins with U+FEFF keeps it. fatal: RFC 3629, no replacement characters.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text, or undefined where the bytes are not valid UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
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

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

const BASE64 = utf8('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PAD = 0x3d;
const NO_DIGIT = 0xff;
/** What each character stands for. */
const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
BASE64.forEach((character, digit) => {
  DIGITS[character] = digit;
});

/** RFC 4648 section 4, padded. Only of what is public: a table's cache lines tell what was looked up. */
export function toBase64(bytes: Uint8Array): string {
  const characters = new Uint8Array(4 * Math.ceil(bytes.length / 3)).fill(PAD);
  let at = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    // Beyond the end: undefined, which counts as zero.
    const triple = ((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8) | (bytes[i + 2] as number);
    const digits = Math.min(4, bytes.length - i + 1);
    for (let digit = 0; digit < digits; digit += 1) characters[at + digit] = BASE64[(triple >> (18 - 6 * digit)) & 63] as number;
    at += 4;
  }
  return decoder.decode(characters);
}

/** Strict RFC 4648 section 4: padded and canonical, and nothing beside. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const characters = text.length - padding;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let bits = 0;
  let at = 0;
  for (let i = 0; i < characters; i += 1) {
    const digit = DIGITS[text.charCodeAt(i)];
    if (digit === undefined || digit === NO_DIGIT) return undefined;
    bits = (bits << 6) | digit;
    // Three of four characters end a byte.
    if (i % 4 > 0) {
      bytes[at] = bits >> (6 - 2 * (i % 4));
      at += 1;
    }
  }
  // Section 3.5: the bits that no byte has are zero.
  return (bits & ((1 << (2 * padding)) - 1)) === 0 ? bytes : undefined;
}
