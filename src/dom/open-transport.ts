/** From the arguments of `new PQWebSocket` to a transport that is connecting. */
import { checkClientOptions, optionsObject } from '#client-options';
import { MAY_RUN_OVER_WS, uninherited, wsOptions } from '#over-ws';
import { platform } from '#platform';
import { underlyingClass } from '#underlying-class';
import type { PQWebSocketOptions } from '../api/types.ts';
import { ownProperties } from '../base/own-properties.ts';
import { toDomString, toUsvString } from '../base/values.ts';
import type { ChannelConfig } from '../options/channel.ts';
import { refuseUnknown } from '../options/channel.ts';
import { transportMaxPayload } from '../options/client-limits.ts';
import type { Upgrade } from '../transport/late.ts';
import { openUpgrade } from '../transport/upgrade.ts';
import type { WebSocketConstructor } from '../platform/platform.ts';
import type { OptionsBag } from './options-bag.ts';
import { takesBag } from './options-bag.ts';
import { baseUrl } from '../base/base-url.ts';
import { parseProtocols, parseUrl, toProtocols } from './webidl.ts';

/**
 * Opens the WebSocket underneath.
 * @throws {DOMException} SyntaxError for a URL or subprotocols that the standard refuses
 * @throws {TypeError | RangeError} for an option that is unknown, or wrong where its check need not be loaded
 */
export function openTransport(
  url: unknown,
  protocols: unknown,
  given: unknown,
): { url: string; strict: boolean; transport: object; config: ChannelConfig } {
  const where = 'PQWebSocket';
  // Web IDL converts every argument before the standard looks at one.
  const text = toUsvString(url);
  const converted = toProtocols(protocols);
  const options = optionsObject(where, given) as PQWebSocketOptions & Record<string, unknown>;
  const transportOptions = wsOptions(options);
  const needsWs = MAY_RUN_OVER_WS && Object.keys(transportOptions).length > 0;
  const Underlying = underlyingClass(where, options.WebSocket, needsWs);
  const isWs = MAY_RUN_OVER_WS && (needsWs || Underlying === platform.fallbackWebSocket());
  const { offered: listed, init } = converted
    ? { offered: converted, init: undefined }
    : readBag(where, protocols as object, Underlying, isWs);
  const { href } = parseUrl(text, baseUrl());
  const application = parseProtocols(listed);
  const { known, config } = checkClientOptions(where, options, href);
  const open = ({ protocols: all, config: { limits } }: Upgrade): object => {
    const offered = all.length > 0 ? [...all] : undefined;
    if (isWs) {
      const maxPayload = transportMaxPayload(limits.maxPayload);
      const passed = uninherited({ ...init, ...transportOptions, perMessageDeflate: false, maxPayload });
      return new Underlying(href, offered, passed);
    }
    if (init !== undefined) return new Underlying(href, { ...init, ...(offered && { protocols: offered }) } as never);
    return offered === undefined ? new Underlying(href) : new Underlying(href, offered);
  };
  const { transport, config: first } = openUpgrade(application, options.fastOpen === true, config, known, open);
  const { signal } = options as { signal?: AbortSignal };
  return { url: href, strict: options.strict === true, transport, config: ownProperties({ ...first, signal }) };
}

interface ReadBag {
  /** Not judged yet. */
  readonly offered: string[];
  /** What else the class underneath is given. */
  readonly init: OptionsBag | undefined;
}

function readBag(where: string, given: object, Underlying: WebSocketConstructor, isWs: boolean): ReadBag {
  const bag = ownProperties(given) as OptionsBag;
  const { protocols, ...init } = bag;
  if (MAY_RUN_OVER_WS && isWs) refuseUnknown(where, init, [...platform.transportOptions, 'signal']);
  // A class that knows no bag makes a string of it.
  else if (!takesBag(where, Underlying, bag)) return { offered: [toDomString(given)], init: undefined };
  const offered = toProtocols(protocols) ?? [toDomString(protocols)];
  return { offered, init: Object.keys(init).length > 0 ? init : undefined };
}
