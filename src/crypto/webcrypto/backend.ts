/**
 * The backend over crypto.subtle: asynchronous, keys that script cannot read, and the platform's own ML-KEM-768
 * where it has one (WICG "Modern Algorithms in the Web Cryptography API"; seen in Chromium 156 and Node 24).
 *
 * A CryptoKey cannot be overwritten; `destroy` lets go of it and the platform frees it.
 */
import { HAS_SERVERS } from '#has-servers';
import type { AeadKey, CryptoBackend, KemKeyPair, RandomSource, Secret } from '../backend.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { AEAD_KEY_BYTES, NONCE_BYTES, SHARED_SECRET_BYTES, TAG_BYTES } from '../backend.ts';
import * as check from '../checks.ts';
import type { KemName } from '../../api/types.ts';
import type { OtherKems, PortableKem } from '../portable-kem.ts';
import type { Encapsulating, Kem, KemSubtle, SecretKeys } from './subtle.ts';
import { AES, AES_USAGES } from './subtle.ts';
import { Map, Promise } from '../../base/captured.ts';

const HKDF_USAGES: KeyUsage[] = ['deriveBits', 'deriveKey'];

const ML_KEM_768: Kem = { name: 'ML-KEM-768' };
const ML_KEM_1024: Kem = { name: 'ML-KEM-1024' };
/** Those that a platform may have of its own. */
const NATIVE: Readonly<Partial<Record<KemName, Kem>>> = { 'ml-kem-768': ML_KEM_768, 'ml-kem-1024': ML_KEM_1024 };

class SubtleSecret implements Secret {
  #keys: SecretKeys | undefined;

  constructor(keys: SecretKeys) {
    this.#keys = keys;
  }

  get keys(): SecretKeys {
    return check.alive(this.#keys, 'secret');
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
    const key = check.alive(this.#key, 'AES-256-GCM key');
    check.seal(frame, additionalData, content);
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
    const key = check.alive(this.#key, 'AES-256-GCM key');
    if (!check.open(frame, additionalData)) return undefined;
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

function secretOf(keys: SecretKeys): SubtleSecret {
  return new SubtleSecret(keys);
}

/** @throws {Error} where the secret was made for another use */
function usable(key: CryptoKey | undefined): CryptoKey {
  if (key === undefined) throw new Error('a secret was made for another use');
  return key;
}

/** What HKDF is keyed with. */
function baseKey(secret: Secret): CryptoKey {
  return usable(check.own(secret, SubtleSecret).keys.hkdf);
}

/** Web Cryptography takes no view of shared memory, which the other backends read like any other. */
function source(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const shared = Object.prototype.toString.call(bytes.buffer) === '[object SharedArrayBuffer]';
  return shared ? Uint8Array.from(bytes) : (bytes as Uint8Array<ArrayBuffer>);
}

/**
 * @param portable gives what does ML-KEM-768 where the platform does not; asked each time, and never where it does
 * @param others the same for the other KEMs
 * @param encapsulation gives what encapsulates, which no client does: asked when it is first needed
 */
export function webcryptoBackend(
  subtle: SubtleCrypto,
  portable: () => MaybePromise<PortableKem>,
  random: RandomSource,
  others: () => MaybePromise<OtherKems>,
  encapsulation: () => MaybePromise<Encapsulating>,
): CryptoBackend {
  const kem = subtle as unknown as KemSubtle;

  /** @param joinable as it is for `deriveSecret` */
  async function importSecret(bytes: Uint8Array, joinable = false): Promise<SubtleSecret> {
    check.bytes(bytes, 'secret');
    const data = source(bytes);
    const size = data.length;
    const [hkdf, aes] = await Promise.all([
      subtle.importKey('raw', data, 'HKDF', false, HKDF_USAGES),
      size === AEAD_KEY_BYTES ? subtle.importKey('raw', data, AES, joinable, AES_USAGES) : undefined,
    ]);
    return new SubtleSecret({ size, hkdf, aes });
  }

  /**
   * A key that script cannot read, of what one or two extractable keys hold, in their order. HKDF gives no key for HKDF,
   * and Web Cryptography joins none: they pass through script enciphered, under a key that is gone afterwards.
   */
  async function keyOf(
    parts: readonly (CryptoKey | undefined)[],
    algorithm: 'HKDF' | typeof AES = 'HKDF',
    usages = HKDF_USAGES,
  ): Promise<CryptoKey> {
    const wrapping = await subtle.generateKey({ name: 'AES-CTR', length: 256 }, false, ['wrapKey', 'unwrapKey']);
    // SP 800-38A section 6.5: a keystream, so that ciphertexts of its consecutive blocks, two for each part, are one.
    const from = (block: number): AesCtrParams => ({
      name: 'AES-CTR',
      counter: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, block),
      length: 64,
    });
    const whole = new Uint8Array(SHARED_SECRET_BYTES * parts.length);
    for (const [i, part] of parts.entries()) {
      const wrapped = await subtle.wrapKey('raw', usable(part), wrapping, from(2 * i));
      whole.set(new Uint8Array(wrapped), SHARED_SECRET_BYTES * i);
    }
    return subtle.unwrapKey('raw', whole, wrapping, from(0), algorithm, false, usages);
  }

  /** Drawn by the platform, so that script never sees what it is made of, unless a test gives a seed. */
  async function nativeKeys(algorithm: Kem, seed: Uint8Array | undefined): Promise<CryptoKeyPair> {
    if (seed === undefined) return kem.generateKey(algorithm, false, ['decapsulateKey']);
    const privateKey = await kem.importKey('raw-seed', source(seed), algorithm, false, ['decapsulateKey']);
    return { privateKey, publicKey: await kem.getPublicKey(privateKey, ['encapsulateKey']) };
  }

  async function nativeKeyPair(
    name: KemName,
    algorithm: Kem,
    seed: Uint8Array | undefined,
    joinable: boolean,
  ): Promise<KemKeyPair> {
    const { privateKey, publicKey } = await nativeKeys(algorithm, seed);
    let held: CryptoKey | undefined = privateKey;
    return {
      native: true,
      encapsulationKey: new Uint8Array(await kem.exportKey('raw-public', publicKey)),
      async decapsulate(ciphertext) {
        const decapsulationKey = check.alive(held, `${check.kemTitle(name)} key pair`);
        check.ciphertext(ciphertext, name);
        const data = source(ciphertext);
        const size = SHARED_SECRET_BYTES;
        const aesKey = (extractable: boolean): Promise<CryptoKey> =>
          kem.decapsulateKey(algorithm, decapsulationKey, data, AES, extractable, AES_USAGES);
        if (joinable) return new SubtleSecret({ size, aes: await aesKey(true) });
        // Twice, once for each use: so the shared secret is never bytes in script.
        const [hkdf, aes] = await Promise.all([
          kem.decapsulateKey(algorithm, decapsulationKey, data, 'HKDF', false, HKDF_USAGES),
          aesKey(false),
        ]);
        return new SubtleSecret({ size, hkdf, aes });
      },
      destroy() {
        held = undefined;
      },
    };
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
    const pair = await nativeKeyPair(name, algorithm, undefined, false);
    const publicKey = await kem.importKey('raw-public', source(pair.encapsulationKey), algorithm, false, [
      'encapsulateKey',
    ]);
    const { ciphertext, sharedKey } = await kem.encapsulateKey(algorithm, publicKey, 'HKDF', false, HKDF_USAGES);
    const none = new Uint8Array(0);
    const ours = await deriveBytes(await pair.decapsulate(new Uint8Array(ciphertext)), none, none, 32);
    const theirs = await deriveBytes(secretOf({ size: SHARED_SECRET_BYTES, hkdf: sharedKey }), none, none, 32);
    return ours.every((byte, i) => byte === theirs[i]);
  }

  async function portableOf(name: KemName): Promise<PortableKem> {
    return name === 'ml-kem-768' ? portable() : (await others())[name];
  }

  function hkdf(salt: Uint8Array, info: Uint8Array): HkdfParams {
    return { name: 'HKDF', hash: 'SHA-256', salt: source(salt), info: source(info) };
  }

  async function deriveBytes(secret: Secret, salt: Uint8Array, info: Uint8Array, length: number): Promise<Uint8Array> {
    check.hkdf(salt, info, length);
    return new Uint8Array(await subtle.deriveBits(hkdf(salt, info), baseKey(secret), 8 * length));
  }

  async function derivedKey(
    secret: Secret,
    salt: Uint8Array,
    info: Uint8Array,
    extractable: boolean,
  ): Promise<CryptoKey> {
    check.hkdf(salt, info, AEAD_KEY_BYTES);
    return subtle.deriveKey(hkdf(salt, info), baseKey(secret), AES, extractable, AES_USAGES);
  }

  return {
    name: 'webcrypto',

    async prepare() {
      if ((await nativeOf('ml-kem-768')) === undefined) await portable();
    },

    async generateKeyPair(seed, name = 'ml-kem-768', joinable = false) {
      check.seed(seed, name);
      const algorithm = await nativeOf(name);
      if (algorithm !== undefined) return nativeKeyPair(name, algorithm, seed, joinable);
      return (await portableOf(name)).importedPair({ random, importSecret }, seed, joinable);
    },

    async encapsulate(encapsulationKey, m, name = 'ml-kem-768', joinable = false) {
      if (!HAS_SERVERS) throw new Error('no client encapsulates');
      check.bytes(encapsulationKey, `${check.kemTitle(name)} encapsulation key`);
      // What is checked is what is used, whatever the caller does to its array in the meantime.
      const key = Uint8Array.from(encapsulationKey);
      const encapsulate = await encapsulation();
      return encapsulate({ kem, nativeOf, portableOf, keyOf, importSecret, secretOf }, key, m, name, joinable);
    },

    async joinSecrets(first, second) {
      const parts = [first, second].map((secret) => check.own(secret, SubtleSecret).keys.aes);
      return new SubtleSecret({ size: SHARED_SECRET_BYTES * 2, hkdf: await keyOf(parts) });
    },

    async importSecret(bytes) {
      return importSecret(bytes);
    },

    async sha256(data) {
      check.bytes(data, 'data');
      return new Uint8Array(await subtle.digest('SHA-256', source(data)));
    },

    deriveBytes,

    async deriveSecret(secret, salt, info, joinable = false) {
      const size = SHARED_SECRET_BYTES;
      const aes = await derivedKey(secret, salt, info, true);
      return new SubtleSecret(joinable ? { size, aes } : { size, hkdf: await keyOf([aes]) });
    },

    async deriveKey(secret, salt, info) {
      return new SubtleAeadKey(subtle, await derivedKey(secret, salt, info, false));
    },

    async importKey(secret) {
      const { size, aes } = check.own(secret, SubtleSecret).keys;
      check.aeadKeySize(size);
      return new SubtleAeadKey(subtle, usable(aes));
    },
  };
}
