/** From a client's options to what its connections are to be, in the profile that they name. */
import { platform } from '#platform';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { DEFAULT_YELLOWPAGES } from '../protocol/limits.ts';
import type { YellowpagesConfig } from '../protocol/session-types.ts';
import type { ChannelOptions, ClientAuthenticationOptions, PQWebSocketOptions } from '../api/types.ts';
import type { Checked } from './client-identity.ts';
import { clientAuthentication } from './client-identity.ts';
import type { ChannelConfig } from './channel.ts';
import { readChannel } from './channel.ts';
import { kemList } from './features.ts';

export type ClientOptions = ChannelOptions & ClientAuthenticationOptions & Pick<PQWebSocketOptions, 'profile' | 'kem'>;

/**
 * @param options as `taken` gives them
 * @param checked what the check of them found, or will
 * @param url the socket's, for the application's verifier
 */
export function readClient(
  where: string,
  options: ClientOptions,
  checked: MaybePromise<Checked>,
  url: string,
  defaultMaxPayload: number,
): ChannelConfig {
  const { profile, verifyAttestation, kem } = options;
  const config = readChannel(where, options, defaultMaxPayload);
  if (profile !== 'yellowpages') {
    const kems = kem === undefined ? undefined : kemList(kem);
    return { ...config, kems, ...clientAuthentication(options, checked, url, config.features) };
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
