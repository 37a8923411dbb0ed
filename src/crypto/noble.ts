/**
 * The portable backend: @noble's JavaScript, synchronous, for every platform. Its ML-KEM also serves the other
 * two backends where the platform has none (`portableKeyPair`, `portableEncapsulate`).
 *
 * JavaScript gives no constant-time promise and its garbage collector may copy; buffers that hold a secret are
 * overwritten all the same, so that a later look into memory finds less.
 */
import { gcm } from '@noble/ciphers/aes.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { AeadKey, CryptoBackend, KemKeyPair, Secret } from './backend.ts';
import { AEAD_KEY_BYTES, NONCE_BYTES, TAG_BYTES } from './backend.ts';
import {
  alive,
  checkAeadKeySize,
  checkBytes,
  checkCiphertext,
  checkEncapsulation,
  checkHkdf,
  checkOpen,
  checkSeal,
  checkSeed,
  own,
} from './checks.ts';

/** ML-KEM down to plain bytes. The shared secret is a buffer of the caller, who overwrites it. */
export interface PortableKeyPair {
  readonly encapsulationKey: Uint8Array;
  decapsulate(ciphertext: Uint8Array): Uint8Array;
  destroy(): void;
}

/** Without `seed`, @noble draws it from crypto.getRandomValues and overwrites it. */
export function portableKeyPair(seed?: Uint8Array): PortableKeyPair {
  checkSeed(seed);
  const { publicKey, secretKey } = ml_kem768.keygen(seed);
  let held: Uint8Array | undefined = secretKey;
  return {
    encapsulationKey: publicKey,
    decapsulate(ciphertext) {
      const decapsulationKey = alive(held, 'ML-KEM-768 key pair');
      checkCiphertext(ciphertext);
      return ml_kem768.decapsulate(ciphertext, decapsulationKey);
    },
    destroy() {
      held?.fill(0);
      held = undefined;
    },
  };
}

/** Without `m`, @noble draws it from crypto.getRandomValues and overwrites it. */
export function portableEncapsulate(
  encapsulationKey: Uint8Array,
  m?: Uint8Array,
): { readonly ciphertext: Uint8Array; readonly sharedSecret: Uint8Array } {
  checkEncapsulation(encapsulationKey, m);
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(encapsulationKey, m);
  return { ciphertext: cipherText, sharedSecret };
}

class NobleSecret implements Secret {
  #bytes: Uint8Array | undefined;

  /** Takes `bytes` over. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get bytes(): Uint8Array {
    return alive(this.#bytes, 'secret');
  }

  destroy(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }
}

class NobleAeadKey implements AeadKey {
  #key: Uint8Array | undefined;

  /** Takes `key` over. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  seal(frame: Uint8Array, additionalData: Uint8Array, content?: Uint8Array): Uint8Array {
    const key = alive(this.#key, 'AES-256-GCM key');
    checkSeal(frame, additionalData, content);
    if (content !== undefined) frame.set(content, NONCE_BYTES);
    const plaintext = frame.subarray(NONCE_BYTES, -TAG_BYTES);
    // @noble's GCM writes to a buffer of its own and takes no `output`: the one allocation of a frame.
    const sealed = gcm(key, frame.subarray(0, NONCE_BYTES), additionalData).encrypt(plaintext);
    frame.set(sealed, NONCE_BYTES);
    return frame;
  }

  open(frame: Uint8Array, additionalData: Uint8Array): Uint8Array | undefined {
    const key = alive(this.#key, 'AES-256-GCM key');
    if (!checkOpen(frame, additionalData)) return undefined;
    try {
      return gcm(key, frame.subarray(0, NONCE_BYTES), additionalData).decrypt(frame.subarray(NONCE_BYTES));
    } catch {
      // Everything else that @noble checks has been checked: this is the tag.
      return undefined;
    }
  }

  destroy(): void {
    this.#key?.fill(0);
    this.#key = undefined;
  }
}

function derive(secret: Secret, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  checkHkdf(salt, info, length);
  return hkdf(sha256, own(secret, NobleSecret).bytes, salt, info, length);
}

function generateKeyPair(seed?: Uint8Array): KemKeyPair {
  const pair = portableKeyPair(seed);
  return {
    native: false,
    encapsulationKey: pair.encapsulationKey,
    decapsulate: (ciphertext) => new NobleSecret(pair.decapsulate(ciphertext)),
    destroy: () => {
      pair.destroy();
    },
  };
}

export const nobleBackend: CryptoBackend = {
  name: 'noble',
  generateKeyPair,
  generateKeyPairNow: generateKeyPair,

  encapsulate(encapsulationKey, m) {
    const { ciphertext, sharedSecret } = portableEncapsulate(encapsulationKey, m);
    return { native: false, ciphertext, sharedSecret: new NobleSecret(sharedSecret) };
  },

  importSecret(bytes) {
    checkBytes(bytes, 'secret');
    // Not slice(): a Node Buffer's gives a view of the same memory.
    return new NobleSecret(Uint8Array.from(bytes));
  },

  sha256(data) {
    checkBytes(data, 'data');
    return sha256(data);
  },

  deriveBytes: derive,

  deriveKey(secret, salt, info) {
    return new NobleAeadKey(derive(secret, salt, info, AEAD_KEY_BYTES));
  },

  importKey(secret) {
    const { bytes } = own(secret, NobleSecret);
    checkAeadKeySize(bytes.length);
    return new NobleAeadKey(bytes.slice());
  },
};
