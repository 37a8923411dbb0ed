/** `#client-options`: the options of `new PQWebSocket`. */
import { platform } from '#platform';
import { readClient } from '#read-client';
import type { PQWebSocketOptions } from '../api/types.ts';
import { CLIENT_AUTHENTICATION_OPTIONS } from './client-identity.ts';
import { CLIENT_MAX_PAYLOAD } from './client-limits.ts';
import type { ChannelConfig } from './channel.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { isPromise } from '../base/maybe-promise.ts';
import { CHANNEL_OPTION_NAMES, described, plainChannel, refuseUnknown, taken } from './channel.ts';

/** What a client has beside what both ends have. */
export const CLIENT_OPTION_NAMES = [...CLIENT_AUTHENTICATION_OPTIONS, 'fastOpen', 'profile', 'kem'] as const;

const OWN_OPTIONS = [...CHANNEL_OPTION_NAMES, ...CLIENT_OPTION_NAMES, 'strict', 'WebSocket', 'signal'];

export { optionsObject } from './channel.ts';

/** Said by a boolean, which is right whichever it is. */
const BOOLEANS = ['strict', 'fastOpen', 'grease', 'heartbeat'];

export interface ClientConfig {
  /** What is known at once. */
  readonly known: ChannelConfig;
  /** All of it: a promise where the options' check has to be loaded, which rejects for one that is wrong. Nothing may go out before it is there. */
  readonly config: MaybePromise<ChannelConfig>;
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
  const plain = (): ChannelConfig => plainChannel(options, CLIENT_MAX_PAYLOAD);
  const config = needsCheck(options) ? readClient(where, options, url) : plain();
  if (!isPromise(config)) return { known: config, config };
  // Who waits for it says what it found.
  config.catch(() => undefined);
  return { known: { ...plain(), profile: options.profile }, config };
}

/** Whether there is an option, of those that are not judged where they are used, that may be wrong. */
function needsCheck(options: object): boolean {
  return [...CHANNEL_OPTION_NAMES, ...CLIENT_OPTION_NAMES, 'strict'].some((name) => {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    return value !== undefined && !(typeof value === 'boolean' && BOOLEANS.includes(name));
  });
}
