/**
 * The cryptography of the reference peer: noble, and nothing of src/. Whatever is a function of its inputs alone is kept,
 * since the vectors ask for the same again and again; mutants never touch this file.
 */
import { gcm } from '@noble/ciphers/aes.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem1024, ml_kem768 } from '@noble/post-quantum/ml-kem.js';

export type Bytes = Uint8Array;
const hex = (bytes: Bytes): string => Buffer.from(bytes).toString('hex');

function kept<A extends readonly (Bytes | string | number)[], R>(make: (...inputs: A) => R): (...inputs: A) => R {
  const known = new Map<string, { value: R } | { error: unknown }>();
  return (...inputs) => {
    const id = inputs.map((input) => (input instanceof Uint8Array ? hex(input) : String(input))).join('/');
    let result = known.get(id);
    if (result === undefined) {
      try {
        result = { value: make(...inputs) };
      } catch (error) {
        result = { error };
      }
      known.set(id, result);
    }
    if ('error' in result) throw result.error;
    return result.value;
  };
}

export type KemName = 'ml-kem-768' | 'mlkem768-x25519' | 'ml-kem-1024';
const kems = { 'ml-kem-768': ml_kem768, 'mlkem768-x25519': ml_kem768_x25519, 'ml-kem-1024': ml_kem1024 };

export const keygen = kept((name: KemName, seed: Bytes) => kems[name].keygen(seed));
export const encapsulate = kept((name: KemName, key: Bytes, coins: Bytes) => kems[name].encapsulate(key, coins));
export const decapsulate = kept((name: KemName, ciphertext: Bytes, secretKey: Bytes) =>
  kems[name].decapsulate(ciphertext, secretKey),
);
export const sha256 = kept((data: Bytes) => nobleSha256(data));
export const hkdf = kept((salt: Bytes, ikm: Bytes, info: Bytes, length: number) =>
  expand(nobleSha256, extract(nobleSha256, ikm, salt), info, length),
);
export const signingKey = kept((seed: Bytes) => ml_dsa65.keygen(seed));
export const sign = kept((message: Bytes, secretKey: Bytes) =>
  ml_dsa65.sign(message, secretKey, { extraEntropy: false }),
);
export const verify = kept((signature: Bytes, message: Bytes, key: Bytes, context: Bytes) =>
  ml_dsa65.verify(signature, message, key, { context }),
);

export const seal = kept((key: Bytes, nonce: Bytes, aad: Bytes, plaintext: Bytes) =>
  gcm(key, nonce, aad).encrypt(plaintext),
);
/** Undefined where it does not open. */
export const open = kept((key: Bytes, nonce: Bytes, aad: Bytes, sealed: Bytes): Bytes | undefined => {
  try {
    return gcm(key, nonce, aad).decrypt(sealed);
  } catch {
    return undefined;
  }
});
