/** ML-KEM-1024 and MLKEM768-X25519 in @noble's JavaScript: loaded by pages only where a connection is to have one of them. */
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { ml_kem1024 } from '@noble/post-quantum/ml-kem.js';
import type { KemName } from '../../api/types.ts';
import * as check from '../checks.ts';
import type { OtherKems, PortableKem } from '../portable-kem.ts';
import { portableKem } from '../portable-kem.ts';

type NobleKem = Pick<typeof ml_kem1024, 'keygen' | 'encapsulate' | 'decapsulate'>;

function portable(kem: Exclude<KemName, 'ml-kem-768'>, noble: NobleKem): PortableKem {
  return portableKem(kem, {
    keyPair(seed) {
      check.seed(seed, kem);
      const { publicKey, secretKey } = noble.keygen(seed);
      let held: Uint8Array | undefined = secretKey;
      return {
        encapsulationKey: publicKey,
        decapsulate: (ciphertext) => {
          const decapsulationKey = check.alive(held, `${check.kemTitle(kem)} key pair`);
          check.ciphertext(ciphertext, kem);
          return noble.decapsulate(ciphertext, decapsulationKey);
        },
        destroy: () => {
          held?.fill(0);
          held = undefined;
        },
      };
    },

    encapsulate(encapsulationKey, m) {
      check.encapsulation(encapsulationKey, m, kem);
      const { cipherText, sharedSecret } = noble.encapsulate(encapsulationKey, m);
      return { ciphertext: cipherText, sharedSecret };
    },
  });
}

export const nobleOtherKems: OtherKems = {
  'ml-kem-1024': portable('ml-kem-1024', ml_kem1024),
  'mlkem768-x25519': portable('mlkem768-x25519', ml_kem768_x25519),
};
