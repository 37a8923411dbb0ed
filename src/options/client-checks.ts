/** A client's options, checked. */
import type { Profile } from '../api/types.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { ChannelConfig } from './channel.ts';
import { taken } from './channel.ts';
import { checkChannel, kemsOption } from './channel-checks.ts';
import { booleanOption, described } from './checks.ts';
import type { Checked } from './client-identity.ts';
import { CLIENT_MAX_PAYLOAD } from './client-limits.ts';
import { readIdentity } from './identity.ts';
import type { Pin } from '../protocol/pinned-keys.ts';
import { readPins } from '../protocol/pins.ts';
import type { ClientOptions } from './profile.ts';
import { readClient, withYellowpages } from './profile.ts';

export const PROFILES: readonly unknown[] = ['v1', 'yellowpages'] satisfies Profile[];

/** What yellowpages has no room for: to ignore these would be to promise what is not kept. */
const ONLY_IN_V1 = [
  ...['serverKeys', 'identity', 'context', 'padding', 'rekey', 'fastOpen'],
  ...['kem', 'kems', 'clientKeys', 'clientIdentity', 'exchange', 'heartbeat', 'grease'],
];

/**
 * Checks and reads in this turn, for who has all of the code.
 * @param url the socket's, for the application's verifier
 * @throws {TypeError | RangeError} for an option that is wrong
 */
export function clientConfig(
  where: string,
  given: ClientOptions,
  url: string,
  defaultMaxPayload: number,
): ChannelConfig {
  const options = taken(given);
  return readClient(where, options, checkClient(where, options), url, defaultMaxPayload);
}

/**
 * As `clientConfig`, with all that a session needs.
 * @param options as `taken` gives them
 */
export function wholeClient(where: string, options: ClientOptions, url: string): MaybePromise<ChannelConfig> {
  return withYellowpages(readClient(where, options, checkClient(where, options), url, CLIENT_MAX_PAYLOAD));
}

/**
 * @param options as `taken` gives them
 * @throws {TypeError | RangeError} for an option that is wrong
 */
export function checkClient(where: string, options: ClientOptions): Checked {
  checkChannel(where, options);
  kemsOption(where, 'kem', options.kem);
  const { identity, serverKeys, profile, strict, fastOpen } = options as ClientOptions &
    Readonly<Record<'strict' | 'fastOpen', unknown>>;
  booleanOption(where, 'strict', strict, false);
  booleanOption(where, 'fastOpen', fastOpen, false);
  if (profile !== undefined) checkProfile(where, 'profile', profile);
  if (profile === 'yellowpages') refuseOnlyInV1(where, options);
  checkVerifier(where, options);
  const pins = serverKeys === undefined ? undefined : readPins(where, 'serverKeys', serverKeys);
  return {
    pins: pins && ((): readonly Pin[] => pins),
    identity: identity === undefined ? undefined : readIdentity(where, identity, true),
  };
}

function checkVerifier(where: string, { profile, verifyAttestation }: ClientOptions): void {
  if (typeof verifyAttestation === 'function') return;
  if (profile !== 'yellowpages') {
    if (verifyAttestation === undefined) return;
    throw new TypeError(`${where}: option 'verifyAttestation' must be a function`);
  }
  if (verifyAttestation === false) return;
  throw new TypeError(
    `${where}: option 'verifyAttestation' must be a function, or false in so many words, with the profile 'yellowpages', ` +
      `got ${described(verifyAttestation)}`,
  );
}

export function checkProfile(where: string, name: string, profile: unknown): void {
  if (PROFILES.includes(profile)) return;
  throw new TypeError(`${where}: option '${name}' takes 'v1' and 'yellowpages', got ${described(profile)}`);
}

/** @throws {TypeError} */
export function refuseOnlyInV1(where: string, options: object): void {
  for (const name of ONLY_IN_V1) {
    if ((options as Record<string, unknown>)[name] === undefined) continue;
    throw new TypeError(
      `${where}: option '${name}' is not possible with the profile 'yellowpages', which has no such thing`,
    );
  }
}
