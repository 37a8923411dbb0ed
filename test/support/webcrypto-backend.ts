/** The backend over crypto.subtle, whole: what a page loads when it needs it is here from the first. */
import type { MaybePromise } from '../../src/base/maybe-promise.ts';
import type { CryptoBackend, RandomSource } from '../../src/crypto/backend.ts';
import type { OtherKems, PortableKem } from '../../src/crypto/portable-kem.ts';
import { noOtherKems } from '../../src/crypto/portable-kem.ts';
import { webcryptoBackend as backendOf } from '../../src/crypto/webcrypto/backend.ts';
import { encapsulating } from '../../src/crypto/webcrypto/encapsulation.ts';

const platforms: RandomSource = (target) => {
  crypto.getRandomValues(target as Uint8Array<ArrayBuffer>);
  return target;
};

export function webcryptoBackend(
  subtle: SubtleCrypto,
  portable: () => MaybePromise<PortableKem>,
  random: RandomSource = platforms,
  others: () => MaybePromise<OtherKems> = noOtherKems,
): CryptoBackend {
  return backendOf(subtle, portable, random, others, () => encapsulating);
}
