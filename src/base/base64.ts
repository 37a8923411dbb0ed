/** RFC 4648 section 4, where there is nothing but what every engine has. */
import { atob, btoa } from './captured.ts';

/** So few arguments that every engine takes them in one call. */
const CHARACTERS_AT_ONCE = 4_096;

/** Padded. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHARACTERS_AT_ONCE) {
    // Spread, an iterator would be asked for each byte.
    binary += String.fromCharCode.apply(null, bytes.subarray(at, at + CHARACTERS_AT_ONCE) as unknown as number[]);
  }
  return btoa(binary);
}

/** Strict: padded and canonical. `atob` is lax, so what comes out is encoded again and compared. */
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
