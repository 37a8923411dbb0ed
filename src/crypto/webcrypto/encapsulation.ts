/** Encapsulation over crypto.subtle: apart, since only servers do it, and what is no client's no page loads. */
import { SHARED_SECRET_BYTES } from '../backend.ts';
import { encapsulation as checkEncapsulation } from '../checks.ts';
import type { Encapsulating } from './subtle.ts';
import { AES, AES_USAGES } from './subtle.ts';

export const encapsulating: Encapsulating = async (
  { kem, nativeOf, portableOf, keyOf, importSecret, secretOf },
  key,
  m,
  name,
  joinable,
) => {
  checkEncapsulation(key, m, name);
  const algorithm = m === undefined ? await nativeOf(name) : undefined;
  if (algorithm === undefined) {
    const { ciphertext, sharedSecret } = (await portableOf(name)).encapsulate(key, m);
    try {
      return { native: false, ciphertext, sharedSecret: await importSecret(sharedSecret, joinable) };
    } finally {
      sharedSecret.fill(0);
    }
  }
  const publicKey = await kem.importKey('raw-public', key, algorithm, false, ['encapsulateKey']);
  // A second encapsulation would be a second secret: the keys of both uses are made of the one that this gives.
  const { ciphertext, sharedKey } = await kem.encapsulateKey(algorithm, publicKey, AES, true, AES_USAGES);
  const size = SHARED_SECRET_BYTES;
  const sharedSecret = secretOf(
    joinable
      ? { size, aes: sharedKey }
      : { size, hkdf: await keyOf([sharedKey]), aes: await keyOf([sharedKey], AES, AES_USAGES) },
  );
  return { native: true, ciphertext: new Uint8Array(ciphertext), sharedSecret };
};
