/**
 * What tests compute themselves to compare with: node:crypto called directly, which is neither the code under test
 * nor what made v1.json. Bundled for a browser, reference-crypto-web.ts stands in its place.
 */
import { createCipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';

export const sha256 = (data: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha256').update(data).digest());

export const hmacSha256 = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  Uint8Array.from(createHmac('sha256', key).update(data).digest());

export const hkdfSha256 = (ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', ikm, salt, info, length));

/** AES-256-GCM. @returns ciphertext, then tag */
export function sealAes256Gcm(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
  return Uint8Array.from(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}
