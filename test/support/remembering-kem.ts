/**
 * A backend that computes each key pair, encapsulation and decapsulation once and remembers it, so that one session
 * can be run many thousand times, byte for byte the same. Everything but the KEM is the real backend's. For tests
 * that change what is on the wire; nothing here is random.
 */
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { CryptoBackend } from '../../src/crypto/backend.ts';
import { KemInputError } from '../../src/crypto/backend.ts';

function remembered<T>(compute: (input: Uint8Array) => T): (input: Uint8Array) => T {
  const known = new Map<string, T>();
  return (input) => {
    const key = Buffer.from(input).toString('latin1');
    const found = known.get(key) ?? compute(input);
    // What is changed on the wire is seen once only.
    if (known.size < 1_000) known.set(key, found);
    return found;
  };
}

const SEED = new Uint8Array(64).fill(0x64);
const M = new Uint8Array(32).fill(0x4d);
const keygen = remembered((seed) => {
  const { publicKey, secretKey } = ml_kem768.keygen(seed);
  return { publicKey, decapsulate: remembered((ciphertext) => ml_kem768.decapsulate(ciphertext, secretKey)) };
});
const encapsulate = remembered((encapsulationKey) => {
  try {
    return ml_kem768.encapsulate(encapsulationKey, M);
  } catch {
    // FIPS 203 section 7.2, as the real backends say it.
    throw new KemInputError('modulus', 'ML-KEM-768 encapsulation key: refused');
  }
});

export function rememberingKem(real: CryptoBackend): CryptoBackend {
  return {
    ...real,
    generateKeyPair(seed = SEED) {
      const { publicKey, decapsulate } = keygen(seed.slice());
      return {
        native: false,
        encapsulationKey: publicKey,
        decapsulate: (ciphertext) => real.importSecret(decapsulate(ciphertext)),
        destroy: () => undefined,
      };
    },
    encapsulate(encapsulationKey) {
      const { cipherText, sharedSecret } = encapsulate(encapsulationKey);
      const imported = real.importSecret(sharedSecret);
      if (imported instanceof Promise) throw new Error('rememberingKem is for synchronous backends');
      return { native: false, ciphertext: cipherText, sharedSecret: imported };
    },
  };
}
