/** Bytes, UTF-8, base64 and JSON as PROTOCOL.md 2 has them. */
import type { Bytes } from './primitives.ts';

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
export const hex = (bytes: Bytes): string => Buffer.from(bytes).toString('hex');
export const concat = (...parts: Bytes[]): Bytes => new Uint8Array(Buffer.concat(parts));
export const same = (a: Bytes, b: Bytes): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

export function u16be(value: number): Bytes {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

export function u32be(value: number): Bytes {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

export function u64be(value: number): Bytes {
  return concat(u32be(Math.floor(value / 2 ** 32)), u32be(value % 2 ** 32));
}

/** Undefined where it is not valid UTF-8. U+FEFF at the front stays. */
export function readUtf8(bytes: Bytes): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Undefined for anything but canonical base64. */
export function readBase64(value: unknown): Bytes | undefined {
  if (typeof value !== 'string') return undefined;
  const bytes = new Uint8Array(Buffer.from(value, 'base64'));
  return Buffer.from(bytes).toString('base64') === value ? bytes : undefined;
}

export function readBase64Url(value: string): Bytes | undefined {
  const bytes = new Uint8Array(Buffer.from(value, 'base64url'));
  return Buffer.from(bytes).toString('base64url') === value ? bytes : undefined;
}

export type Members = ReadonlyMap<string, unknown>;

/** The members of one JSON object, the object's own alone. Undefined for anything else. */
export function readObject(text: string): Members | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value));
}

/**
 * What lax parsers take, for mutants alone: NaN and Infinity, raw control characters within strings, comments, and a comma
 * before the end.
 */
export function readLax(text: string): Members | undefined {
  const strict = text
    .replace(/:\s*-?(?:NaN|Infinity)\b/g, ':null')
    .replace(/\p{Cc}/gu, ' ')
    .replace(/\/\*.*?\*\//g, '')
    .replace(/,\s*([}\]])/g, '$1');
  return readObject(strict);
}
