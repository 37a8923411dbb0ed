/**
 * HKDF-SHA-256 (RFC 5869) over HMAC (RFC 2104), of @noble's SHA-256. Not @noble's own HKDF: that one holds key, pad and result in short arrays, which V8
 * keeps in its heap and of which it leaves a copy behind when it moves them. Here whatever is secret stands in memory outside that heap and is
 * overwritten.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { memoryForSecret } from '../../base/bytes.ts';
import { HASH_BYTES } from '../backend.ts';

/** FIPS 180-4: what SHA-256 takes at a time, and so the length of HMAC's pads. */
const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** Writes SHA-256 of `parts`, one after the other, to `out`, which may be one of them. */
function hash(parts: readonly Uint8Array[], out: Uint8Array): void {
  const state = sha256.create();
  for (const part of parts) state.update(part);
  state.digestInto(out);
  state.destroy();
}

/** RFC 2104 section 2. Writes HMAC-SHA-256 to `out`, 32 bytes, which may be one of `parts` or the key itself. */
function hmac(key: Uint8Array, parts: readonly Uint8Array[], out: Uint8Array): void {
  const pad = memoryForSecret(BLOCK_BYTES);
  if (key.length > BLOCK_BYTES) hash([key], pad.subarray(0, HASH_BYTES));
  else pad.set(key);
  for (let i = 0; i < BLOCK_BYTES; i += 1) pad[i]! ^= INNER_PAD;
  hash([pad, ...parts], out);
  for (let i = 0; i < BLOCK_BYTES; i += 1) pad[i]! ^= INNER_PAD ^ OUTER_PAD;
  hash([pad, out], out);
  pad.fill(0);
}

/**
 * RFC 5869 sections 2.2 and 2.3.
 * @param length 1 to 8160 bytes, which the caller has checked
 * @returns memory outside the engine's heap, the caller's to overwrite
 */
export function hkdfSha256(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const key = memoryForSecret(HASH_BYTES);
  const block = memoryForSecret(HASH_BYTES);
  const result = memoryForSecret(length);
  const count = new Uint8Array(1);
  hmac(salt, [secret], key);
  for (let at = 0; at < length; at += HASH_BYTES) {
    count[0] = at / HASH_BYTES + 1;
    hmac(key, at === 0 ? [info, count] : [block, info, count], block);
    result.set(block.subarray(0, length - at), at);
  }
  key.fill(0);
  block.fill(0);
  return result;
}
