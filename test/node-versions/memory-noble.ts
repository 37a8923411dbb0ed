/** What the portable backend takes of @noble, as it is; the secrets that it is given or gives are recorded. */
export * from '@noble/ciphers/aes.js';
export * from '@noble/post-quantum/ml-kem.js';
import { gcm as realGcm } from '@noble/ciphers/aes.js';
import { ml_kem768 as realKem } from '@noble/post-quantum/ml-kem.js';
import { hkdfSha256 as realHkdf } from '../../src/crypto/noble/hkdf.ts';
import { record } from './memory-record.ts';

export const gcm: typeof realGcm = Object.assign((...given: Parameters<typeof realGcm>) => {
  record('k', given[0]);
  return realGcm(...given);
}, realGcm);

export const hkdfSha256: typeof realHkdf = (...given) => {
  record('i', given[0]);
  record('S', given[1]);
  const derived = realHkdf(...given);
  record('h', derived);
  return derived;
};

export const ml_kem768: typeof realKem = {
  ...realKem,
  keygen(seed) {
    const pair = realKem.keygen(seed);
    // FIPS 203 algorithm 16: between these stands what is public.
    record('d', pair.secretKey.subarray(0, 1152));
    record('z', pair.secretKey.subarray(-32));
    return pair;
  },
  encapsulate(key, m) {
    const result = realKem.encapsulate(key, m);
    record('e', result.sharedSecret);
    return result;
  },
  decapsulate(ciphertext, key) {
    const sharedSecret = realKem.decapsulate(ciphertext, key);
    record('c', sharedSecret);
    return sharedSecret;
  },
};
