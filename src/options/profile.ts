/** The options that say which profile a client speaks, and from all options what a connection is to be in each. */
import { platform } from '#platform';
import { kemsOption } from './features.ts';
import { DEFAULT_YELLOWPAGES } from '../protocol/limits.ts';
import type { YellowpagesConfig } from '../protocol/session-types.ts';
import type { ChannelOptions, ClientAuthenticationOptions, PQWebSocketOptions, Profile } from '../api/types.ts';
import { clientAuthentication } from './client-identity.ts';
import type { ChannelConfig } from './channel.ts';
import { channelConfig, described } from './channel.ts';

const PROFILES: readonly unknown[] = ['v1', 'yellowpages'] satisfies Profile[];

/** What yellowpages has no room for: to ignore these would be to promise what is not kept. */
const ONLY_IN_V1 = [
  ...['serverKeys', 'identity', 'context', 'padding', 'rekey', 'fastOpen'],
  ...['kem', 'kems', 'clientKeys', 'clientIdentity', 'exchange', 'heartbeat', 'grease'],
];

/**
 * @param url the socket's, for the application's verifier
 * @throws {TypeError | RangeError} for an option that is wrong
 */
export function clientConfig(
  where: string,
  options: ChannelOptions & ClientAuthenticationOptions & Pick<PQWebSocketOptions, 'profile' | 'kem'>,
  url: string,
  defaultMaxPayload: number,
): ChannelConfig {
  const { profile = 'v1', verifyAttestation } = options;
  checkProfile(where, 'profile', profile);
  const config = channelConfig(where, options, defaultMaxPayload);
  const kems = kemsOption(where, 'kem', options.kem);
  if (profile === 'v1') return { ...config, kems, ...clientAuthentication(where, options, url, config.features) };
  refuseOnlyInV1(where, options);
  if (verifyAttestation !== false && typeof verifyAttestation !== 'function') {
    throw new TypeError(
      `${where}: option 'verifyAttestation' must be a function, or false in so many words, with the profile 'yellowpages', ` +
        `got ${described(verifyAttestation)}`,
    );
  }
  const verify =
    verifyAttestation &&
    ((document: Uint8Array, userData: Uint8Array) =>
      verifyAttestation(document, { profile, url, userData, transcriptHash: undefined }));
  return {
    ...config,
    profile,
    yellowpages: yellowpagesConfig(options, { profile: platform.yellowpages(), verify: verify || undefined }),
  };
}

export function yellowpagesConfig(
  { handshakeTimeout = DEFAULT_YELLOWPAGES.stepTimeout }: ChannelOptions,
  own: Pick<YellowpagesConfig, 'profile' | 'verify' | 'attest'>,
): YellowpagesConfig {
  return { ...DEFAULT_YELLOWPAGES, stepTimeout: handshakeTimeout, ...own };
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
