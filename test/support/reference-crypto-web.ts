/** reference-crypto.ts for a browser: noble's primitives, because crypto.subtle answers only later. */
import { gcm } from '@noble/ciphers/aes.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import type * as reference from './reference-crypto.ts';

export const sha256: typeof reference.sha256 = (data) => nobleSha256(data);

export const hmacSha256: typeof reference.hmacSha256 = (key, data) => hmac(nobleSha256, key, data);

export const hkdfSha256: typeof reference.hkdfSha256 = (ikm, salt, info, length) =>
  hkdf(nobleSha256, ikm, salt, info, length);

export const sealAes256Gcm: typeof reference.sealAes256Gcm = (key, nonce, aad, plaintext) =>
  gcm(key, nonce, aad).encrypt(plaintext);
