/** The options of `new PQWebSocket`. */
import { platform } from '#platform';
import { maxInnerBytes } from '../protocol/v1/record.ts';
import type { PQWebSocketOptions } from '../api/types.ts';
import { CLIENT_AUTHENTICATION_OPTIONS } from './client-identity.ts';
import type { ChannelConfig } from './channel.ts';
import { booleanOption, CHANNEL_OPTION_NAMES, described, refuseUnknown } from './channel.ts';
import { clientConfig } from './profile.ts';

/** The standard has no limit; a page's memory has. */
export const CLIENT_MAX_PAYLOAD = 2 ** 30;
/** Room above the longest frame, so that a longer one is refused by the session, with its code, and not by `ws`. */
const FRAME_HEADROOM = 1024 * 1024;
/** The longest limit that `ws` can have: it takes the number modulo 2^32. */
const MAX_TRANSPORT_LIMIT = 2 ** 31 - 1;

/** What a client has beside what both ends have. */
export const CLIENT_OPTION_NAMES = [...CLIENT_AUTHENTICATION_OPTIONS, 'fastOpen', 'profile', 'kem'] as const;

const OWN_OPTIONS = [...CHANNEL_OPTION_NAMES, ...CLIENT_OPTION_NAMES, 'strict', 'WebSocket', 'signal'];

/**
 * @param url for the application's verifier
 * @throws {TypeError | RangeError} for an option that is unknown or wrong
 */
export function checkClientOptions(where: string, options: PQWebSocketOptions, url: string): ChannelConfig {
  refuseUnknown(where, options, [...OWN_OPTIONS, ...platform.transportOptions]);
  booleanOption(where, 'strict', options.strict, false);
  booleanOption(where, 'fastOpen', options.fastOpen, false);
  const { signal } = options as { signal?: AbortSignal };
  if (signal !== undefined && typeof signal?.aborted !== 'boolean')
    throw new TypeError(`${where}: option 'signal' must be an AbortSignal, got ${described(signal)}`);
  return { ...clientConfig(where, options, url, CLIENT_MAX_PAYLOAD), signal };
}

/** `maxPayload` for `ws`: above every frame that the session takes; 0, which is no limit, where that is too long for it. */
export function transportMaxPayload(maxPayload: number): number {
  const limit = maxInnerBytes(maxPayload) + FRAME_HEADROOM;
  return limit > MAX_TRANSPORT_LIMIT ? 0 : limit;
}
