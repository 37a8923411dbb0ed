/** The options by which a client knows its server: `serverKeys` and `verifyAttestation`. */
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { ClientDemands } from '../protocol/authentication.ts';
import { readPins, verifyByPins } from './pins.ts';
import { chain } from '../base/maybe-promise.ts';
import type { AttestationContext, ClientAuthenticationOptions } from '../api/types.ts';

export const CLIENT_AUTHENTICATION_OPTIONS = ['serverKeys', 'verifyAttestation', 'identity'] as const;

/**
 * @param url the socket's, for the application's verifier
 * @throws {TypeError | RangeError} for a pin that is none
 */
export function clientDemands(where: string, options: ClientAuthenticationOptions, url: string): ClientDemands {
  const { serverKeys, verifyAttestation } = options;
  if (verifyAttestation !== undefined && typeof verifyAttestation !== 'function') {
    throw new TypeError(`${where}: option 'verifyAttestation' must be a function`);
  }
  const pins = serverKeys === undefined ? undefined : readPins(where, 'serverKeys', serverKeys);
  return {
    verifySignature:
      pins && ((message, signature, publicKey, only) => verifyByPins(pins, message, signature, publicKey, only)),
    verifyAttestation:
      verifyAttestation &&
      ((document, userData, transcriptHash): MaybePromise<void> =>
        callVerifier(verifyAttestation, document, {
          profile: 'v1',
          url,
          userData: userData.binary,
          userDataText: userData.text,
          transcriptHash,
        })),
  };
}

/** Throws or rejects where the application's verifier refuses. */
export function callVerifier(
  verify: (document: Uint8Array, context: AttestationContext) => void | Promise<void>,
  document: Uint8Array,
  context: AttestationContext,
): MaybePromise<void> {
  return chain(verify(document, context) as MaybePromise<unknown>, (result) => {
    // A verifier that says no in the other usual way must not be taken for one that says nothing.
    if (result === false) throw new Error('verifyAttestation gave false');
  });
}
