/**
 * The backend over crypto.subtle: asynchronous, keys that script cannot read, and the platform's own ML-KEM-768
 * where it has one (WICG "Modern Algorithms in the Web Cryptography API"; seen in Chromium 156 and Node 24).
 *
 * A CryptoKey cannot be overwritten; `destroy` lets go of it and the platform frees it.
 */
import type { AeadKey, Encapsulation, KemKeyPair, LoadingBackend, RandomSource, Secret } from '../backend.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { AEAD_KEY_BYTES, KEM_SEED_BYTES, NONCE_BYTES, SHARED_SECRET_BYTES, TAG_BYTES } from '../backend.ts';
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
import type { PortableKem } from '../portable-kem.ts';
import { adoptingKeyPair } from '../portable-kem.ts';
import { Promise } from '../../base/captured.ts';

const AES = { name: 'AES-GCM', length: 8 * AEAD_KEY_BYTES };
const KEM = { name: 'ML-KEM-768' };

/** What the WICG draft adds to SubtleCrypto, as far as it is used here; TypeScript's DOM library has none of it. */
interface KemSubtle {
  importKey(
    format: 'raw-seed' | 'raw-public',
    data: BufferSource,
    algorithm: typeof KEM,
    extractable: boolean,
    usages: string[],
  ): Promise<CryptoKey>;
  exportKey(format: 'raw-public', key: CryptoKey): Promise<ArrayBuffer>;
  getPublicKey(key: CryptoKey, usages: string[]): Promise<CryptoKey>;
  encapsulateBits(
    algorithm: typeof KEM,
    key: CryptoKey,
  ): Promise<{ readonly ciphertext: ArrayBuffer; readonly sharedKey: ArrayBuffer }>;
  decapsulateKey(
    algorithm: typeof KEM,
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

/** @param portable gives what does ML-KEM-768 where the platform does not; asked each time, and never where it does */
export function webcryptoBackend(
  subtle: SubtleCrypto,
  portable: () => MaybePromise<PortableKem>,
  random: RandomSource = (target) => crypto.getRandomValues(target as Uint8Array<ArrayBuffer>) as typeof target,
): LoadingBackend {
  const kem = subtle as unknown as KemSubtle;

  async function importSecret(bytes: Uint8Array): Promise<SubtleSecret> {
    checkBytes(bytes, 'secret');
    const data = source(bytes);
    const [hkdf, aes] = await Promise.all([
      subtle.importKey('raw', data, 'HKDF', false, ['deriveBits', 'deriveKey']),
      data.length === AEAD_KEY_BYTES ? subtle.importKey('raw', data, AES, false, ['encrypt', 'decrypt']) : undefined,
    ]);
    return new SubtleSecret({ size: data.length, hkdf, aes });
  }

  /** Makes a secret of `bytes`, which it overwrites. */
  async function adopt(bytes: Uint8Array): Promise<SubtleSecret> {
    try {
      return await importSecret(bytes);
    } finally {
      bytes.fill(0);
    }
  }

  async function nativeKeyPair(seed: Uint8Array): Promise<KemKeyPair> {
    let held: CryptoKey | undefined = await kem.importKey('raw-seed', source(seed), KEM, false, ['decapsulateKey']);
    const publicKey = await kem.getPublicKey(held, ['encapsulateBits']);
    return {
      native: true,
      encapsulationKey: new Uint8Array(await kem.exportKey('raw-public', publicKey)),
      async decapsulate(ciphertext) {
        const decapsulationKey = alive(held, 'ML-KEM-768 key pair');
        checkCiphertext(ciphertext);
        const data = source(ciphertext);
        // Twice, once for each use: so the shared secret is never bytes in script.
        const [hkdf, aes] = await Promise.all([
          kem.decapsulateKey(KEM, decapsulationKey, data, 'HKDF', false, ['deriveBits', 'deriveKey']),
          kem.decapsulateKey(KEM, decapsulationKey, data, AES, false, ['encrypt', 'decrypt']),
        ]);
        return new SubtleSecret({ size: SHARED_SECRET_BYTES, hkdf, aes });
      },
      destroy() {
        held = undefined;
      },
    };
  }

  async function nativeEncapsulate(encapsulationKey: Uint8Array): Promise<Encapsulation> {
    const publicKey = await kem.importKey('raw-public', source(encapsulationKey), KEM, false, ['encapsulateBits']);
    // encapsulateKey would give a key of one algorithm, and a second encapsulation is a second secret: here
    // the bytes pass through script, for as long as the two imports take.
    const { ciphertext, sharedKey } = await kem.encapsulateBits(KEM, publicKey);
    const sharedSecret = await adopt(new Uint8Array(sharedKey));
    return { native: true, ciphertext: new Uint8Array(ciphertext), sharedSecret };
  }

  let nativeKem: Promise<boolean> | undefined;

  /** Whether this platform has ML-KEM-768, found out by using it once. */
  function hasNativeKem(): Promise<boolean> {
    nativeKem ??= tryNativeKem().catch(() => false);
    return nativeKem;
  }

  async function tryNativeKem(): Promise<boolean> {
    const pair = await nativeKeyPair(new Uint8Array(KEM_SEED_BYTES));
    const { ciphertext, sharedSecret } = await nativeEncapsulate(pair.encapsulationKey);
    const none = new Uint8Array(0);
    const ours = await deriveBytes(await pair.decapsulate(ciphertext), none, none, 32);
    const theirs = await deriveBytes(sharedSecret, none, none, 32);
    return ours.every((byte, i) => byte === theirs[i]);
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
      if (!(await hasNativeKem())) await portable();
    },

    async generateKeyPair(seed) {
      checkSeed(seed);
      // A library that drew it would ask whatever `crypto` is then.
      const used = seed ?? random(new Uint8Array(KEM_SEED_BYTES));
      try {
        if (await hasNativeKem()) return await nativeKeyPair(used);
        return adoptingKeyPair((await portable()).keyPair(used), adopt);
      } finally {
        if (seed === undefined) used.fill(0);
      }
    },

    async encapsulate(encapsulationKey, m) {
      checkEncapsulation(encapsulationKey, m);
      // What was checked is what is used, whatever the caller does to its array in the meantime.
      const checked = Uint8Array.from(encapsulationKey);
      if (m === undefined && (await hasNativeKem())) return nativeEncapsulate(checked);
      const { ciphertext, sharedSecret } = (await portable()).encapsulate(checked, m);
      return { native: false, ciphertext, sharedSecret: await adopt(sharedSecret) };
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
