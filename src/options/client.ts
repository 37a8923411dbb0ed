/** The options of `new PQWebSocket`. */
import { checkClient } from '#check-client';
import { platform } from '#platform';
import { maxInnerBytes } from '../protocol/v1/record.ts';
import type { PQWebSocketOptions } from '../api/types.ts';
import { CLIENT_AUTHENTICATION_OPTIONS } from './client-identity.ts';
import type { ChannelConfig } from './channel.ts';
import { isPromise } from '../base/maybe-promise.ts';
import { CHANNEL_OPTION_NAMES, described, refuseUnknown, taken } from './channel.ts';
import { readClient } from './profile.ts';

/** The standard has no limit; a page's memory has. */
export const CLIENT_MAX_PAYLOAD = 2 ** 30;
/** Room above the longest frame, so that a longer one is refused by the session, with its code, and not by `ws`. */
const FRAME_HEADROOM = 1024 * 1024;
/** The longest limit that `ws` can have: it takes the number modulo 2^32. */
const MAX_TRANSPORT_LIMIT = 2 ** 31 - 1;

/** What a client has beside what both ends have. */
export const CLIENT_OPTION_NAMES = [...CLIENT_AUTHENTICATION_OPTIONS, 'fastOpen', 'profile', 'kem'] as const;

const OWN_OPTIONS = [...CHANNEL_OPTION_NAMES, ...CLIENT_OPTION_NAMES, 'strict', 'WebSocket', 'signal'];

/** Said by a boolean, which is right whichever it is. */
const BOOLEANS = ['strict', 'fastOpen', 'grease', 'heartbeat'];

export interface ClientConfig {
  readonly config: ChannelConfig;
  /** Where the options' check has to be loaded first: rejects for one that is wrong. Nothing may go out before it resolves. */
  readonly checked: Promise<unknown> | undefined;
}

/**
 * @param url for the application's verifier
 * @throws {TypeError | RangeError} for an option that is unknown; for one that is wrong where the check need not be loaded
 */
export function checkClientOptions(where: string, given: PQWebSocketOptions, url: string): ClientConfig {
  refuseUnknown(where, given, [...OWN_OPTIONS, ...platform.transportOptions]);
  const { signal } = given as { signal?: AbortSignal };
  if (signal !== undefined && typeof signal?.aborted !== 'boolean')
    throw new TypeError(`${where}: option 'signal' must be an AbortSignal, got ${described(signal)}`);
  const options = taken(given);
  const checked = needsCheck(options) ? checkClient(where, options) : {};
  // Who waits for it says what it found.
  if (isPromise(checked)) checked.catch(() => undefined);
  const config = { ...readClient(where, options, checked, url, CLIENT_MAX_PAYLOAD), signal };
  return { config, checked: isPromise(checked) ? checked : undefined };
}

/** Whether there is an option, of those that are not judged where they are used, that may be wrong. */
function needsCheck(options: object): boolean {
  return [...CHANNEL_OPTION_NAMES, ...CLIENT_OPTION_NAMES, 'strict'].some((name) => {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    return value !== undefined && !(typeof value === 'boolean' && BOOLEANS.includes(name));
  });
}

/** `maxPayload` for `ws`: above every frame that the session takes; 0, which is no limit, where that is too long for it. */
export function transportMaxPayload(maxPayload: number): number {
  const limit = maxInnerBytes(maxPayload) + FRAME_HEADROOM;
  return limit > MAX_TRANSPORT_LIMIT ? 0 : limit;
}
