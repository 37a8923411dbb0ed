/**
 * The backend over node:crypto: synchronous, keys as KeyObjects (their bytes live outside the JavaScript heap and
 * OpenSSL clears them), and the platform's own ML-KEM-768 where this runtime has it.
 */
import * as crypto from 'node:crypto';
import type { AeadKey, CryptoBackend, Encapsulation, KemKeyPair, Secret } from '../backend.ts';
import { AEAD_KEY_BYTES, KEM_SIZES, NONCE_BYTES, SHARED_SECRET_BYTES, TAG_BYTES } from '../backend.ts';
import * as check from '../checks.ts';
import type { KemName } from '../../api/types.ts';
import { free } from '../../base/free.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { chain } from '../../base/maybe-promise.ts';
import { nobleKem } from '../noble/kem.ts';
import { loadOtherKems } from '../noble/load-other-kems.ts';
import type { PortableKem } from '../portable-kem.ts';
import { adoptingKeyPair } from '../portable-kem.ts';
import type { HybridKeys } from './hybrid.ts';
import { hybridDecapsulate, hybridEncapsulate, hybridKeys } from './hybrid.ts';
import { ownProperties } from '../../base/own-properties.ts';

/** From here on a plaintext is enciphered in pieces of this many bytes, so that what a piece leaves behind stays in the cache. */
const PIECE_BYTES = 32_768;

/** What node:crypto is told of a KEM of its own. */
interface NativeKem {
  readonly name: 'ml-kem-768' | 'ml-kem-1024';
  /** RFC 9935: a PrivateKeyInfo whose private key is the `seed` choice, [0] IMPLICIT OCTET STRING of 64 bytes. */
  readonly pkcs8Prefix: string;
  /** RFC 9935: a SubjectPublicKeyInfo of the KEM's own OID. */
  readonly spkiPrefix: string;
}

const ML_KEM_768: NativeKem = {
  name: 'ml-kem-768',
  pkcs8Prefix: '3054020100300b060960864801650304040204428040',
  spkiPrefix: '308204b2300b0609608648016503040402038204a100',
};
const ML_KEM_1024: NativeKem = {
  name: 'ml-kem-1024',
  pkcs8Prefix: '3054020100300b060960864801650304040304428040',
  spkiPrefix: '30820632300b06096086480165030404030382062100',
};

class NodeSecret implements Secret {
  #key: crypto.KeyObject | undefined;

  constructor(key: crypto.KeyObject) {
    this.#key = key;
  }

  get key(): crypto.KeyObject {
    return check.alive(this.#key, 'secret');
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
    const key = check.alive(this.#key, 'AES-256-GCM key');
    check.seal(frame, additionalData, content);
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
    const key = check.alive(this.#key, 'AES-256-GCM key');
    if (!check.open(frame, additionalData)) return undefined;
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

/** A Buffer as the Uint8Array that the other backends give, in memory of its own. */
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
  generateKeyPairSync(type: NativeKem['name']): {
    readonly publicKey: crypto.KeyObject;
    readonly privateKey: crypto.KeyObject;
  };
}
interface RawExport {
  export(options: { format: 'raw-public' }): Buffer;
}

/** Generating is half as dear as importing a seed. */
function nativeKeys(
  { name, pkcs8Prefix }: NativeKem,
  seed: Uint8Array | undefined,
): { publicKey: crypto.KeyObject; privateKey: crypto.KeyObject } {
  if (seed === undefined) return (crypto as unknown as NewKeys).generateKeyPairSync(name);
  const pkcs8 = Buffer.concat([Buffer.from(pkcs8Prefix, 'hex'), seed]);
  try {
    const privateKey = crypto.createPrivateKey(
      ownProperties<crypto.PrivateKeyInput>({ key: pkcs8, format: 'der', type: 'pkcs8' }),
    );
    return { privateKey, publicKey: crypto.createPublicKey(privateKey) };
  } finally {
    pkcs8.fill(0);
  }
}

function exportPublic(key: crypto.KeyObject, length: number): Uint8Array {
  if (hasRawExport(key)) return Uint8Array.from((key as unknown as RawExport).export({ format: 'raw-public' }));
  return Uint8Array.from(key.export({ format: 'der', type: 'spki' }).subarray(-length));
}

const TAKEN_BY_NODE = ['type', 'passphrase'];

/**
 * By way of PEM: it is the one form for which Node does not first ask whether it was given a KeyObject, which makes an error object with a
 * stack and takes longer than the import.
 */
function importPublic({ spkiPrefix }: NativeKem, encapsulationKey: Uint8Array): crypto.KeyObject {
  const spki = Buffer.concat([Buffer.from(spkiPrefix, 'hex'), encapsulationKey]).toString('base64');
  const key = `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`;
  // Of a string Node takes what an object of its own inherits for the passphrase, and where there is one the process ends.
  const isPolluted = TAKEN_BY_NODE.some((name) => name in Object.prototype);
  return crypto.createPublicKey(isPolluted ? ownProperties<crypto.PublicKeyInput>({ key, format: 'pem' }) : key);
}

let rawExport: boolean | undefined;

/** Whether this Node gives keys as they are, found out by trying: older ones refuse the format. */
function hasRawExport(key: crypto.KeyObject): boolean {
  rawExport ??= tryRawExport(key);
  return rawExport;
}

function tryRawExport(key: crypto.KeyObject): boolean {
  try {
    return (key as unknown as RawExport).export({ format: 'raw-public' }).length > 0;
  } catch {
    return false;
  }
}

function nativeKeyPair(kem: NativeKem, seed?: Uint8Array): NativeKeyPair {
  check.seed(seed, kem.name);
  const { publicKey, privateKey } = nativeKeys(kem, seed);
  let held: crypto.KeyObject | undefined = privateKey;
  return {
    native: true,
    encapsulationKey: exportPublic(publicKey, KEM_SIZES[kem.name].key),
    decapsulate(ciphertext) {
      const decapsulationKey = check.alive(held, `${check.kemTitle(kem.name)} key pair`);
      check.ciphertext(ciphertext, kem.name);
      return new NodeSecret(adopt(crypto.decapsulate(decapsulationKey, ciphertext)));
    },
    destroy() {
      held = undefined;
    },
  };
}

function nativeEncapsulate(kem: NativeKem, encapsulationKey: Uint8Array): NativeEncapsulation {
  check.encapsulation(encapsulationKey, undefined, kem.name);
  const { sharedKey, ciphertext } = crypto.encapsulate(importPublic(kem, encapsulationKey));
  return { native: true, ciphertext: plain(ciphertext), sharedSecret: new NodeSecret(adopt(sharedKey)) };
}

const present = new Map<NativeKem, boolean>();

/** Whether this runtime has the KEM, found out by using it once: versions and exports alone do not tell. */
function hasNative(kem: NativeKem): boolean {
  let has = present.get(kem);
  if (has === undefined) present.set(kem, (has = tryNative(kem)));
  return has;
}

function tryNative(kem: NativeKem): boolean {
  try {
    const pair = nativeKeyPair(kem, new Uint8Array(KEM_SIZES[kem.name].seed));
    const { ciphertext, sharedSecret } = nativeEncapsulate(kem, pair.encapsulationKey);
    return pair.decapsulate(ciphertext).key.equals(sharedSecret.key);
  } catch {
    return false;
  }
}

function derive(secret: Secret, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  check.hkdf(salt, info, length);
  return new Uint8Array(crypto.hkdfSync('sha256', check.own(secret, NodeSecret).key, salt, info, length));
}

function generateKeyPair(seed?: Uint8Array, kem: KemName = 'ml-kem-768'): MaybePromise<KemKeyPair> {
  check.seed(seed, kem);
  const native = NATIVE[kem];
  if (native !== undefined && hasNative(native)) return nativeKeyPair(native, seed);
  if (kem === 'mlkem768-x25519' && hasNative(ML_KEM_768)) return hybridKeyPair(seed);
  return chain(portableOf(kem), (portable) =>
    adoptingKeyPair(portable.keyPair(seed), (sharedSecret) => new NodeSecret(adopt(sharedSecret))),
  );
}

const NATIVE: Readonly<Partial<Record<KemName, NativeKem>>> = { 'ml-kem-768': ML_KEM_768, 'ml-kem-1024': ML_KEM_1024 };

function portableOf(kem: KemName): MaybePromise<PortableKem> {
  return kem === 'ml-kem-768' ? nobleKem : chain(loadOtherKems(), (others) => others[kem]);
}

function makeHybridPair(seed: Uint8Array | undefined): HybridKeys {
  const drawn = seed ?? crypto.randomBytes(KEM_SIZES['mlkem768-x25519'].seed);
  try {
    return hybridKeys(drawn, (mlKemSeed) => {
      const { publicKey, privateKey } = nativeKeys(ML_KEM_768, mlKemSeed);
      return { publicKey: exportPublic(publicKey, KEM_SIZES['ml-kem-768'].key), privateKey };
    });
  } finally {
    if (seed === undefined) drawn.fill(0);
  }
}

/** MLKEM768-X25519 of the platform's own ML-KEM-768, X25519 and SHA-3. */
function hybridKeyPair(seed?: Uint8Array): KemKeyPair {
  check.seed(seed, 'mlkem768-x25519');
  const pair = makeHybridPair(seed);
  let held: typeof pair | undefined = pair;
  return {
    native: true,
    encapsulationKey: pair.encapsulationKey,
    decapsulate(ciphertext) {
      const keys = check.alive(held, 'MLKEM768-X25519 key pair');
      check.ciphertext(ciphertext, 'mlkem768-x25519');
      return new NodeSecret(adopt(hybridDecapsulate(keys, ciphertext)));
    },
    destroy() {
      held = undefined;
    },
  };
}

export const nodeBackend: CryptoBackend = {
  name: 'node',
  prepare: undefined,
  generateKeyPair,

  encapsulate(encapsulationKey, m, kem = 'ml-kem-768') {
    check.encapsulation(encapsulationKey, m, kem);
    const native = NATIVE[kem];
    if (m === undefined && native !== undefined && hasNative(native))
      return nativeEncapsulate(native, encapsulationKey);
    if (m === undefined && native === undefined && hasNative(ML_KEM_768)) {
      const { ciphertext, sharedSecret } = hybridEncapsulate(encapsulationKey, (key) =>
        crypto.encapsulate(importPublic(ML_KEM_768, key)),
      );
      return { native: true, ciphertext, sharedSecret: new NodeSecret(adopt(sharedSecret)) };
    }
    return chain(portableOf(kem), (portable) => {
      const { ciphertext, sharedSecret } = portable.encapsulate(encapsulationKey, m);
      return { native: false, ciphertext, sharedSecret: new NodeSecret(adopt(sharedSecret)) };
    });
  },

  joinSecrets(first, second) {
    const parts = [check.own(first, NodeSecret).key.export(), check.own(second, NodeSecret).key.export()];
    try {
      return new NodeSecret(adopt(Buffer.concat(parts)));
    } finally {
      for (const part of parts) part.fill(0);
    }
  },

  importSecret(bytes) {
    check.bytes(bytes, 'secret');
    return new NodeSecret(crypto.createSecretKey(bytes));
  },

  sha256(data) {
    check.bytes(data, 'data');
    // A copy: the engine keeps so few bytes in the array itself, which costs less than memory of their own.
    return new Uint8Array(crypto.createHash('sha256').update(data).digest());
  },

  deriveBytes: derive,

  deriveSecret(secret, salt, info) {
    return new NodeSecret(adopt(derive(secret, salt, info, SHARED_SECRET_BYTES)));
  },

  deriveKey(secret, salt, info) {
    return new NodeAeadKey(adopt(derive(secret, salt, info, AEAD_KEY_BYTES)));
  },

  importKey(secret) {
    const { key } = check.own(secret, NodeSecret);
    check.aeadKeySize(key.symmetricKeySize ?? 0);
    return new NodeAeadKey(key);
  },
};
