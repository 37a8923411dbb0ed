/** ML-DSA-65 by node:crypto where this Node has it (24 and later), by noble elsewhere. */
import * as crypto from 'node:crypto';
import { ownProperties } from '../../base/own-properties.ts';
import { publicKeyDer, secretKeyDer } from '../key-files.ts';
import { nobleSignatures } from '../noble/signature.ts';
import type { SignatureScheme, SigningKey } from '../signature.ts';
import {
  checkSecretLength,
  hasSignatureLengths,
  SIGNATURE_PUBLIC_KEY_BYTES,
  SIGNATURE_SEED_BYTES,
} from '../signature.ts';

class NodeSigningKey implements SigningKey {
  readonly publicKey: Uint8Array;
  #key: crypto.KeyObject | undefined;

  constructor(secret: Uint8Array) {
    checkSecretLength(secret);
    const encoded = Buffer.from(secretKeyDer(secret).buffer);
    try {
      this.#key = crypto.createPrivateKey(
        ownProperties<crypto.PrivateKeyInput>({ key: encoded, format: 'der', type: 'pkcs8' }),
      );
    } finally {
      encoded.fill(0);
    }
    const spki = crypto.createPublicKey(this.#key).export({ format: 'der', type: 'spki' });
    this.publicKey = new Uint8Array(spki.subarray(-SIGNATURE_PUBLIC_KEY_BYTES));
  }

  sign(message: Uint8Array): Uint8Array {
    if (this.#key === undefined) throw new Error('the signing key has been destroyed');
    return new Uint8Array(crypto.sign(null, message, keyAlone(this.#key)));
  }

  destroy(): void {
    this.#key = undefined;
  }
}

const nativeSignatures: SignatureScheme = {
  name: 'node',
  verify(publicKey, message, signature) {
    if (!hasSignatureLengths(publicKey, signature)) return false;
    const key = crypto.createPublicKey(
      ownProperties<crypto.PublicKeyInput>({ key: Buffer.from(publicKeyDer(publicKey)), format: 'der', type: 'spki' }),
    );
    return crypto.verify(null, message, keyAlone(key), signature);
  },
  signingKey: (secret) => new NodeSigningKey(secret),
};

/** Of a key by itself, Node asks what it inherits for a context and a padding. */
function keyAlone(key: crypto.KeyObject): { key: crypto.KeyObject } {
  return ownProperties({ key });
}

let scheme: SignatureScheme | undefined;

/** Found out by doing it, once, at first use: version numbers do not tell what a build has. */
export function nodeSignatures(): SignatureScheme {
  if (scheme === undefined) {
    scheme = worksNatively() ? nativeSignatures : nobleSignatures;
  }
  return scheme;
}

/** Node 22.23 takes an ML-DSA key and exports its public half, and then cannot sign: only a signature that verifies tells. */
function worksNatively(): boolean {
  try {
    const key = nativeSignatures.signingKey(new Uint8Array(SIGNATURE_SEED_BYTES));
    const message = new Uint8Array(0);
    const works = nativeSignatures.verify(key.publicKey, message, key.sign(message));
    key.destroy();
    return works;
  } catch {
    return false;
  }
}
