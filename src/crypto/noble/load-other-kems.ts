/** The KEMs beside ML-KEM-768, loaded when a connection is first to have one of them: importing this package makes nothing. */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import type { OtherKems } from '../portable-kem.ts';

let loaded: OtherKems | undefined;

export function loadOtherKems(): MaybePromise<OtherKems> {
  return (
    loaded ??
    import('./other-kems.ts').then(({ nobleOtherKems }) => {
      loaded = nobleOtherKems;
      return nobleOtherKems;
    })
  );
}
