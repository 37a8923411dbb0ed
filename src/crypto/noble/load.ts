/** What this platform may lack, loaded when it turns out to: Node 24 and later need none of it, and it takes a seventh of a server's start. */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import type { PortableKem } from '../portable-kem.ts';
import type { SignatureScheme } from '../signature.ts';

let kem: PortableKem | undefined;
let signatures: SignatureScheme | undefined;

/** ML-KEM-768. */
export function loadKem(): MaybePromise<PortableKem> {
  return kem ?? import('./kem.ts').then(({ nobleKem }) => (kem = nobleKem));
}

/** ML-DSA-65. */
export function loadSignatures(): MaybePromise<SignatureScheme> {
  return signatures ?? import('./signature.ts').then(({ nobleSignatures }) => (signatures = nobleSignatures));
}
