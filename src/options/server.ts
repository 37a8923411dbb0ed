/** From a server's options to what its connections are to be, in each profile. */
import { prover } from '../protocol/authentication.ts';
import type { Profile, ServerSocketOptions } from '../api/types.ts';
import type { ChannelConfig } from './channel.ts';
import { channelConfig, described } from './channel.ts';
import { checkProfile, refuseOnlyInV1, yellowpagesConfig } from './profile.ts';
import { callAttester, serverCredentials } from './server-identity.ts';
import { Set } from '../base/captured.ts';

/** @throws {TypeError | RangeError} for an option that is wrong */
export function serverConfig(where: string, options: ServerSocketOptions, defaultMaxPayload: number): ChannelConfig {
  const profiles = profileList(where, options.profiles);
  const config = channelConfig(where, options, defaultMaxPayload);
  const credentials = serverCredentials(where, options);
  if (!profiles.includes('yellowpages')) return { ...config, prove: prover(credentials) };
  const { attest } = options;
  const own = yellowpagesConfig(options, {
    attest: attest && ((userData) => callAttester(attest, undefined, { profile: 'yellowpages', userData })),
  });
  if (profiles.length > 1) return { ...config, prove: prover(credentials), profile: 'either', yellowpages: own };
  refuseOnlyInV1(where, options);
  return { ...config, profile: 'yellowpages', yellowpages: own };
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
