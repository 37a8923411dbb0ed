/** ML-KEM-768 in @noble's JavaScript: the portable backend's, and the other two's where the platform has none. */
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import * as check from '../checks.ts';
import { portableKem } from '../portable-kem.ts';

export const nobleKem = /* @__PURE__ */ portableKem('ml-kem-768', {
  keyPair(seed) {
    check.seed(seed);
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    let held: Uint8Array | undefined = secretKey;
    return {
      encapsulationKey: publicKey,
      decapsulate: (ciphertext) => {
        const decapsulationKey = check.alive(held, 'ML-KEM-768 key pair');
        check.ciphertext(ciphertext);
        return ml_kem768.decapsulate(ciphertext, decapsulationKey);
      },
      destroy: () => {
        held?.fill(0);
        held = undefined;
      },
    };
  },

  encapsulate(encapsulationKey, m) {
    check.encapsulation(encapsulationKey, m);
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(encapsulationKey, m);
    return { ciphertext: cipherText, sharedSecret };
  },
});
