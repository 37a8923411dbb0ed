/** ML-DSA-65 by node:crypto where this Node has it (24 and later), by noble elsewhere. */
import * as crypto from 'node:crypto';
import { nobleSignatures } from './noble-signature.ts';
import type { SignatureScheme, SigningKey } from './signature.ts';
import {
  checkSecretLength,
  hasSignatureLengths,
  SIGNATURE_PUBLIC_KEY_BYTES,
  SIGNATURE_SEED_BYTES,
} from './signature.ts';

/** RFC 9881: SubjectPublicKeyInfo of id-ml-dsa-65 with 1952 bytes. */
const SPKI_PREFIX = '308207b2300b0609608648016503040312038207a100';
/** RFC 9881: PrivateKeyInfo with the choice `seed`, and with the choice `expandedKey`. */
const PKCS8_SEED_PREFIX = '3034020100300b060960864801650304031204228020';
const PKCS8_EXPANDED_PREFIX = '30820fd8020100300b060960864801650304031204820fc404820fc0';

function der(prefix: string, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(prefix, 'hex'), bytes]);
}

class NodeSigningKey implements SigningKey {
  readonly publicKey: Uint8Array;
  #key: crypto.KeyObject | undefined;

  constructor(secret: Uint8Array) {
    checkSecretLength(secret);
    const prefix = secret.length === SIGNATURE_SEED_BYTES ? PKCS8_SEED_PREFIX : PKCS8_EXPANDED_PREFIX;
    const encoded = der(prefix, secret);
    this.#key = crypto.createPrivateKey({ key: encoded, format: 'der', type: 'pkcs8' });
    encoded.fill(0);
    const spki = crypto.createPublicKey(this.#key).export({ format: 'der', type: 'spki' });
    this.publicKey = new Uint8Array(spki.subarray(-SIGNATURE_PUBLIC_KEY_BYTES));
  }

  sign(message: Uint8Array): Uint8Array {
    if (this.#key === undefined) throw new Error('the signing key has been destroyed');
    return new Uint8Array(crypto.sign(null, message, this.#key));
  }

  destroy(): void {
    this.#key = undefined;
  }
}

const nativeSignatures: SignatureScheme = {
  name: 'node',
  verify(publicKey, message, signature) {
    if (!hasSignatureLengths(publicKey, signature)) return false;
    const key = crypto.createPublicKey({ key: der(SPKI_PREFIX, publicKey), format: 'der', type: 'spki' });
    return crypto.verify(null, message, key, signature);
  },
  signingKey: (secret) => new NodeSigningKey(secret),
};

let scheme: SignatureScheme | undefined;

/** Found out by doing it, once, at first use: version numbers do not tell what a build has. */
export function nodeSignatures(): SignatureScheme {
  if (scheme === undefined) {
    try {
      nativeSignatures.signingKey(new Uint8Array(SIGNATURE_SEED_BYTES)).destroy();
      scheme = nativeSignatures;
    } catch {
      scheme = nobleSignatures;
    }
  }
  return scheme;
}
