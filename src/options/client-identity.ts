/** The options by which a client knows its server, and is known to it: `serverKeys`, `verifyAttestation` and `identity`. */
import { platform } from '#platform';
import type { ClientAuthenticationOptions } from '../api/types.ts';
import { Set } from '../base/captured.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { chain, isPromise } from '../base/maybe-promise.ts';
import type { ClientAuthentication } from '../protocol/client-authentication.ts';
import type { LentCryptography, Pin } from '../protocol/pinned-keys.ts';
import type { Identity } from '../protocol/signer.ts';
import type { Feature } from '../protocol/v1/hellos.ts';
import type { ChannelConfig } from './channel.ts';

export const CLIENT_AUTHENTICATION_OPTIONS = ['serverKeys', 'verifyAttestation', 'identity'] as const;

/** The platform's, as it is when it is needed. */
export const LENT: LentCryptography = {
  signatures: () => platform.signatures(),
  sha256: (data) => platform.backend().sha256(data),
};

/** What options say that has to be parsed. */
export interface Checked {
  readonly pins?: ((code: ClientAuthentication) => readonly Pin[]) | undefined;
  readonly identity?: Identity | undefined;
}

type Authentication = Pick<ChannelConfig, 'authenticate' | 'prove' | 'features'>;

/**
 * The code of it is asked for now, where it has to be loaded: it is not needed before the server has answered.
 * @param options that are right
 * @param url the socket's, for the application's verifier
 * @param features those without it
 * @throws {TypeError} for a secret key that is none where the code is there already; else that fails the connection
 */
export function clientAuthentication(
  { serverKeys, verifyAttestation, identity }: ClientAuthenticationOptions,
  { pins, identity: found }: Checked,
  url: string,
  features: Iterable<Feature> = [],
): Authentication {
  const judges = serverKeys !== undefined || verifyAttestation !== undefined;
  return {
    ...(judges &&
      judging((code) =>
        code.judge({ pins: pins?.(code), verifyAttestation: verifyAttestation || undefined, url }, LENT),
      )),
    ...(identity !== undefined && {
      ...proving((code) => code.prover(found as Identity, LENT)),
      features: new Set<Feature>([...features, 'client_identity']),
    }),
  };
}

type Judge = ReturnType<ClientAuthentication['judge']>;
type Prover = ReturnType<ClientAuthentication['prover']>;

/** For the session's config: what judges a server's Finished, whose code may have to be loaded. */
export function judging(make: (code: ClientAuthentication) => MaybePromise<Judge>): Authentication {
  const judge = withCode(make);
  return { authenticate: (...finished) => chain(judge, (authenticate) => authenticate?.(...finished)) };
}

function proving(make: (code: ClientAuthentication) => MaybePromise<Prover>): Authentication {
  const prover = withCode(make);
  return { prove: (...occasion) => chain(prover, (prove) => prove(...occasion)) };
}

function withCode<T>(make: (code: ClientAuthentication) => MaybePromise<T>): MaybePromise<T> {
  const made = chain(platform.clientAuthentication(), make);
  // Whoever needs it says why it can't have it.
  if (isPromise(made)) made.catch(() => undefined);
  return made;
}
