/** KEMs down to plain bytes, for the backends whose platform has none of its own. */
import type { KemName } from '../api/types.ts';
import type { KemKeyPair, RandomSource, Secret } from './backend.ts';
import { KEM_SIZES } from './backend.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';

/** A shared secret is a buffer of the caller, who overwrites it. */
export interface PortableKem {
  /** Without `seed`, or `m`, they are drawn from crypto.getRandomValues and overwritten. */
  keyPair(seed?: Uint8Array): PortableKeyPair;
  encapsulate(
    encapsulationKey: Uint8Array,
    m?: Uint8Array,
  ): { readonly ciphertext: Uint8Array; readonly sharedSecret: Uint8Array };
  /** A pair for a backend that makes secrets of its own out of bytes, and takes its time; `joinable` as it is for `importSecret`. */
  importedPair(into: SecretImport, seed: Uint8Array | undefined, joinable: boolean): Promise<KemKeyPair>;
}

/** Of such a backend. */
export interface SecretImport {
  readonly random: RandomSource;
  /** Only reads the bytes. */
  readonly importSecret: (bytes: Uint8Array, joinable: boolean) => Promise<Secret>;
}

/** A KEM, with what it is to crypto.subtle: here, since engines with a KEM of their own never load it. */
export function portableKem(name: KemName, kem: Omit<PortableKem, 'importedPair'>): PortableKem {
  return {
    ...kem,
    async importedPair({ random, importSecret }, seed, joinable) {
      // A library that drew it would ask whatever `crypto` is then.
      const used = seed ?? random(new Uint8Array(KEM_SIZES[name].seed));
      try {
        return adoptingKeyPair(kem.keyPair(used), async (sharedSecret) => {
          try {
            return await importSecret(sharedSecret, joinable);
          } finally {
            sharedSecret.fill(0);
          }
        });
      } finally {
        if (seed === undefined) used.fill(0);
      }
    },
  };
}

/** Those beside ML-KEM-768, which few connections have. */
export type OtherKems = Readonly<Record<Exclude<KemName, 'ml-kem-768'>, PortableKem>>;

/** @throws {Error} always: for a backend that is to have ML-KEM-768 alone */
export function noOtherKems(): never {
  throw new Error('this backend has ML-KEM-768 alone');
}

export interface PortableKeyPair {
  readonly encapsulationKey: Uint8Array;
  readonly decapsulate: (ciphertext: Uint8Array) => Uint8Array;
  readonly destroy: () => void;
}

/** @param adopt makes a secret of a backend's own out of bytes, which it takes over */
export function adoptingKeyPair(
  { encapsulationKey, decapsulate, destroy }: PortableKeyPair,
  adopt: (sharedSecret: Uint8Array) => MaybePromise<Secret>,
): KemKeyPair {
  return {
    native: false,
    encapsulationKey,
    decapsulate: (ciphertext) => adopt(decapsulate(ciphertext)),
    destroy,
  };
}
