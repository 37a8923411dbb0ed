/** `#client-options`: the options of `new PQWebSocket`. */
import { checkClient } from '#check-client';
import { platform } from '#platform';
import type { PQWebSocketOptions } from '../api/types.ts';
import { CLIENT_AUTHENTICATION_OPTIONS } from './client-identity.ts';
import { CLIENT_MAX_PAYLOAD } from './client-limits.ts';
import type { ChannelConfig } from './channel.ts';
import { isPromise } from '../base/maybe-promise.ts';
import { CHANNEL_OPTION_NAMES, described, refuseUnknown, taken } from './channel.ts';
import { readClient } from './profile.ts';

/** What a client has beside what both ends have. */
export const CLIENT_OPTION_NAMES = [...CLIENT_AUTHENTICATION_OPTIONS, 'fastOpen', 'profile', 'kem'] as const;

const OWN_OPTIONS = [...CHANNEL_OPTION_NAMES, ...CLIENT_OPTION_NAMES, 'strict', 'WebSocket', 'signal'];

export { optionsObject } from './channel.ts';

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
