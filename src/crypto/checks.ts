/**
 * The input checks of every backend, in one place and before any library or native call: native code is laxer
 * than FIPS 203 in places (Node's SPKI import takes trailing bytes) and stricter than RFC 5869 in others (Node's
 * HKDF bounds `info`), so backends that left the checks to what lies beneath would refuse different inputs.
 *
 * All of what is checked here is public, lengths included, so nothing here has to run in constant time. Backends import it
 * as `check`.
 */
import type { KemName } from '../api/types.ts';
import { memoryForSecret } from '../base/bytes.ts';
import { AEAD_KEY_BYTES, KEM_SIZES, KemInputError, NONCE_BYTES, TAG_BYTES } from './backend.ts';

/** FIPS 203 section 2.4: the modulus q. */
const Q = 3329;

/** RFC 5869 section 2.3: at most 255 blocks of the hash. */
const MAX_HKDF_BYTES = 255 * 32;

/** What node:crypto takes (hkdf, and Node's crypto.subtle with it), so what every backend takes. */
const MAX_HKDF_INFO_BYTES = 1024;

const SHORTEST_FRAME = NONCE_BYTES + TAG_BYTES;

/** @throws {TypeError} unless `value` is a Uint8Array, of this realm or of another */
export function bytes(value: unknown, what: string): void {
  // instanceof alone would refuse an array that comes from another window, a worker's opener or a test's sandbox.
  if (value instanceof Uint8Array) return;
  if (!ArrayBuffer.isView(value) || Object.prototype.toString.call(value) !== '[object Uint8Array]') {
    throw new TypeError(`${what}: expected a Uint8Array, got ${value === null ? 'null' : typeof value}`);
  }
}

function checkSize(value: Uint8Array, what: string, size: number): void {
  bytes(value, what);
  if (value.length !== size) throw new RangeError(`${what}: expected ${size} bytes, got ${value.length}`);
}

function checkKemSize(value: Uint8Array, what: string, size: number): void {
  bytes(value, what);
  if (value.length !== size) {
    throw new KemInputError('length', `${what}: expected ${size} bytes, got ${value.length}`);
  }
}

/** Its name in messages. */
export function kemTitle(kem: KemName): string {
  return kem.toUpperCase();
}

export function seed(seed: Uint8Array | undefined, kem: KemName = 'ml-kem-768'): void {
  if (seed !== undefined) checkSize(seed, `${kemTitle(kem)} seed`, KEM_SIZES[kem].seed);
}

/** FIPS 203 section 7.2: the type check and the modulus check; and the test-only randomness, where there is any. */
export function encapsulation(encapsulationKey: Uint8Array, m?: Uint8Array, kem: KemName = 'ml-kem-768'): void {
  const title = kemTitle(kem);
  checkKemSize(encapsulationKey, `${title} encapsulation key`, KEM_SIZES[kem].key);
  // In the hybrid ML-KEM-768's key comes first.
  const coefficientBytes = kem === 'ml-kem-1024' ? 384 * 4 : 384 * 3;
  for (let i = 0; i < coefficientBytes; i += 3) {
    // ByteDecode_12 (algorithm 6): three bytes hold two little-endian coefficients.
    const triple = encapsulationKey[i]! | (encapsulationKey[i + 1]! << 8) | (encapsulationKey[i + 2]! << 16);
    if ((triple & 0xfff) >= Q || triple >> 12 >= Q) {
      throw new KemInputError('modulus', `${title} encapsulation key: a coefficient is not below 3329`);
    }
  }
  if (m !== undefined) checkSize(m, `${title} randomness`, KEM_SIZES[kem].message);
}

/** FIPS 203 section 7.3: the ciphertext type check. The other two there concern a key that others supply. */
export function ciphertext(ciphertext: Uint8Array, kem: KemName = 'ml-kem-768'): void {
  checkKemSize(ciphertext, `${kemTitle(kem)} ciphertext`, KEM_SIZES[kem].ciphertext);
}

export function hkdf(salt: Uint8Array, info: Uint8Array, length: number): void {
  bytes(salt, 'HKDF salt');
  bytes(info, 'HKDF info');
  if (info.length > MAX_HKDF_INFO_BYTES) {
    throw new RangeError(`HKDF info: expected at most ${MAX_HKDF_INFO_BYTES} bytes, got ${info.length}`);
  }
  if (!Number.isInteger(length) || length < 1 || length > MAX_HKDF_BYTES) {
    throw new RangeError(`HKDF length: expected an integer from 1 to ${MAX_HKDF_BYTES}, got ${length}`);
  }
}

export function aeadKeySize(size: number): void {
  if (size !== AEAD_KEY_BYTES) {
    throw new RangeError(`AES-256-GCM key: expected a secret of ${AEAD_KEY_BYTES} bytes, got ${size}`);
  }
}

export function seal(frame: Uint8Array, additionalData: Uint8Array, content?: Uint8Array): void {
  bytes(frame, 'frame');
  bytes(additionalData, 'additional data');
  const least = SHORTEST_FRAME + (content?.length ?? 0);
  if (content !== undefined) bytes(content, 'content');
  if (frame.length < least) throw new RangeError(`frame: expected at least ${least} bytes, got ${frame.length}`);
}

/** Whether there is anything to open: what a peer sends may be too short, which is no programmer's error. */
export function open(frame: Uint8Array, additionalData: Uint8Array): boolean {
  bytes(frame, 'frame');
  bytes(additionalData, 'additional data');
  return frame.length >= SHORTEST_FRAME;
}

/** What a key or a secret holds, unless it has been destroyed. */
export function alive<T>(held: T | undefined, what: string): T {
  if (held === undefined) throw new Error(`${what} was used after destroy()`);
  return held;
}

/** @throws {TypeError} for a secret that another backend made; `what` a class of the calling backend */
export function own<T extends object>(secret: object, what: new (...given: never[]) => T): T {
  if (!(secret instanceof what)) throw new TypeError('secret: expected one that the same backend made');
  return secret;
}

/** `first || second`, the caller's to overwrite. */
export function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = memoryForSecret(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
