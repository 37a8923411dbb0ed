/** The options that say which profile is spoken, and from all options what a connection is to be in each. */
import { authenticator, prover } from '../protocol/authentication.ts';
import { DEFAULT_YELLOWPAGES } from '../protocol/limits.ts';
import type { YellowpagesConfig } from '../protocol/session-types.ts';
import type { ChannelOptions, ClientAuthenticationOptions, PQWebSocketOptions, Profile, ServerSocketOptions } from '../types.ts';
import { callAttester, callVerifier, clientDemands, serverCredentials } from './identity-options.ts';
import type { ChannelConfig } from './options.ts';
import { channelConfig, described } from './options.ts';

const PROFILES: readonly unknown[] = ['v1', 'yellowpages'] satisfies Profile[];

/** What yellowpages has no room for: to ignore these would be to promise what is not kept. */
const ONLY_IN_V1 = ['serverKeys', 'identity', 'context', 'padding', 'rekey', 'fastOpen'];

/**
 * @param url the socket's, for the application's verifier
 * @throws {TypeError | RangeError} for an option that is wrong
 */
export function clientConfig(
  where: string,
  options: ChannelOptions & ClientAuthenticationOptions & Pick<PQWebSocketOptions, 'profile'>,
  url: string,
  defaultMaxPayload: number,
): ChannelConfig {
  const { profile = 'v1', verifyAttestation } = options;
  checkProfile(where, 'profile', profile);
  const config = channelConfig(where, options, defaultMaxPayload);
  if (profile === 'v1') return { ...config, authenticate: authenticator(clientDemands(where, options, url)) };
  refuseOnlyInV1(where, options);
  if (verifyAttestation !== false && typeof verifyAttestation !== 'function') {
    throw new TypeError(
      `${where}: option 'verifyAttestation' must be a function, or false in so many words, with the profile 'yellowpages', ` +
        `got ${described(verifyAttestation)}`,
    );
  }
  const verify = verifyAttestation &&
    ((document: Uint8Array, userData: Uint8Array) =>
      callVerifier(verifyAttestation, document, { profile, url, userData, transcriptHash: undefined }));
  return { ...config, profile, yellowpages: yellowpages(options, { verify: verify || undefined }) };
}

/** @throws {TypeError | RangeError} for an option that is wrong */
export function serverConfig(where: string, options: ServerSocketOptions, defaultMaxPayload: number): ChannelConfig {
  const profiles = profileList(where, options.profiles);
  const config = channelConfig(where, options, defaultMaxPayload);
  const credentials = serverCredentials(where, options);
  if (!profiles.includes('yellowpages')) return { ...config, prove: prover(credentials) };
  const { attest } = options;
  const own = yellowpages(options, {
    attest: attest && ((userData) => callAttester(attest, undefined, { profile: 'yellowpages', userData })),
  });
  if (profiles.length > 1) return { ...config, prove: prover(credentials), profile: 'either', yellowpages: own };
  refuseOnlyInV1(where, options);
  return { ...config, profile: 'yellowpages', yellowpages: own };
}

function yellowpages(
  { handshakeTimeout = DEFAULT_YELLOWPAGES.stepTimeout }: ChannelOptions,
  authentication: Pick<YellowpagesConfig, 'verify' | 'attest'>,
): YellowpagesConfig {
  return { ...DEFAULT_YELLOWPAGES, stepTimeout: handshakeTimeout, ...authentication };
}

function profileList(where: string, profiles: unknown): readonly Profile[] {
  if (profiles === undefined) return ['v1'];
  if (!Array.isArray(profiles) || profiles.length === 0 || new Set(profiles).size !== profiles.length) {
    throw new TypeError(`${where}: option 'profiles' must be a list of one profile or both, got ${described(profiles)}`);
  }
  for (const profile of profiles as unknown[]) checkProfile(where, 'profiles', profile);
  return profiles as Profile[];
}

function checkProfile(where: string, name: string, profile: unknown): void {
  if (PROFILES.includes(profile)) return;
  throw new TypeError(`${where}: option '${name}' takes 'v1' and 'yellowpages', got ${described(profile)}`);
}

/** @throws {TypeError} */
export function refuseOnlyInV1(where: string, options: object): void {
  for (const name of ONLY_IN_V1) {
    if ((options as Record<string, unknown>)[name] === undefined) continue;
    throw new TypeError(`${where}: option '${name}' is not possible with the profile 'yellowpages', which has no such thing`);
  }
}
