/** From a server's options to what its connections are to be, in each profile. */
import { WorkQueue } from '../base/work-queue.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { ownProperties } from '../base/own-properties.ts';
import { platform } from '#platform';
import { chain } from '../base/maybe-promise.ts';
import type { Prove } from '../protocol/authentication.ts';
import { clientAuthenticator, prover } from '../protocol/authentication.ts';
import type { Feature } from '../protocol/v1/hellos.ts';
import { channelConfig, kemsOption } from './channel-checks.ts';
import { isPinned } from '../protocol/pinned-keys.ts';
import { LENT } from './client-identity.ts';
import { readPins } from '../protocol/pins.ts';
import type { KemName, Profile, ServerSocketOptions } from '../api/types.ts';
import type { ChannelConfig } from './channel.ts';
import { described, numberOption } from './channel.ts';
import { checkProfile, refuseOnlyInV1 } from './client-checks.ts';
import { yellowpagesConfig } from './profile.ts';
import { callAttester, serverCredentials } from './server-identity.ts';
import { Set } from '../base/captured.ts';

const DEFAULT_MAX_PROOFS = 16;
/** The strongest first; a client offers what it wants. */
const SERVER_KEMS: readonly KemName[] = ['mlkem768-x25519', 'ml-kem-1024', 'ml-kem-768'];

/**
 * @param given of which the own properties count: a member of a polluted `Object.prototype` is no option
 * @throws {TypeError | RangeError} for an option that is wrong
 */
export function serverConfig(where: string, given: ServerSocketOptions, defaultMaxPayload: number): ChannelConfig {
  const options = ownProperties(given);
  const profiles = profileList(where, options.profiles);
  const config = channelConfig(where, options, defaultMaxPayload);
  const proofs = new WorkQueue(numberOption(where, 'maxProofs', options.maxProofs, DEFAULT_MAX_PROOFS, 1, 65_536));
  const prove = bounded(prover(serverCredentials(where, options)), proofs);
  const kems = kemsOption(where, 'kems', options.kems) ?? SERVER_KEMS;
  const { clientKeys } = options;
  const acceptsAnonymous = acceptsAnonymousClients(where, options);
  const v1 = {
    ...config,
    kems,
    prove,
    ...(clientKeys !== undefined && {
      authenticate: clientAuthenticator({ verify: verifies, accept: acceptor(where, clientKeys) }),
      features: new Set<Feature>([...(config.features ?? []), 'client_identity']),
      acceptsAnonymous,
    }),
  };
  if (!profiles.includes('yellowpages')) return v1;
  const { attest } = options;
  const own = yellowpagesConfig(options, {
    attest:
      attest &&
      ((userData, signal): MaybePromise<Uint8Array> =>
        proofs.run(() => callAttester(attest, undefined, { profile: 'yellowpages', userData, signal }), signal)),
  });
  if (profiles.length > 1) {
    // yellowpages has no client identity and ML-KEM-768 alone: to ignore these would be to promise what is not kept.
    if (clientKeys !== undefined) {
      throw new TypeError(`${where}: option 'clientKeys' is not possible with the profile 'yellowpages'`);
    }
    if (!kems.includes('ml-kem-768')) {
      throw new TypeError(`${where}: option 'kems' must have 'ml-kem-768' with the profile 'yellowpages'`);
    }
    return { ...v1, profile: 'either', yellowpages: own };
  }
  refuseOnlyInV1(where, options);
  return { ...config, profile: 'yellowpages', yellowpages: own };
}

function bounded(prove: Prove | undefined, proofs: WorkQueue): Prove | undefined {
  return (
    prove && ((transcriptHash, occasion, signal) => proofs.run(() => prove(transcriptHash, occasion, signal), signal))
  );
}

function verifies(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): MaybePromise<boolean> {
  return chain(platform.signatures(), (signatures) => signatures.verify(publicKey, message, signature));
}

/** @throws {TypeError} for what is neither, and where nobody is asked who he is */
function acceptsAnonymousClients(where: string, { clientKeys, clientIdentity }: ServerSocketOptions): boolean {
  if (clientIdentity === undefined) return false;
  if (!(['demand', 'accept'] as unknown[]).includes(clientIdentity)) {
    throw new TypeError(
      `${where}: option 'clientIdentity' must be 'demand' or 'accept', got ${described(clientIdentity)}`,
    );
  }
  if (clientKeys === undefined) throw new TypeError(`${where}: option 'clientIdentity' needs 'clientKeys'`);
  return clientIdentity === 'accept';
}

/** @throws {TypeError} for a key that is none */
function acceptor(
  where: string,
  clientKeys: NonNullable<ServerSocketOptions['clientKeys']>,
): (publicKey: Uint8Array) => MaybePromise<boolean> {
  if (typeof clientKeys === 'function') {
    // Whatever is not true is a no: what decides who may come in must say so.
    return (publicKey) => chain(clientKeys(publicKey.slice()) as MaybePromise<unknown>, (answer) => answer === true);
  }
  const pins = readPins(where, 'clientKeys', clientKeys);
  return (publicKey) => isPinned(LENT, pins, publicKey);
}

function profileList(where: string, profiles: unknown): readonly Profile[] {
  if (profiles === undefined) return ['v1'];
  if (!Array.isArray(profiles) || profiles.length === 0 || new Set(profiles).size !== profiles.length) {
    throw new TypeError(
      `${where}: option 'profiles' must be a list of one profile or both, got ${described(profiles)}`,
    );
  }
  for (const profile of profiles as unknown[]) checkProfile(where, 'profiles', profile);
  return profiles as Profile[];
}
