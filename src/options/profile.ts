/** From a client's options to what its connections are to be, in the profile that they name. */
import { platform } from '#platform';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { chain, isPromise } from '../base/maybe-promise.ts';
import { ownProperties } from '../base/own-properties.ts';
import { DEFAULT_YELLOWPAGES } from '../protocol/limits.ts';
import type { YellowpagesConfig } from '../protocol/session-types.ts';
import type { ChannelOptions, ClientAuthenticationOptions, PQWebSocketOptions } from '../api/types.ts';
import type { Checked } from './client-identity.ts';
import { clientAuthentication } from './client-identity.ts';
import type { ChannelConfig } from './channel.ts';
import { kemList, readChannel } from './read-channel.ts';

export type ClientOptions = ChannelOptions & ClientAuthenticationOptions & Pick<PQWebSocketOptions, 'profile' | 'kem'>;

/**
 * @param options as `taken` gives them
 * @param checked what the check of them found
 * @param url the socket's, for the application's verifier
 */
export function readClient(
  where: string,
  options: ClientOptions,
  checked: Checked,
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
    yellowpages: yellowpagesConfig(options, { verify: verify || undefined }),
  };
}

export function yellowpagesConfig(
  { handshakeTimeout = DEFAULT_YELLOWPAGES.stepTimeout }: ChannelOptions,
  own: Pick<YellowpagesConfig, 'verify' | 'attest'>,
): YellowpagesConfig {
  return { ...DEFAULT_YELLOWPAGES, stepTimeout: handshakeTimeout, ...own };
}

/** With the code of its profile, where that has to be loaded. */
export function withYellowpages(config: ChannelConfig): MaybePromise<ChannelConfig> {
  const { yellowpages } = ownProperties(config);
  if (yellowpages === undefined) return config;
  const whole = chain(platform.yellowpages(), (profile) => ({ ...config, yellowpages: { ...yellowpages, profile } }));
  // Who waits for it says that it has not come.
  if (isPromise(whole)) whole.catch(() => undefined);
  return whole;
}
