import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import type { SignatureScheme, SigningKey } from '../signature.ts';
import { checkSecretLength, hasSignatureLengths, SIGNATURE_SEED_BYTES } from '../signature.ts';

class NobleSigningKey implements SigningKey {
  readonly publicKey: Uint8Array;
  #secretKey: Uint8Array | undefined;

  constructor(secret: Uint8Array) {
    checkSecretLength(secret);
    this.#secretKey = secret.length === SIGNATURE_SEED_BYTES ? ml_dsa65.keygen(secret).secretKey : secret.slice();
    this.publicKey = ml_dsa65.getPublicKey(this.#secretKey);
  }

  sign(message: Uint8Array): Uint8Array {
    if (this.#secretKey === undefined) throw new Error('the signing key has been destroyed');
    return ml_dsa65.sign(message, this.#secretKey);
  }

  destroy(): void {
    this.#secretKey?.fill(0);
    this.#secretKey = undefined;
  }
}

export const nobleSignatures: SignatureScheme = {
  name: 'noble',
  verify(publicKey, message, signature) {
    return hasSignatureLengths(publicKey, signature) && ml_dsa65.verify(signature, message, publicKey);
  },
  signingKey: (secret) => new NobleSigningKey(secret),
};
