/**
 * `#client-options` of the script tag: its attributes are all that there is, read by name and found right already (./attributes-tag.ts), so
 * that no option is unknown or wrong, or of a kind that no attribute gives. What none gives is as the whole reading (./profile.ts) has it.
 */
import { platform } from '#platform';
import type { PQWebSocketOptions } from '../api/types.ts';
import { encode, Set } from '../base/captured.ts';
import { ownProperties } from '../base/own-properties.ts';
import type { SessionLimits } from '../protocol/limits.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { padTo } from '../protocol/v1/padding.ts';
import type { TagOptions } from './attributes-tag.ts';
import type { ChannelConfig } from './channel.ts';
import type { ClientConfig } from './client.ts';
import { judging, LENT } from './client-identity.ts';
import { CLIENT_MAX_PAYLOAD } from './client-limits.ts';
import { grease } from './features.ts';
import { withYellowpages, yellowpagesConfig } from './profile.ts';
import { withDefaults } from './read-channel.ts';

export function checkClientOptions(where: string, given: PQWebSocketOptions, url: string): ClientConfig {
  const options = given as TagOptions & Partial<SessionLimits>;
  const { profile, serverKeys, context, padding = 'off' } = options;
  const known: ChannelConfig = {
    backend: platform.backend(),
    limits: withDefaults({ ...DEFAULT_LIMITS, maxPayload: CLIENT_MAX_PAYLOAD }, options),
    padded: padTo(padding),
    context: context ? encode(context) : undefined,
    features: new Set(['exchange']),
    exchange: undefined,
    heartbeat: undefined,
    extensions: platform.extensions,
    grease,
    profile,
    ...(serverKeys &&
      judging((code) =>
        code.judge({ pins: code.readPins(where, 'serverKeys', serverKeys), verifyAttestation: undefined, url }, LENT),
      )),
  };
  const yellowpages = profile === 'yellowpages' ? yellowpagesConfig(options, {}) : undefined;
  return { known, config: withYellowpages({ ...known, yellowpages }) };
}

export function optionsObject(_where: string, options: unknown): object {
  return ownProperties(options as object);
}
