/** From the arguments of `new PQWebSocket` to a transport that is connecting. */
import { platform } from '#platform';
import { maxInnerBytes } from '../protocol/v1/record.ts';
import type { PQWebSocketOptions } from '../api/types.ts';
import { CLIENT_AUTHENTICATION_OPTIONS } from './client-identity.ts';
import type { ChannelConfig } from './channel.ts';
import { booleanOption, CHANNEL_OPTION_NAMES, optionsObject, refuseUnknown } from './channel.ts';
import { clientConfig } from './profile.ts';
import { underlyingClass } from '../transport/choose.ts';
import { openUpgrade } from '../transport/upgrade.ts';
import { baseUrl, parseProtocols, parseUrl, toProtocols, toUsvString } from '../base/webidl.ts';

/** The standard has no limit; a page's memory has. */
export const CLIENT_MAX_PAYLOAD = 2 ** 30;
/** Room above the longest frame, so that a longer one is refused by the session, with its code, and not by `ws`. */
const FRAME_HEADROOM = 1024 * 1024;
/** The longest limit that `ws` can have: it takes the number modulo 2^32. */
const MAX_TRANSPORT_LIMIT = 2 ** 31 - 1;

/** What a client has beside what both ends have. */
export const CLIENT_OPTION_NAMES = [...CLIENT_AUTHENTICATION_OPTIONS, 'fastOpen', 'profile'] as const;

const OWN_OPTIONS = [...CHANNEL_OPTION_NAMES, ...CLIENT_OPTION_NAMES, 'strict', 'WebSocket'];

/**
 * @param url for the application's verifier
 * @throws {TypeError | RangeError} for an option that is unknown or wrong
 */
export function checkClientOptions(where: string, options: PQWebSocketOptions, url: string): ChannelConfig {
  refuseUnknown(where, options, [...OWN_OPTIONS, ...platform.transportOptions]);
  booleanOption(where, 'strict', options.strict, false);
  booleanOption(where, 'fastOpen', options.fastOpen, false);
  return clientConfig(where, options, url, CLIENT_MAX_PAYLOAD);
}

/**
 * Opens the WebSocket underneath.
 * @throws {DOMException} SyntaxError for a URL or subprotocols that the standard refuses
 * @throws {TypeError | RangeError} for an option that is unknown or wrong
 */
export function openTransport(
  url: unknown,
  protocols: unknown,
  given: unknown,
): { url: string; transport: object; config: ChannelConfig } {
  const where = 'PQWebSocket';
  // Web IDL converts every argument before the standard looks at one.
  const text = toUsvString(url);
  const converted = toProtocols(protocols);
  const { href } = parseUrl(text, baseUrl());
  const subprotocols = parseProtocols(converted);
  const options = optionsObject(where, given) as PQWebSocketOptions & Record<string, unknown>;
  const config = checkClientOptions(where, options, href);
  const transportOptions = Object.fromEntries(
    Object.entries(options).filter(([name, value]) => platform.transportOptions.has(name) && value !== undefined),
  );
  const needsWs = Object.keys(transportOptions).length > 0;
  const { finishRequest } = transportOptions as PQWebSocketOptions;
  if (finishRequest !== undefined) {
    // ws shows it the socket that does not seal, too.
    transportOptions['finishRequest'] = (request: never): void => {
      finishRequest(request);
    };
  }
  const Underlying = underlyingClass(where, options.WebSocket, needsWs);
  const { transport, upgrade } = openUpgrade(subprotocols, options.fastOpen ?? false, (protocols) => {
    const offered = protocols.length > 0 ? [...protocols] : undefined;
    if (needsWs || Underlying === platform.fallbackWebSocket()) {
      const maxPayload = transportMaxPayload(config.limits.maxPayload);
      return new Underlying(href, offered, { ...transportOptions, perMessageDeflate: false, maxPayload });
    }
    return offered === undefined ? new Underlying(href) : new Underlying(href, offered);
  });
  return { url: href, transport, config: { ...config, ...upgrade } };
}

/** `maxPayload` for `ws`: above every frame that the session takes; 0, which is no limit, where that is too long for it. */
export function transportMaxPayload(maxPayload: number): number {
  const limit = maxInnerBytes(maxPayload) + FRAME_HEADROOM;
  return limit > MAX_TRANSPORT_LIMIT ? 0 : limit;
}
