/**
 * The backend over pq-websocket-native: AWS-LC, called on the bytes where they are. Keys and secrets are handles to memory
 * outside the JavaScript heap, which is overwritten when they are destroyed.
 */
import type * as Native from 'pq-websocket-native';
import type { KemName } from '../../api/types.ts';
import type { AeadKey, CryptoBackend, KemKeyPair, Secret } from '../backend.ts';
import { AEAD_KEY_BYTES, HASH_BYTES, KEM_SIZES, NONCE_BYTES, SHARED_SECRET_BYTES, TAG_BYTES } from '../backend.ts';
import * as check from '../checks.ts';

export type NativeBinding = typeof Native;

const KEM = 'ml-kem-768';

/** From here on memory that is not filled with zeros first is cheaper. */
const LARGE_BYTES = 1024;

export function nativeBackend(native: NativeBinding): CryptoBackend {
  const hash = new Uint8Array(new ArrayBuffer(HASH_BYTES));
  /** For the additional data of records, which are always as long. */
  const counter = new Uint8Array(new ArrayBuffer(8));

  class NativeSecret implements Secret {
    #handle: Native.SecretHandle | undefined;

    constructor(
      handle: Native.SecretHandle,
      readonly size: number,
    ) {
      this.#handle = handle;
    }

    get handle(): Native.SecretHandle {
      return check.alive(this.#handle, 'secret');
    }

    destroy(): void {
      if (this.#handle !== undefined) native.destroy(this.#handle);
      this.#handle = undefined;
    }
  }

  class NativeAeadKey implements AeadKey {
    #handle: Native.KeyHandle | undefined;

    constructor(handle: Native.KeyHandle) {
      this.#handle = handle;
    }

    seal(frame: Uint8Array, additionalData: Uint8Array, content?: Uint8Array): Uint8Array {
      return this.#seal(frame, additionalData, content, false);
    }

    sealFresh(frame: Uint8Array, additionalData: Uint8Array, content?: Uint8Array): Uint8Array {
      return this.#seal(frame, additionalData, content, true);
    }

    #seal(frame: Uint8Array, additionalData: Uint8Array, content: Uint8Array | undefined, fresh: boolean): Uint8Array {
      const handle = check.alive(this.#handle, 'AES-256-GCM key');
      check.seal(frame, additionalData, content);
      const data = additional(additionalData);
      try {
        native.seal(handle, frame, data, fresh, content);
      } catch (error) {
        // Native code takes no memory that another thread may change meanwhile. It is asked, since looking costs more than sealing.
        if (!isShared(frame) && !(content && isShared(content))) throw error;
        const copy = frame.slice();
        native.seal(handle, copy, data, fresh, content?.slice());
        frame.set(copy);
      }
      return frame;
    }

    open(frame: Uint8Array, additionalData: Uint8Array, owned = false): Uint8Array | undefined {
      const handle = check.alive(this.#handle, 'AES-256-GCM key');
      if (!check.open(frame, additionalData)) return undefined;
      const data = additional(additionalData);
      try {
        return openTo(handle, frame, data, owned);
      } catch (error) {
        if (!isShared(frame)) throw error;
        return openTo(handle, frame.slice(), data, true);
      }
    }

    destroy(): void {
      if (this.#handle !== undefined) native.destroy(this.#handle);
      this.#handle = undefined;
    }
  }

  function openTo(
    handle: Native.KeyHandle,
    frame: Uint8Array,
    additionalData: Uint8Array,
    owned: boolean,
  ): Uint8Array | undefined {
    const length = frame.length - NONCE_BYTES - TAG_BYTES;
    if (owned) {
      if (!native.open(handle, frame, additionalData)) return undefined;
      return new Uint8Array(frame.buffer, frame.byteOffset + NONCE_BYTES, length);
    }
    const plaintext = memoryFor(length);
    return native.open(handle, frame, additionalData, plaintext) ? plaintext : undefined;
  }

  /** For this turn. */
  function additional(data: Uint8Array): Uint8Array {
    if (data.length !== counter.length) return unshared(data);
    counter.set(data);
    return counter;
  }

  function keyPairOf(kem: KemName, handle: Native.KeyPairHandle, encapsulationKey: Uint8Array): KemKeyPair {
    let held: Native.KeyPairHandle | undefined = handle;
    return {
      native: true,
      encapsulationKey,
      decapsulate(ciphertext) {
        const pair = check.alive(held, `${check.kemTitle(kem)} key pair`);
        check.ciphertext(ciphertext, kem);
        return new NativeSecret(native.decapsulate(pair, unshared(ciphertext)), SHARED_SECRET_BYTES);
      },
      destroy() {
        if (held !== undefined) native.destroy(held);
        held = undefined;
      },
    };
  }

  return {
    name: 'native',
    prepare: undefined,

    generateKeyPair(seed, kem = KEM) {
      check.seed(seed, kem);
      const encapsulationKey = new Uint8Array(KEM_SIZES[kem].key);
      return keyPairOf(kem, native.generateKeyPair(kem, encapsulationKey, seed && unshared(seed)), encapsulationKey);
    },

    encapsulate(encapsulationKey, m, kem = KEM) {
      check.encapsulation(encapsulationKey, m, kem);
      const ciphertext = new Uint8Array(KEM_SIZES[kem].ciphertext);
      const handle = native.encapsulate(kem, unshared(encapsulationKey), ciphertext, m && unshared(m));
      return { native: true, ciphertext, sharedSecret: new NativeSecret(handle, SHARED_SECRET_BYTES) };
    },

    importSecret(bytes) {
      check.bytes(bytes, 'secret');
      return new NativeSecret(native.importSecret(unshared(bytes)), bytes.length);
    },

    joinSecrets(first, second) {
      const [a, b] = [check.own(first, NativeSecret), check.own(second, NativeSecret)];
      return new NativeSecret(native.joinSecrets(a.handle, b.handle), a.size + b.size);
    },

    sha256(data) {
      check.bytes(data, 'data');
      native.sha256(unshared(data), hash);
      return hash.slice();
    },

    deriveBytes(secret, salt, info, length) {
      check.hkdf(salt, info, length);
      const bytes = new Uint8Array(length);
      native.deriveBytes(check.own(secret, NativeSecret).handle, unshared(salt), unshared(info), bytes);
      return bytes;
    },

    deriveSecret(secret, salt, info) {
      check.hkdf(salt, info, SHARED_SECRET_BYTES);
      const { handle } = check.own(secret, NativeSecret);
      return new NativeSecret(native.deriveSecret(handle, unshared(salt), unshared(info)), SHARED_SECRET_BYTES);
    },

    deriveKey(secret, salt, info) {
      check.hkdf(salt, info, AEAD_KEY_BYTES);
      const { handle } = check.own(secret, NativeSecret);
      return new NativeAeadKey(native.deriveKey(handle, unshared(salt), unshared(info)));
    },

    importKey(secret) {
      const { handle, size } = check.own(secret, NativeSecret);
      check.aeadKeySize(size);
      return new NativeAeadKey(native.importKey(handle));
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
