/** The options by which a server proves who it is: `identity` and `attest`. */
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { ServerCredentials } from '../protocol/authentication.ts';
import { chain } from '../base/maybe-promise.ts';
import type { ServerAuthenticationOptions } from '../api/types.ts';
import { readIdentity } from './identity.ts';
import { LENT } from './client-identity.ts';
import { signer } from '../protocol/signer.ts';
import { isUint8Array } from '../base/brands.ts';

export const SERVER_AUTHENTICATION_OPTIONS = [
  ...(['identity', 'attest', 'maxProofs'] as const),
  ...(['kems', 'clientKeys', 'clientIdentity'] as const),
];

/** @throws {TypeError | RangeError} for a key that is none */
export function serverCredentials(where: string, options: ServerAuthenticationOptions): ServerCredentials {
  const { identity, attest } = options;
  if (attest !== undefined && typeof attest !== 'function') {
    throw new TypeError(`${where}: option 'attest' must be a function`);
  }
  return {
    sign: identity === undefined ? undefined : signer(LENT, readIdentity(where, identity)),
    attest:
      attest &&
      ((userData, transcriptHash, signal): MaybePromise<Uint8Array> =>
        callAttester(attest, transcriptHash, {
          profile: 'v1',
          userData: userData.binary,
          userDataText: userData.text,
          signal,
        })),
  };
}

/** Throws or rejects where the application's `attest` fails, or gives no document. */
export function callAttester(
  attest: NonNullable<ServerAuthenticationOptions['attest']>,
  ...[transcriptHash, request]: Parameters<typeof attest>
): MaybePromise<Uint8Array> {
  return chain(attest(transcriptHash, request) as MaybePromise<Uint8Array>, (document) => {
    if (isUint8Array(document) && document.length > 0) return document;
    throw new TypeError('attest gave no bytes');
  });
}
