/** KEMs down to plain bytes, for the backends whose platform has none of its own. */
import type { KemName } from '../api/types.ts';
import type { KemKeyPair, Secret } from './backend.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';

/** A shared secret is a buffer of the caller, who overwrites it. */
export interface PortableKem {
  /** Without `seed`, or `m`, they are drawn from crypto.getRandomValues and overwritten. */
  keyPair(seed?: Uint8Array): PortableKeyPair;
  encapsulate(
    encapsulationKey: Uint8Array,
    m?: Uint8Array,
  ): { readonly ciphertext: Uint8Array; readonly sharedSecret: Uint8Array };
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
