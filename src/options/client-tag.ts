/**
 * `#client-options` of the script tag: its attributes are all that there is, and read by name already (platform/script/attributes.ts), so
 * that none is unknown and none is of a kind that no attribute gives.
 */
import { platform } from '#platform';
import type { PQWebSocketOptions } from '../api/types.ts';
import { readChannel } from './channel.ts';
import type { TagOptions } from './check-client-tag.ts';
import { checkClient } from './check-client-tag.ts';
import type { ClientConfig } from './client.ts';
import { judging, LENT } from './client-identity.ts';
import { CLIENT_MAX_PAYLOAD } from './client-limits.ts';
import { yellowpagesConfig } from './profile.ts';
import { ownProperties } from '../base/own-properties.ts';

/** @throws {TypeError | RangeError} for an option that is wrong */
export function checkClientOptions(where: string, options: PQWebSocketOptions, url: string): ClientConfig {
  const { pins } = checkClient(where, options as TagOptions);
  const { profile } = options;
  const config = readChannel(where, options, CLIENT_MAX_PAYLOAD);
  return {
    config:
      profile === 'yellowpages'
        ? { ...config, profile, yellowpages: yellowpagesConfig(options, { profile: platform.yellowpages() }) }
        : {
            ...config,
            ...(pins && judging((code) => code.judge({ pins: pins(code), verifyAttestation: undefined, url }, LENT))),
          },
    checked: undefined,
  };
}

export function optionsObject(_where: string, options: unknown): object {
  return ownProperties(options as object);
}
