/**
 * The backend over pq-websocket-native: AWS-LC, called on the bytes where they are. Keys and secrets are numbers in a vault outside the
 * JavaScript heap, whose memory is overwritten when they are destroyed. What follows from a key pair or from a secret is in the same vault: each
 * key agreement of a connection has one.
 */
import type * as Native from 'pq-websocket-native';
import type { KemName } from '../../api/types.ts';
import type { AeadKey, CryptoBackend, KemKeyPair, Secret } from '../backend.ts';
import { AEAD_KEY_BYTES, HASH_BYTES, KEM_SIZES, NONCE_BYTES, SHARED_SECRET_BYTES, TAG_BYTES } from '../backend.ts';
import * as check from '../checks.ts';

export type NativeBinding = typeof Native;

const KEM = 'ml-kem-768';

/** Named where one is used that has been destroyed. */
const SECRET = 'secret';
const AEAD_KEY = 'AES-256-GCM key';

/** From here on memory that is not filled with zeros first is cheaper. */
const LARGE_BYTES = 1024;

export function nativeBackend(native: NativeBinding): CryptoBackend {
  const hash = new Uint8Array(new ArrayBuffer(HASH_BYTES));
  /** For the additional data of records, which are always as long. */
  const counter = new Uint8Array(new ArrayBuffer(8));

  /** What a vault holds under a number, until it is destroyed. */
  class Held<Kind extends Native.SecretNumber | Native.KeyNumber | Native.KeyPairNumber> {
    readonly vault: Native.Vault;
    #number: Kind | undefined;

    constructor(vault: Native.Vault, number: Kind) {
      this.vault = vault;
      this.#number = number;
    }

    /** @param what its name, should it be destroyed */
    number(what: string): Kind {
      return check.alive(this.#number, what);
    }

    destroy(): void {
      if (this.#number !== undefined) native.destroy(this.vault, this.#number);
      this.#number = undefined;
    }
  }

  class NativeSecret extends Held<Native.SecretNumber> implements Secret {
    constructor(
      vault: Native.Vault,
      number: Native.SecretNumber,
      readonly size: number,
    ) {
      super(vault, number);
    }
  }

  class NativeAeadKey extends Held<Native.KeyNumber> implements AeadKey {
    seal(frame: Uint8Array, additionalData: Uint8Array, content?: Uint8Array): Uint8Array {
      return this.#seal(frame, additionalData, content, false);
    }

    sealFresh(frame: Uint8Array, additionalData: Uint8Array, content?: Uint8Array): Uint8Array {
      return this.#seal(frame, additionalData, content, true);
    }

    #seal(frame: Uint8Array, additionalData: Uint8Array, content: Uint8Array | undefined, fresh: boolean): Uint8Array {
      const number = this.number(AEAD_KEY);
      check.seal(frame, additionalData, content);
      const data = additional(additionalData);
      try {
        native.seal(this.vault, number, frame, data, fresh, content);
      } catch (error) {
        // Native code takes no memory that another thread may change meanwhile. It is asked, since looking costs more than sealing.
        if (!isShared(frame) && !(content && isShared(content))) throw error;
        const copy = frame.slice();
        native.seal(this.vault, number, copy, data, fresh, content?.slice());
        frame.set(copy);
      }
      return frame;
    }

    open(frame: Uint8Array, additionalData: Uint8Array, owned = false): Uint8Array | undefined {
      const number = this.number(AEAD_KEY);
      if (!check.open(frame, additionalData)) return undefined;
      const data = additional(additionalData);
      try {
        return openTo(this.vault, number, frame, data, owned);
      } catch (error) {
        if (!isShared(frame)) throw error;
        return openTo(this.vault, number, frame.slice(), data, true);
      }
    }
  }

  function openTo(
    vault: Native.Vault,
    key: Native.KeyNumber,
    frame: Uint8Array,
    additionalData: Uint8Array,
    owned: boolean,
  ): Uint8Array | undefined {
    const length = frame.length - NONCE_BYTES - TAG_BYTES;
    if (owned) {
      if (!native.open(vault, key, frame, additionalData)) return undefined;
      return new Uint8Array(frame.buffer, frame.byteOffset + NONCE_BYTES, length);
    }
    const plaintext = memoryFor(length);
    return native.open(vault, key, frame, additionalData, plaintext) ? plaintext : undefined;
  }

  /** For this turn. */
  function additional(data: Uint8Array): Uint8Array {
    if (data.length !== counter.length) return unshared(data);
    counter.set(data);
    return counter;
  }

  function keyPairOf(kem: KemName, pair: Held<Native.KeyPairNumber>, encapsulationKey: Uint8Array): KemKeyPair {
    return {
      native: true,
      encapsulationKey,
      decapsulate(ciphertext) {
        const number = pair.number(`${check.kemTitle(kem)} key pair`);
        check.ciphertext(ciphertext, kem);
        return secretIn(pair.vault, native.decapsulate(pair.vault, number, unshared(ciphertext)));
      },
      destroy() {
        pair.destroy();
      },
    };
  }

  /** Of 32 bytes. */
  function secretIn(vault: Native.Vault, number: Native.SecretNumber): NativeSecret {
    return new NativeSecret(vault, number, SHARED_SECRET_BYTES);
  }

  return {
    name: 'native',
    prepare: undefined,

    generateKeyPair(seed, kem = KEM) {
      check.seed(seed, kem);
      const encapsulationKey = new Uint8Array(KEM_SIZES[kem].key);
      const vault = native.createVault();
      const number = native.generateKeyPair(vault, kem, encapsulationKey, seed && unshared(seed));
      return keyPairOf(kem, new Held(vault, number), encapsulationKey);
    },

    encapsulate(encapsulationKey, m, kem = KEM) {
      check.encapsulation(encapsulationKey, m, kem);
      const ciphertext = new Uint8Array(KEM_SIZES[kem].ciphertext);
      const vault = native.createVault();
      const number = native.encapsulate(vault, kem, unshared(encapsulationKey), ciphertext, m && unshared(m));
      return { native: true, ciphertext, sharedSecret: secretIn(vault, number) };
    },

    importSecret(bytes) {
      check.bytes(bytes, 'secret');
      const vault = native.createVault();
      return new NativeSecret(vault, native.importSecret(vault, unshared(bytes)), bytes.length);
    },

    joinSecrets(first, second) {
      const [a, b] = [check.own(first, NativeSecret), check.own(second, NativeSecret)];
      // Of an exchange the second is the new one, and in its vault is all that follows.
      const number = native.joinSecrets(a.vault, a.number(SECRET), b.vault, b.number(SECRET));
      return new NativeSecret(b.vault, number, a.size + b.size);
    },

    sha256(data) {
      check.bytes(data, 'data');
      native.sha256(unshared(data), hash);
      return hash.slice();
    },

    deriveBytes(secret, salt, info, length) {
      check.hkdf(salt, info, length);
      const bytes = new Uint8Array(length);
      const from = check.own(secret, NativeSecret);
      native.deriveBytes(from.vault, from.number(SECRET), unshared(salt), unshared(info), bytes);
      return bytes;
    },

    deriveSecret(secret, salt, info) {
      check.hkdf(salt, info, SHARED_SECRET_BYTES);
      const from = check.own(secret, NativeSecret);
      return secretIn(from.vault, native.deriveSecret(from.vault, from.number(SECRET), unshared(salt), unshared(info)));
    },

    deriveKey(secret, salt, info) {
      check.hkdf(salt, info, AEAD_KEY_BYTES);
      const from = check.own(secret, NativeSecret);
      const number = native.deriveKey(from.vault, from.number(SECRET), unshared(salt), unshared(info));
      return new NativeAeadKey(from.vault, number);
    },

    importKey(secret) {
      const from = check.own(secret, NativeSecret);
      const number = from.number(SECRET);
      check.aeadKeySize(from.size);
      return new NativeAeadKey(from.vault, native.importKey(from.vault, number));
    },
  };
}

/**
 * Bytes to be written, all of them, by native code. Never in the engine's own heap, where short arrays are: those it would have to move out
 * first, which costs more than the cipher.
 */
function memoryFor(length: number): Uint8Array {
  return new Uint8Array(length < LARGE_BYTES ? new ArrayBuffer(length) : Buffer.allocUnsafeSlow(length).buffer);
}

function isShared({ buffer }: Uint8Array): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
}

/** Native code is given no memory that another thread may change meanwhile. */
function unshared(bytes: Uint8Array): Uint8Array {
  return isShared(bytes) ? Uint8Array.from(bytes) : bytes;
}
