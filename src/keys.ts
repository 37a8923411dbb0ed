/**
 * `pq-websocket/keys`: ML-DSA-65 identity keys (FIPS 204) as PEM files (RFC 9881), and their fingerprints, which clients pin.
 * @module pq-websocket/keys
 */
import { platform } from '#platform';
import { SIGNATURE_PUBLIC_KEY_BYTES } from './crypto/signature.ts';

export { readPublicKeyPem, readSecretKeyPem, writePublicKeyPem, writeSecretKeyPem } from './crypto/key-files.ts';
/** Bytes of the seed from which a key is made: FIPS 204 calls it xi. Draw it from the platform's CSPRNG. */
export { SIGNATURE_SEED_BYTES as SEED_BYTES } from './crypto/signature.ts';

/**
 * The public key that belongs to a secret one.
 * @param secretKey the 32-byte seed or the expanded 4032 bytes; it stays the caller's, who overwrites it
 * @returns 1952 bytes
 * @throws {RangeError} for another length
 */
export async function publicKeyOf(secretKey: Uint8Array): Promise<Uint8Array> {
  const key = (await platform.signatures()).signingKey(secretKey);
  const { publicKey } = key;
  key.destroy();
  return publicKey;
}

/**
 * What `serverKeys` takes in place of a whole key: `sha256:` and the hex digits of the SHA-256 of the raw 1952 bytes, not of
 * an SPKI.
 * @throws {RangeError} for another length
 */
export async function fingerprintOf(publicKey: Uint8Array): Promise<string> {
  if (publicKey.length !== SIGNATURE_PUBLIC_KEY_BYTES) {
    throw new RangeError(`fingerprintOf: expected ${SIGNATURE_PUBLIC_KEY_BYTES} bytes, got ${publicKey.length}`);
  }
  const digest = await platform.backend().sha256(publicKey);
  return `sha256:${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
