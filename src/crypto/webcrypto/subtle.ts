/** What the files of this folder know of crypto.subtle in common. */
import type { KemName } from '../../api/types.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import type { Encapsulation, Secret } from '../backend.ts';
import { AEAD_KEY_BYTES } from '../backend.ts';
import type { PortableKem } from '../portable-kem.ts';

export const AES = { name: 'AES-GCM', length: 8 * AEAD_KEY_BYTES };
export const AES_USAGES: KeyUsage[] = ['encrypt', 'decrypt'];

export interface Kem {
  readonly name: string;
}

/** What the WICG draft adds to SubtleCrypto, as far as it is used here; TypeScript's DOM library has none of it. */
export interface KemSubtle {
  importKey(
    format: 'raw-seed' | 'raw-public',
    data: BufferSource,
    algorithm: Kem,
    extractable: boolean,
    usages: string[],
  ): Promise<CryptoKey>;
  generateKey(algorithm: Kem, extractable: boolean, usages: string[]): Promise<CryptoKeyPair>;
  exportKey(format: 'raw-public', key: CryptoKey): Promise<ArrayBuffer>;
  getPublicKey(key: CryptoKey, usages: string[]): Promise<CryptoKey>;
  encapsulateKey(
    algorithm: Kem,
    key: CryptoKey,
    sharedKeyAlgorithm: 'HKDF' | typeof AES,
    extractable: boolean,
    usages: KeyUsage[],
  ): Promise<{ readonly ciphertext: ArrayBuffer; readonly sharedKey: CryptoKey }>;
  decapsulateKey(
    algorithm: Kem,
    key: CryptoKey,
    ciphertext: BufferSource,
    sharedKeyAlgorithm: 'HKDF' | typeof AES,
    extractable: boolean,
    usages: KeyUsage[],
  ): Promise<CryptoKey>;
}

/** A CryptoKey serves one algorithm only, so a secret is held as a key of each that it may be used for. */
export interface SecretKeys {
  readonly size: number;
  /** Absent where the secret is to be joined to another. */
  readonly hkdf?: CryptoKey | undefined;
  /** Where `size` is that of an AES-256 key, but not what HKDF has derived. Extractable where it is to be joined: that joins without seeing its bytes. */
  readonly aes?: CryptoKey | undefined;
}

/** Of the backend: what encapsulating needs. */
export interface Encapsulator {
  readonly kem: KemSubtle;
  readonly nativeOf: (name: KemName) => Promise<Kem | undefined>;
  readonly portableOf: (name: KemName) => Promise<PortableKem>;
  /** A key that script cannot read, of what an extractable one holds: for HKDF, or for what is said. */
  readonly keyOf: (parts: readonly CryptoKey[], algorithm?: typeof AES, usages?: KeyUsage[]) => Promise<CryptoKey>;
  /** Only reads the bytes. */
  readonly importSecret: (bytes: Uint8Array, joinable: boolean) => Promise<Secret>;
  readonly secretOf: (keys: SecretKeys) => Secret;
}

/** As the backend's `encapsulate`, with a key of the right type that is its own. */
export type Encapsulating = (
  parts: Encapsulator,
  key: Uint8Array<ArrayBuffer>,
  m: Uint8Array | undefined,
  name: KemName,
  joinable: boolean,
) => MaybePromise<Encapsulation>;
