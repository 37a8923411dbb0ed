/** A client that asks who its server is, or says who it is: loaded where one does. */
import type { AttestationContext } from '../api/types.ts';
import { chain } from '../base/maybe-promise.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { Authenticate, Prove } from './authentication.ts';
import { authenticator, clientProver } from './authentication.ts';
import type { LentCryptography, Pin } from './pinned-keys.ts';
import { verifyByPins } from './pinned-keys.ts';
import { readPins } from './pins.ts';
import type { Identity } from './signer.ts';
import { signer } from './signer.ts';

/** What its options ask of a server, at least one of the two. */
export interface Demands {
  readonly pins: readonly Pin[] | undefined;
  readonly verifyAttestation: ((document: Uint8Array, context: AttestationContext) => void | Promise<void>) | undefined;
  /** The socket's, for the application's verifier. */
  readonly url: string;
}

export interface ClientAuthentication {
  /** @throws {TypeError} that names the option */
  readPins: typeof readPins;
  /** Undefined where nothing is demanded. */
  judge(demands: Demands, lent: LentCryptography): Authenticate | undefined;
  /** @throws {TypeError | RangeError} for a secret key that is none */
  prover(identity: Identity, lent: LentCryptography): Prove;
}

export const clientAuthentication: ClientAuthentication = {
  readPins,
  judge: ({ pins, verifyAttestation, url }, lent) =>
    authenticator({
      verifySignature:
        pins &&
        ((message, signature, publicKey, only) => verifyByPins(lent, pins, message, signature, publicKey, only)),
      verifyAttestation:
        verifyAttestation &&
        ((document, userData, transcriptHash): MaybePromise<void> =>
          chain(
            verifyAttestation(document, {
              profile: 'v1',
              url,
              userData: userData.binary,
              userDataText: userData.text,
              transcriptHash,
            }),
            refuseFalse,
          )),
    }),
  prover: (identity, lent) => clientProver(signer(lent, identity)),
};

/** A verifier that says no in the other usual way must not be taken for one that says nothing. */
function refuseFalse(result: unknown): void {
  if (result === false) throw new Error('verifyAttestation gave false');
}
