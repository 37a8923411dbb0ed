/**
 * `#client-options` of the script tag: its attributes are all that there is, and read by name already (platform/script/attributes.ts), so
 * that none is unknown and none is of a kind that no attribute gives.
 */
import type { PQWebSocketOptions } from '../api/types.ts';
import { readChannel } from './read-channel.ts';
import type { TagOptions } from './check-client-tag.ts';
import { checkClient } from './check-client-tag.ts';
import type { ClientConfig } from './client.ts';
import { judging, LENT } from './client-identity.ts';
import { CLIENT_MAX_PAYLOAD } from './client-limits.ts';
import { withYellowpages, yellowpagesConfig } from './profile.ts';
import { ownProperties } from '../base/own-properties.ts';

/** @throws {TypeError | RangeError} for an option that is wrong */
export function checkClientOptions(where: string, options: PQWebSocketOptions, url: string): ClientConfig {
  const { pins } = checkClient(where, options as TagOptions);
  const { profile } = options;
  const plain = readChannel(where, options, CLIENT_MAX_PAYLOAD);
  if (profile === 'yellowpages') {
    const known = { ...plain, profile };
    return { known, config: withYellowpages({ ...known, yellowpages: yellowpagesConfig(options, {}) }) };
  }
  const config = {
    ...plain,
    ...(pins && judging((code) => code.judge({ pins: pins(code), verifyAttestation: undefined, url }, LENT))),
  };
  return { known: config, config };
}

export function optionsObject(_where: string, options: unknown): object {
  return ownProperties(options as object);
}
