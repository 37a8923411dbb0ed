/** From a server's options to what its connections are to be, in each profile. */
import { WorkQueue } from '../base/work-queue.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { prover } from '../protocol/authentication.ts';
import type { Profile, ServerSocketOptions } from '../api/types.ts';
import type { ChannelConfig } from './channel.ts';
import { channelConfig, described, numberOption } from './channel.ts';
import { checkProfile, refuseOnlyInV1, yellowpagesConfig } from './profile.ts';
import { callAttester, serverCredentials } from './server-identity.ts';
import { Set } from '../base/captured.ts';

const DEFAULT_MAX_PROOFS = 16;

/** @throws {TypeError | RangeError} for an option that is wrong */
export function serverConfig(where: string, options: ServerSocketOptions, defaultMaxPayload: number): ChannelConfig {
  const profiles = profileList(where, options.profiles);
  const config = channelConfig(where, options, defaultMaxPayload);
  const proofs = new WorkQueue(numberOption(where, 'maxProofs', options.maxProofs, DEFAULT_MAX_PROOFS, 1, 65_536));
  const prove = bounded(prover(serverCredentials(where, options)), proofs);
  if (!profiles.includes('yellowpages')) return { ...config, prove };
  const { attest } = options;
  const own = yellowpagesConfig(options, {
    attest:
      attest &&
      ((userData, signal): MaybePromise<Uint8Array> =>
        proofs.run(() => callAttester(attest, undefined, { profile: 'yellowpages', userData, signal }), signal)),
  });
  if (profiles.length > 1) return { ...config, prove, profile: 'either', yellowpages: own };
  refuseOnlyInV1(where, options);
  return { ...config, profile: 'yellowpages', yellowpages: own };
}

function bounded(prove: ChannelConfig['prove'], proofs: WorkQueue): ChannelConfig['prove'] {
  return prove && ((transcriptHash, signal) => proofs.run(() => prove(transcriptHash, signal), signal));
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
