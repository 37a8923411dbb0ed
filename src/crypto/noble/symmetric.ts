/**
 * The portable backend without its ML-KEM: @noble's JavaScript, for every platform; synchronous, unless it is to pause.
 *
 * JavaScript gives no constant-time promise and its garbage collector may copy; buffers that hold a secret are
 * overwritten all the same, so that a later look into memory finds less.
 */
import { gcm } from '@noble/ciphers/aes.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { AeadKey, CryptoBackend, Secret } from '../backend.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { AEAD_KEY_BYTES, NONCE_BYTES, SHARED_SECRET_BYTES, TAG_BYTES } from '../backend.ts';
import type { KemName } from '../../api/types.ts';
import { copyOfSecret } from '../../base/bytes.ts';
import { chain } from '../../base/maybe-promise.ts';
import * as check from '../checks.ts';
import type { Pause } from './gcm-pieces.ts';
import { hkdfSha256 } from './hkdf.ts';
import { PIECE_BYTES, PiecewiseGcm } from './gcm-pieces.ts';
import type { PortableKem } from '../portable-kem.ts';
import type { OtherKems } from '../portable-kem.ts';
import { adoptingKeyPair, noOtherKems } from '../portable-kem.ts';

class NobleSecret implements Secret {
  #bytes: Uint8Array | undefined;

  /** Takes `bytes` over, which stand outside the engine's heap. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get bytes(): Uint8Array {
    return check.alive(this.#bytes, 'secret');
  }

  destroy(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }
}

class NobleAeadKey implements AeadKey {
  #key: Uint8Array | undefined;

  /**
   * Takes `key` over.
   * @param pieces does what takes long, where that is wanted
   */
  constructor(
    key: Uint8Array,
    private readonly pieces: PiecewiseGcm | undefined,
  ) {
    this.#key = key;
  }

  seal(frame: Uint8Array, additionalData: Uint8Array, content?: Uint8Array): MaybePromise<Uint8Array> {
    const key = check.alive(this.#key, 'AES-256-GCM key');
    check.seal(frame, additionalData, content);
    if (content !== undefined) frame.set(content, NONCE_BYTES);
    if (this.pieces !== undefined && frame.length > this.pieces.pieceBytes)
      return this.pieces.seal(key, frame, additionalData);
    const plaintext = frame.subarray(NONCE_BYTES, -TAG_BYTES);
    // @noble's GCM writes to a buffer of its own and takes no `output`: the one allocation of a frame.
    const sealed = gcm(key, frame.subarray(0, NONCE_BYTES), additionalData).encrypt(plaintext);
    frame.set(sealed, NONCE_BYTES);
    return frame;
  }

  open(frame: Uint8Array, additionalData: Uint8Array): MaybePromise<Uint8Array | undefined> {
    const key = check.alive(this.#key, 'AES-256-GCM key');
    if (!check.open(frame, additionalData)) return undefined;
    if (this.pieces !== undefined && frame.length > this.pieces.pieceBytes)
      return this.pieces.open(key, frame, additionalData);
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
  check.hkdf(salt, info, length);
  return hkdfSha256(check.own(secret, NobleSecret).bytes, salt, info, length);
}

/** What @noble gave, out of the memory that it chose. */
function moved(secret: Uint8Array): Uint8Array {
  const copy = copyOfSecret(secret);
  secret.fill(0);
  return copy;
}

/**
 * @param kem its ML-KEM-768
 * @param others the KEMs that few connections have, which may have to be loaded
 * @param pause gives the thread to others: then frames longer than a piece are done in pieces, and come later
 * @param pieceBytes a multiple of 16
 */
export function portableBackend(
  kem: PortableKem,
  pause?: Pause,
  pieceBytes = PIECE_BYTES,
  others: () => MaybePromise<OtherKems> = noOtherKems,
): CryptoBackend {
  const pieces = pause && new PiecewiseGcm(pause, pieceBytes);
  function kemOf(name: KemName): MaybePromise<PortableKem> {
    return name === 'ml-kem-768' ? kem : chain(others(), (loaded) => loaded[name]);
  }

  return {
    name: 'noble',
    prepare: undefined,
    generateKeyPair(seed, name = 'ml-kem-768') {
      return chain(kemOf(name), (present) =>
        adoptingKeyPair(present.keyPair(seed), (sharedSecret) => new NobleSecret(moved(sharedSecret))),
      );
    },

    encapsulate(encapsulationKey, m, name = 'ml-kem-768') {
      check.encapsulation(encapsulationKey, m, name);
      return chain(kemOf(name), (present) => {
        const { ciphertext, sharedSecret } = present.encapsulate(encapsulationKey, m);
        return { native: false, ciphertext, sharedSecret: new NobleSecret(moved(sharedSecret)) };
      });
    },

    joinSecrets(first, second) {
      return new NobleSecret(check.joined(check.own(first, NobleSecret).bytes, check.own(second, NobleSecret).bytes));
    },

    importSecret(bytes) {
      check.bytes(bytes, 'secret');
      return new NobleSecret(copyOfSecret(bytes));
    },

    sha256(data) {
      check.bytes(data, 'data');
      return sha256(data);
    },

    deriveBytes: derive,

    deriveSecret(secret, salt, info) {
      return new NobleSecret(derive(secret, salt, info, SHARED_SECRET_BYTES));
    },

    deriveKey(secret, salt, info) {
      return new NobleAeadKey(derive(secret, salt, info, AEAD_KEY_BYTES), pieces);
    },

    importKey(secret) {
      const { bytes } = check.own(secret, NobleSecret);
      check.aeadKeySize(bytes.length);
      return new NobleAeadKey(copyOfSecret(bytes), pieces);
    },
  };
}
