/**
 * The backend over crypto.subtle: asynchronous, keys that script cannot read, and the platform's own ML-KEM-768
 * where it has one (WICG "Modern Algorithms in the Web Cryptography API"; seen in Chromium 156 and Node 24).
 *
 * A CryptoKey cannot be overwritten; `destroy` lets go of it and the platform frees it.
 */
import type { AeadKey, CryptoBackend, Encapsulation, KemKeyPair, RandomSource, Secret } from '../backend.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { AEAD_KEY_BYTES, KEM_SIZES, KEM_SEED_BYTES, NONCE_BYTES, SHARED_SECRET_BYTES, TAG_BYTES } from '../backend.ts';
import {
  alive,
  checkAeadKeySize,
  checkBytes,
  checkCiphertext,
  checkEncapsulation,
  checkHkdf,
  checkOpen,
  checkSeal,
  joined,
  checkSeed,
  KEM_TITLES,
  own,
} from '../checks.ts';
import type { KemName } from '../../api/types.ts';
import type { OtherKems, PortableKem } from '../portable-kem.ts';
import { adoptingKeyPair, noOtherKems } from '../portable-kem.ts';
import { Map, Promise } from '../../base/captured.ts';

const AES = { name: 'AES-GCM', length: 8 * AEAD_KEY_BYTES };

interface Kem {
  readonly name: string;
}
const ML_KEM_768: Kem = { name: 'ML-KEM-768' };
const ML_KEM_1024: Kem = { name: 'ML-KEM-1024' };
/** Those that a platform may have of its own. */
const NATIVE: Readonly<Partial<Record<KemName, Kem>>> = { 'ml-kem-768': ML_KEM_768, 'ml-kem-1024': ML_KEM_1024 };

/** What the WICG draft adds to SubtleCrypto, as far as it is used here; TypeScript's DOM library has none of it. */
interface KemSubtle {
  importKey(
    format: 'raw-seed' | 'raw-public',
    data: BufferSource,
    algorithm: Kem,
    extractable: boolean,
    usages: string[],
  ): Promise<CryptoKey>;
  exportKey(format: 'raw-public', key: CryptoKey): Promise<ArrayBuffer>;
  getPublicKey(key: CryptoKey, usages: string[]): Promise<CryptoKey>;
  encapsulateBits(
    algorithm: Kem,
    key: CryptoKey,
  ): Promise<{ readonly ciphertext: ArrayBuffer; readonly sharedKey: ArrayBuffer }>;
  decapsulateBits(algorithm: Kem, key: CryptoKey, ciphertext: BufferSource): Promise<ArrayBuffer>;
  decapsulateKey(
    algorithm: Kem,
    key: CryptoKey,
    ciphertext: BufferSource,
    sharedKeyAlgorithm: 'HKDF' | typeof AES,
    extractable: boolean,
    usages: KeyUsage[],
  ): Promise<CryptoKey>;
}

/**
 * A CryptoKey serves one algorithm only, so a secret is held as a key of each that it may be used for, both made
 * while the bytes (or the ciphertext) are at hand: the alternative is to keep bytes that script can read.
 */
interface SecretKeys {
  readonly size: number;
  readonly hkdf: CryptoKey;
  /** Absent unless `size` is that of an AES-256 key. */
  readonly aes: CryptoKey | undefined;
  /** The bytes, where they are to be joined to others. */
  readonly bytes: Uint8Array | undefined;
}

class SubtleSecret implements Secret {
  #keys: SecretKeys | undefined;

  constructor(keys: SecretKeys) {
    this.#keys = keys;
  }

  get keys(): SecretKeys {
    return alive(this.#keys, 'secret');
  }

  destroy(): void {
    this.#keys?.bytes?.fill(0);
    this.#keys = undefined;
  }
}

class SubtleAeadKey implements AeadKey {
  #key: CryptoKey | undefined;
  readonly #subtle: SubtleCrypto;

  constructor(subtle: SubtleCrypto, key: CryptoKey) {
    this.#subtle = subtle;
    this.#key = key;
  }

  async seal(frame: Uint8Array, additionalData: Uint8Array, content?: Uint8Array): Promise<Uint8Array> {
    const key = alive(this.#key, 'AES-256-GCM key');
    checkSeal(frame, additionalData, content);
    if (content !== undefined) frame.set(content, NONCE_BYTES);
    const sealed = await this.#subtle.encrypt(
      gcm(frame, additionalData),
      key,
      source(frame.subarray(NONCE_BYTES, -TAG_BYTES)),
    );
    frame.set(new Uint8Array(sealed), NONCE_BYTES);
    return frame;
  }

  async open(frame: Uint8Array, additionalData: Uint8Array): Promise<Uint8Array | undefined> {
    const key = alive(this.#key, 'AES-256-GCM key');
    if (!checkOpen(frame, additionalData)) return undefined;
    try {
      const sealed = source(frame.subarray(NONCE_BYTES));
      return new Uint8Array(await this.#subtle.decrypt(gcm(frame, additionalData), key, sealed));
    } catch (error) {
      // Web Cryptography API, AES-GCM decrypt: a tag that does not match, and nothing else that can happen here.
      if ((error as { name?: unknown } | null)?.name === 'OperationError') return undefined;
      throw error;
    }
  }

  destroy(): void {
    this.#key = undefined;
  }
}

function gcm(frame: Uint8Array, additionalData: Uint8Array): AesGcmParams {
  return {
    name: 'AES-GCM',
    iv: source(frame.subarray(0, NONCE_BYTES)),
    additionalData: source(additionalData),
    tagLength: 8 * TAG_BYTES,
  };
}

/** Web Cryptography takes no view of shared memory, which the other backends read like any other. */
function source(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const shared = Object.prototype.toString.call(bytes.buffer) === '[object SharedArrayBuffer]';
  return shared ? Uint8Array.from(bytes) : (bytes as Uint8Array<ArrayBuffer>);
}

/**
 * @param portable gives what does ML-KEM-768 where the platform does not; asked each time, and never where it does
 * @param others the same for the other KEMs
 */
export function webcryptoBackend(
  subtle: SubtleCrypto,
  portable: () => MaybePromise<PortableKem>,
  random: RandomSource = (target) => {
    globalThis.crypto.getRandomValues(target as Uint8Array<ArrayBuffer>);
    return target;
  },
  others: () => MaybePromise<OtherKems> = noOtherKems,
): CryptoBackend {
  const kem = subtle as unknown as KemSubtle;

  async function importSecret(bytes: Uint8Array, joinable = false): Promise<SubtleSecret> {
    checkBytes(bytes, 'secret');
    const data = source(bytes);
    const kept = joinable ? Uint8Array.from(bytes) : undefined;
    const [hkdf, aes] = await Promise.all([
      subtle.importKey('raw', data, 'HKDF', false, ['deriveBits', 'deriveKey']),
      data.length === AEAD_KEY_BYTES ? subtle.importKey('raw', data, AES, false, ['encrypt', 'decrypt']) : undefined,
    ]);
    return new SubtleSecret({ size: data.length, hkdf, aes, bytes: kept });
  }

  /** Makes a secret of `bytes`, which it overwrites. */
  async function adopt(bytes: Uint8Array, joinable = false): Promise<SubtleSecret> {
    try {
      return await importSecret(bytes, joinable);
    } finally {
      bytes.fill(0);
    }
  }

  async function nativeKeyPair(
    name: KemName,
    algorithm: Kem,
    seed: Uint8Array,
    joinable: boolean,
  ): Promise<KemKeyPair> {
    let held: CryptoKey | undefined = await kem.importKey('raw-seed', source(seed), algorithm, false, [
      joinable ? 'decapsulateBits' : 'decapsulateKey',
    ]);
    const publicKey = await kem.getPublicKey(held, ['encapsulateBits']);
    return {
      native: true,
      encapsulationKey: new Uint8Array(await kem.exportKey('raw-public', publicKey)),
      async decapsulate(ciphertext) {
        const decapsulationKey = alive(held, `${KEM_TITLES[name]} key pair`);
        checkCiphertext(ciphertext, name);
        const data = source(ciphertext);
        if (joinable) return adopt(new Uint8Array(await kem.decapsulateBits(algorithm, decapsulationKey, data)), true);
        // Twice, once for each use: so the shared secret is never bytes in script.
        const [hkdf, aes] = await Promise.all([
          kem.decapsulateKey(algorithm, decapsulationKey, data, 'HKDF', false, ['deriveBits', 'deriveKey']),
          kem.decapsulateKey(algorithm, decapsulationKey, data, AES, false, ['encrypt', 'decrypt']),
        ]);
        return new SubtleSecret({ size: SHARED_SECRET_BYTES, hkdf, aes, bytes: undefined });
      },
      destroy() {
        held = undefined;
      },
    };
  }

  async function nativeEncapsulate(algorithm: Kem, key: Uint8Array, joinable: boolean): Promise<Encapsulation> {
    const publicKey = await kem.importKey('raw-public', source(key), algorithm, false, ['encapsulateBits']);
    // encapsulateKey would give a key of one algorithm, and a second encapsulation is a second secret: here
    // the bytes pass through script, for as long as the two imports take.
    const { ciphertext, sharedKey } = await kem.encapsulateBits(algorithm, publicKey);
    const sharedSecret = await adopt(new Uint8Array(sharedKey), joinable);
    return { native: true, ciphertext: new Uint8Array(ciphertext), sharedSecret };
  }

  const present = new Map<KemName, Promise<boolean>>();

  /** The platform's own, where it has it: found out by using it once. */
  async function nativeOf(name: KemName): Promise<Kem | undefined> {
    const algorithm = NATIVE[name];
    if (algorithm === undefined) return undefined;
    let has = present.get(name);
    if (has === undefined) present.set(name, (has = tryNative(name, algorithm).catch(() => false)));
    return (await has) ? algorithm : undefined;
  }

  async function tryNative(name: KemName, algorithm: Kem): Promise<boolean> {
    const pair = await nativeKeyPair(name, algorithm, new Uint8Array(KEM_SEED_BYTES), false);
    const { ciphertext, sharedSecret } = await nativeEncapsulate(algorithm, pair.encapsulationKey, false);
    const none = new Uint8Array(0);
    const ours = await deriveBytes(await pair.decapsulate(ciphertext), none, none, 32);
    const theirs = await deriveBytes(sharedSecret, none, none, 32);
    return ours.every((byte, i) => byte === theirs[i]);
  }

  async function portableOf(name: KemName): Promise<PortableKem> {
    return name === 'ml-kem-768' ? portable() : (await others())[name];
  }

  function hkdf(salt: Uint8Array, info: Uint8Array): HkdfParams {
    return { name: 'HKDF', hash: 'SHA-256', salt: source(salt), info: source(info) };
  }

  async function deriveBytes(secret: Secret, salt: Uint8Array, info: Uint8Array, length: number): Promise<Uint8Array> {
    checkHkdf(salt, info, length);
    return new Uint8Array(await subtle.deriveBits(hkdf(salt, info), own(secret, SubtleSecret).keys.hkdf, 8 * length));
  }

  return {
    name: 'webcrypto',

    async prepare() {
      if ((await nativeOf('ml-kem-768')) === undefined) await portable();
    },

    async generateKeyPair(seed, name = 'ml-kem-768', joinable = false) {
      checkSeed(seed, name);
      const algorithm = await nativeOf(name);
      // A library that drew it would ask whatever `crypto` is then.
      const used = seed ?? random(new Uint8Array(KEM_SIZES[name].seed));
      try {
        if (algorithm !== undefined) return await nativeKeyPair(name, algorithm, used, joinable);
        return adoptingKeyPair((await portableOf(name)).keyPair(used), (bytes) => adopt(bytes, joinable));
      } finally {
        if (seed === undefined) used.fill(0);
      }
    },

    async encapsulate(encapsulationKey, m, name = 'ml-kem-768', joinable = false) {
      checkEncapsulation(encapsulationKey, m, name);
      // What was checked is what is used, whatever the caller does to its array in the meantime.
      const checked = Uint8Array.from(encapsulationKey);
      const algorithm = m === undefined ? await nativeOf(name) : undefined;
      if (algorithm !== undefined) return nativeEncapsulate(algorithm, checked, joinable);
      const { ciphertext, sharedSecret } = (await portableOf(name)).encapsulate(checked, m);
      return { native: false, ciphertext, sharedSecret: await adopt(sharedSecret, joinable) };
    },

    async joinSecrets(first, second) {
      const [a, b] = [own(first, SubtleSecret).keys.bytes, own(second, SubtleSecret).keys.bytes];
      if (a === undefined || b === undefined) throw new Error('a secret was not made joinable');
      return adopt(joined(a, b));
    },

    importSecret,

    async sha256(data) {
      checkBytes(data, 'data');
      return new Uint8Array(await subtle.digest('SHA-256', source(data)));
    },

    deriveBytes,

    async deriveKey(secret, salt, info) {
      checkHkdf(salt, info, AEAD_KEY_BYTES);
      const { keys } = own(secret, SubtleSecret);
      const key = await subtle.deriveKey(hkdf(salt, info), keys.hkdf, AES, false, ['encrypt', 'decrypt']);
      return new SubtleAeadKey(subtle, key);
    },

    async importKey(secret) {
      const { size, aes } = own(secret, SubtleSecret).keys;
      checkAeadKeySize(size);
      return new SubtleAeadKey(subtle, alive(aes, 'secret'));
    },
  };
}
