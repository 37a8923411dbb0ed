/**
 * The backend over node:crypto: synchronous, keys as KeyObjects (their bytes live outside the JavaScript heap and
 * OpenSSL clears them), and the platform's own ML-KEM-768 where this runtime has it.
 */
import * as crypto from 'node:crypto';
import type { AeadKey, CryptoBackend, Encapsulation, KemKeyPair, Secret } from '../backend.ts';
import { AEAD_KEY_BYTES, ENCAPSULATION_KEY_BYTES, KEM_SEED_BYTES, NONCE_BYTES, TAG_BYTES } from '../backend.ts';
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
} from '../checks.ts';
import { free } from '../../base/free.ts';
import { nobleKem } from '../noble/kem.ts';
import { adoptingKeyPair } from '../portable-kem.ts';

/** From here on a plaintext is enciphered in pieces of this many bytes, so that what a piece leaves behind stays in the cache. */
const PIECE_BYTES = 32_768;

/** RFC 9935: a PrivateKeyInfo whose private key is the `seed` choice, [0] IMPLICIT OCTET STRING of 64 bytes. */
const PKCS8_PREFIX = '3054020100300b060960864801650304040204428040';
/** RFC 9935: a SubjectPublicKeyInfo of id-alg-ml-kem-768 with 1184 bytes. */
const SPKI_PREFIX = '308204b2300b0609608648016503040402038204a100';

class NodeSecret implements Secret {
  #key: crypto.KeyObject | undefined;

  constructor(key: crypto.KeyObject) {
    this.#key = key;
  }

  get key(): crypto.KeyObject {
    return alive(this.#key, 'secret');
  }

  destroy(): void {
    this.#key = undefined;
  }
}

class NodeAeadKey implements AeadKey {
  #key: crypto.KeyObject | undefined;

  constructor(key: crypto.KeyObject) {
    this.#key = key;
  }

  seal(frame: Uint8Array, additionalData: Uint8Array, content?: Uint8Array): Uint8Array {
    const key = alive(this.#key, 'AES-256-GCM key');
    checkSeal(frame, additionalData, content);
    const cipher = crypto.createCipheriv('aes-256-gcm', key, frame.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    cipher.setAAD(additionalData);
    let at = NONCE_BYTES;
    if (content !== undefined) at = encipher(cipher, content, frame, at);
    encipher(cipher, frame.subarray(at, -TAG_BYTES), frame, at);
    cipher.final();
    frame.set(cipher.getAuthTag(), frame.length - TAG_BYTES);
    return frame;
  }

  open(frame: Uint8Array, additionalData: Uint8Array, owned = false): Uint8Array | undefined {
    const key = alive(this.#key, 'AES-256-GCM key');
    if (!checkOpen(frame, additionalData)) return undefined;
    const decipher = crypto.createDecipheriv('aes-256-gcm', key, frame.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(additionalData);
    decipher.setAuthTag(frame.subarray(-TAG_BYTES));
    const plaintext = decipher.update(frame.subarray(NONCE_BYTES, -TAG_BYTES));
    try {
      decipher.final();
    } catch {
      // SP 800-38D section 7.2: nothing of what was deciphered may be seen when the tag is wrong.
      plaintext.fill(0);
      return undefined;
    }
    if (owned) free(frame);
    return plain(plaintext);
  }

  destroy(): void {
    this.#key = undefined;
  }
}

/**
 * GCM is a stream: update() gives as many bytes as it gets and final() adds nothing (SP 800-38D section 7.1). What it gives is
 * a buffer of its own: freed at once where it is large, since fresh memory costs more than the cipher does.
 * @returns where in `frame` the next bytes go
 */
function encipher(cipher: crypto.CipherGCM, plaintext: Uint8Array, frame: Uint8Array, at: number): number {
  const { length } = plaintext;
  if (length <= PIECE_BYTES) {
    const ciphertext = cipher.update(plaintext);
    frame.set(ciphertext, at);
    free(ciphertext);
    return at + length;
  }
  for (let from = 0; from < length; from += PIECE_BYTES) {
    const ciphertext = cipher.update(plaintext.subarray(from, from + PIECE_BYTES));
    frame.set(ciphertext, at + from);
    free(ciphertext);
  }
  return at + length;
}

/** A Buffer as the Uint8Array that the other backends give, in memory that nobody else has a view of. */
function plain(buffer: Buffer): Uint8Array {
  return buffer.byteLength === buffer.buffer.byteLength ? new Uint8Array(buffer.buffer) : Uint8Array.from(buffer);
}

/** Makes a KeyObject of `bytes`, which it overwrites. */
function adopt(bytes: Uint8Array): crypto.KeyObject {
  try {
    return crypto.createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** The two halves of a native KEM, with what only this file knows of their secrets. */
interface NativeKeyPair extends KemKeyPair {
  decapsulate(ciphertext: Uint8Array): NodeSecret;
}
interface NativeEncapsulation extends Encapsulation {
  readonly sharedSecret: NodeSecret;
}

/** What newer Nodes add; the types do not know it yet. */
interface NewKeys {
  generateKeyPairSync(type: 'ml-kem-768'): {
    readonly publicKey: crypto.KeyObject;
    readonly privateKey: crypto.KeyObject;
  };
}
interface RawExport {
  export(options: { format: 'raw-public' }): Buffer;
}

/** Generating is half as dear as importing a seed. */
function nativeKeys(seed: Uint8Array | undefined): { publicKey: crypto.KeyObject; privateKey: crypto.KeyObject } {
  if (seed === undefined) return (crypto as unknown as NewKeys).generateKeyPairSync('ml-kem-768');
  const pkcs8 = Buffer.concat([Buffer.from(PKCS8_PREFIX, 'hex'), seed]);
  try {
    const privateKey = crypto.createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
    return { privateKey, publicKey: crypto.createPublicKey(privateKey) };
  } finally {
    pkcs8.fill(0);
  }
}

function exportPublic(key: crypto.KeyObject): Uint8Array {
  if (hasRawExport(key)) return Uint8Array.from((key as unknown as RawExport).export({ format: 'raw-public' }));
  return Uint8Array.from(key.export({ format: 'der', type: 'spki' }).subarray(-ENCAPSULATION_KEY_BYTES));
}

/**
 * By way of PEM: it is the one form for which Node does not first ask whether it was given a KeyObject, which makes an error object with a
 * stack and takes longer than the import.
 */
function importPublic(encapsulationKey: Uint8Array): crypto.KeyObject {
  const spki = Buffer.concat([Buffer.from(SPKI_PREFIX, 'hex'), encapsulationKey]).toString('base64');
  return crypto.createPublicKey(`-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`);
}

let rawExport: boolean | undefined;

/** Whether this Node gives keys as they are, found out by trying: older ones refuse the format. */
function hasRawExport(key: crypto.KeyObject): boolean {
  rawExport ??= tryRawExport(key);
  return rawExport;
}

function tryRawExport(key: crypto.KeyObject): boolean {
  try {
    return (key as unknown as RawExport).export({ format: 'raw-public' }).length === ENCAPSULATION_KEY_BYTES;
  } catch {
    return false;
  }
}

function nativeKeyPair(seed: Uint8Array | undefined): NativeKeyPair {
  checkSeed(seed);
  const { publicKey, privateKey } = nativeKeys(seed);
  let held: crypto.KeyObject | undefined = privateKey;
  return {
    native: true,
    encapsulationKey: exportPublic(publicKey),
    decapsulate(ciphertext) {
      const decapsulationKey = alive(held, 'ML-KEM-768 key pair');
      checkCiphertext(ciphertext);
      return new NodeSecret(adopt(crypto.decapsulate(decapsulationKey, ciphertext)));
    },
    destroy() {
      held = undefined;
    },
  };
}

function nativeEncapsulate(encapsulationKey: Uint8Array): NativeEncapsulation {
  checkEncapsulation(encapsulationKey);
  const { sharedKey, ciphertext } = crypto.encapsulate(importPublic(encapsulationKey));
  return { native: true, ciphertext: plain(ciphertext), sharedSecret: new NodeSecret(adopt(sharedKey)) };
}

let nativeKem: boolean | undefined;

/** Whether this runtime has ML-KEM-768, found out by using it once: versions and exports alone do not tell. */
function hasNativeKem(): boolean {
  nativeKem ??= tryNativeKem();
  return nativeKem;
}

function tryNativeKem(): boolean {
  try {
    const pair = nativeKeyPair(new Uint8Array(KEM_SEED_BYTES));
    const { ciphertext, sharedSecret } = nativeEncapsulate(pair.encapsulationKey);
    return pair.decapsulate(ciphertext).key.equals(sharedSecret.key);
  } catch {
    return false;
  }
}

function derive(secret: Secret, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  checkHkdf(salt, info, length);
  return new Uint8Array(crypto.hkdfSync('sha256', own(secret, NodeSecret).key, salt, info, length));
}

function generateKeyPair(seed?: Uint8Array): KemKeyPair {
  if (hasNativeKem()) return nativeKeyPair(seed);
  return adoptingKeyPair(nobleKem.keyPair(seed), (sharedSecret) => new NodeSecret(adopt(sharedSecret)));
}

export const nodeBackend: CryptoBackend = {
  name: 'node',
  generateKeyPair,

  encapsulate(encapsulationKey, m) {
    if (m === undefined && hasNativeKem()) return nativeEncapsulate(encapsulationKey);
    const { ciphertext, sharedSecret } = nobleKem.encapsulate(encapsulationKey, m);
    return { native: false, ciphertext, sharedSecret: new NodeSecret(adopt(sharedSecret)) };
  },

  importSecret(bytes) {
    checkBytes(bytes, 'secret');
    return new NodeSecret(crypto.createSecretKey(bytes));
  },

  sha256(data) {
    checkBytes(data, 'data');
    // A copy: the engine keeps so few bytes in the array itself, which costs less than memory of their own.
    return new Uint8Array(crypto.createHash('sha256').update(data).digest());
  },

  deriveBytes: derive,

  deriveKey(secret, salt, info) {
    return new NodeAeadKey(adopt(derive(secret, salt, info, AEAD_KEY_BYTES)));
  },

  importKey(secret) {
    const { key } = own(secret, NodeSecret);
    checkAeadKeySize(key.symmetricKeySize ?? 0);
    return new NodeAeadKey(key);
  },
};
