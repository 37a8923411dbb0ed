/** The options by which a client knows its server, and is known to it: `serverKeys`, `verifyAttestation` and `identity`. */
import { platform } from '#platform';
import type { ClientAuthenticationOptions } from '../api/types.ts';
import { Set } from '../base/captured.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { chain, isPromise } from '../base/maybe-promise.ts';
import type { ClientAuthentication, Demands } from '../protocol/client-authentication.ts';
import type { Identity } from '../protocol/signer.ts';
import type { Feature } from '../protocol/v1/hellos.ts';
import type { ChannelConfig } from './channel.ts';
import { readIdentity } from './identity.ts';
import { LENT, readPins } from './pins.ts';

export const CLIENT_AUTHENTICATION_OPTIONS = ['serverKeys', 'verifyAttestation', 'identity'] as const;

type Authentication = Pick<ChannelConfig, 'authenticate' | 'prove' | 'features'>;

/**
 * The code of it is asked for now, where it has to be loaded: it is not needed before the server has answered.
 * @param url the socket's, for the application's verifier
 * @param features those without it
 * @throws {TypeError} for an option that is wrong; for a secret key that is none where the code is there already, which
 *   else fails the connection
 */
export function clientAuthentication(
  where: string,
  { serverKeys, verifyAttestation, identity: given }: ClientAuthenticationOptions,
  url: string,
  features: Iterable<Feature> = [],
): Authentication {
  if (verifyAttestation !== undefined && typeof verifyAttestation !== 'function') {
    throw new TypeError(`${where}: option 'verifyAttestation' must be a function`);
  }
  const pins = serverKeys === undefined ? undefined : readPins(where, 'serverKeys', serverKeys);
  const identity = given === undefined ? undefined : readIdentity(where, given, true);
  return {
    ...((pins ?? verifyAttestation) && judging({ pins, verifyAttestation, url })),
    ...(identity && { ...proving(identity), features: new Set<Feature>([...features, 'client_identity']) }),
  };
}

function judging(demands: Demands): Authentication {
  const judge = withCode((code) => code.judge(demands, LENT));
  return { authenticate: (...finished) => chain(judge, (authenticate) => authenticate?.(...finished)) };
}

function proving(identity: Identity): Authentication {
  const prover = withCode((code) => code.prover(identity, LENT));
  return { prove: (...occasion) => chain(prover, (prove) => prove(...occasion)) };
}

function withCode<T>(make: (code: ClientAuthentication) => T): MaybePromise<T> {
  const made = chain(platform.clientAuthentication(), make);
  // Whoever needs it says why it can't have it.
  if (isPromise(made)) made.catch(() => undefined);
  return made;
}
