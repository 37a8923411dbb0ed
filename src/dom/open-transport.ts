/** From the arguments of `new PQWebSocket` to a transport that is connecting. */
import { platform } from '#platform';
import type { PQWebSocketOptions } from '../api/types.ts';
import { toUsvString } from '../base/values.ts';
import type { ChannelConfig } from '../options/channel.ts';
import { optionsObject } from '../options/channel.ts';
import { checkClientOptions, transportMaxPayload } from '../options/client.ts';
import { underlyingClass } from '../transport/choose.ts';
import { openUpgrade } from '../transport/upgrade.ts';
import { baseUrl, parseProtocols, parseUrl, toProtocols } from './webidl.ts';

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
