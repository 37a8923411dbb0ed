/**
 * The cryptography that the protocol needs, as one small interface. Its implementations stand beside this
 * file: `noble/` (portable, synchronous), `node/` (node:crypto or pq-websocket-native, synchronous) and `webcrypto/`
 * (crypto.subtle, asynchronous, keys that script cannot read). For equal inputs all of them give the same bytes
 * and refuse the same inputs with the same error.
 *
 * Nothing here knows the protocol: no label, no record, no hello.
 */
import type { BackendName, KemName } from '../api/types.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';

/** Sizes in bytes: FIPS 203 table 3 (ML-KEM-768), SP 800-38D with a 96-bit IV and a 128-bit tag, FIPS 180-4. */
export const ENCAPSULATION_KEY_BYTES = 1184;
export const CIPHERTEXT_BYTES = 1088;
export const SHARED_SECRET_BYTES = 32;
/** Sizes in bytes, by KEM: FIPS 203 tables 2 and 3; draft-irtf-cfrg-concrete-hybrid-kems-04. `seed` and `message` are for test vectors. */
export const KEM_SIZES: Readonly<
  Record<
    KemName,
    { readonly key: number; readonly ciphertext: number; readonly seed: number; readonly message: number }
  >
> = {
  'ml-kem-768': { key: 1184, ciphertext: 1088, seed: 64, message: 32 },
  'mlkem768-x25519': { key: 1216, ciphertext: 1120, seed: 32, message: 64 },
  'ml-kem-1024': { key: 1568, ciphertext: 1568, seed: 64, message: 32 },
};
export const KEM_NAMES = Object.keys(KEM_SIZES) as KemName[];
export const AEAD_KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
export const HASH_BYTES = 32;

/**
 * Keying material that HKDF can be keyed with. With WebCrypto it may be a CryptoKey that script cannot read.
 * Its holder owns it, and calls `destroy` as soon as everything has been derived from it.
 */
export interface Secret {
  /** Overwrites what this process holds of the secret. Using it afterwards throws. */
  destroy(): void;
}

/** An AES-256-GCM key. A nonce is the caller's to choose, or is drawn at random by `sealFresh`. */
export interface AeadKey {
  /**
   * Seals in place. `frame` holds `nonce(12) || plaintext || 16 spare bytes`; afterwards it holds
   * `nonce || ciphertext || tag`, the same buffer, and is what the result resolves to.
   * @param content the first bytes of the plaintext, where they do not stand in `frame` yet: read in this turn, never
   *   changed, and not copied where the platform's cipher need not
   */
  seal(frame: Uint8Array, additionalData: Uint8Array, content?: Uint8Array): MaybePromise<Uint8Array>;

  /**
   * As `seal`, under a nonce that is drawn in the same call and written in front. Only where that is cheaper than drawing it
   * and sealing.
   */
  sealFresh?(frame: Uint8Array, additionalData: Uint8Array, content?: Uint8Array): MaybePromise<Uint8Array>;

  /**
   * Opens `nonce(12) || ciphertext || tag(16)`. Gives the plaintext, which belongs to the caller, or `undefined`
   * when the tag does not match or the frame is too short to hold one.
   * @param owned whether the frame may be overwritten, by its plaintext too, and where nothing else stands in its memory be given
   *   back, so that nothing is there; otherwise it is not changed
   */
  open(frame: Uint8Array, additionalData: Uint8Array, owned?: boolean): MaybePromise<Uint8Array | undefined>;

  /** Overwrites or lets go of the key. Using it afterwards throws. */
  destroy(): void;
}

/** A decapsulation key with the encapsulation key that belongs to it. Used for one connection. */
export interface KemKeyPair {
  readonly encapsulationKey: Uint8Array;
  /** Whether the platform's own ML-KEM made this pair and will decapsulate; otherwise @noble/post-quantum does. */
  readonly native: boolean;
  /**
   * ML-KEM.Decaps (FIPS 203 algorithm 21), after the ciphertext length check of section 7.3.
   * A ciphertext of the right length never fails: a wrong one gives an unrelated secret (implicit rejection).
   * @throws {KemInputError} when the ciphertext does not have the KEM's length
   */
  decapsulate(ciphertext: Uint8Array): MaybePromise<Secret>;
  destroy(): void;
}

export interface Encapsulation {
  /** Whether the platform's own ML-KEM computed this; otherwise @noble/post-quantum did. */
  readonly native: boolean;
  readonly ciphertext: Uint8Array;
  readonly sharedSecret: Secret;
}

export interface CryptoBackend {
  readonly name: BackendName;

  /**
   * ML-KEM.KeyGen (FIPS 203 algorithms 19 and 16).
   * @param seed 64 bytes, `d || z`, for test vectors only. The caller keeps the buffer and overwrites it once the result is
   *   there. Without it the backend draws from the platform's CSPRNG.
   * @param kem default `ml-kem-768`
   * @param joinable whether what is decapsulated is to be joined to another secret, and used for nothing else
   */
  generateKeyPair(seed?: Uint8Array, kem?: KemName, joinable?: boolean): MaybePromise<KemKeyPair>;

  /**
   * ML-KEM.Encaps (FIPS 203 algorithm 20), after the type and modulus checks of section 7.2.
   * @param m 32 bytes of randomness, for test vectors only. A platform's own KEM takes none, so with `m` every backend but
   *   pq-websocket-native's computes in portable code; the bytes are the same. Without it the backend draws from the platform's CSPRNG.
   * @param kem default `ml-kem-768`
   * @param joinable whether the secret is to be joined to another one, and used for nothing else
   * @throws {KemInputError} when the key is refused
   */
  encapsulate(
    encapsulationKey: Uint8Array,
    m?: Uint8Array,
    kem?: KemName,
    joinable?: boolean,
  ): MaybePromise<Encapsulation>;

  /** Takes a copy of `bytes` as keying material for HKDF. The caller overwrites its own. */
  importSecret(bytes: Uint8Array): MaybePromise<Secret>;

  /**
   * `first || second` as keying material for HKDF. Both stay the caller's to destroy.
   * @param first of 32 bytes, and made joinable, as `second`: a backend may refuse one that was not
   */
  joinSecrets(first: Secret, second: Secret): MaybePromise<Secret>;

  /** SHA-256 (FIPS 180-4). */
  sha256(data: Uint8Array): MaybePromise<Uint8Array>;

  /** HKDF-SHA-256, extract then expand (RFC 5869). `length` is 1 to 8160 bytes. The result is the caller's. */
  deriveBytes(secret: Secret, salt: Uint8Array, info: Uint8Array, length: number): MaybePromise<Uint8Array>;

  /**
   * 32 bytes of HKDF-SHA-256 as keying material, which script never sees where the platform can help it.
   * @param joinable whether it is to be joined to another secret, and used for nothing else
   */
  deriveSecret(secret: Secret, salt: Uint8Array, info: Uint8Array, joinable?: boolean): MaybePromise<Secret>;

  /** HKDF-SHA-256 to an AES-256-GCM key; with WebCrypto the key is never visible to script. */
  deriveKey(secret: Secret, salt: Uint8Array, info: Uint8Array): MaybePromise<AeadKey>;

  /**
   * The secret itself as AES-256-GCM key, for the yellowpages profile, which derives nothing.
   * @param secret 32 bytes of keying material, imported or of a KEM
   */
  importKey(secret: Secret): MaybePromise<AeadKey>;

  /**
   * Loads now what this platform turns out to lack, so that no connection waits for it later. Rejects where that fails; what needs
   * it tries again. An own undefined where nothing is ever loaded, so that nothing of a polluted `Object.prototype` is called.
   */
  readonly prepare?: (() => Promise<void>) | undefined;
}

/** What an encapsulation key or a ciphertext was refused for. Names lengths, never contents. */
export class KemInputError extends Error {
  override readonly name = 'KemInputError';
  constructor(
    readonly reason: 'length' | 'modulus',
    message: string,
  ) {
    super(message);
  }
}

/** Fills the array with bytes of the platform's CSPRNG and returns it. */
export type RandomSource = <T extends Uint8Array>(target: T) => T;
