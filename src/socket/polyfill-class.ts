/** The class that stands where the platform's WebSocket was. */
import type { WebSocketConstructor } from '../platform/platform.ts';
import { checkClientOptions } from './client-options.ts';
import { PQWebSocket } from './pq-websocket.ts';
import type { Brand } from './underlying.ts';
import { BRAND, isLayered } from './underlying.ts';
import { baseUrl, parseUrl, requireArguments } from './webidl.ts';

export interface PolyfillClassOptions {
  include?: ((url: URL) => boolean) | undefined;
}

/**
 * @param brand its `native` runs underneath, and opens URLs that are not included
 * @throws {TypeError | RangeError} for an option that is unknown or wrong, now and not when a socket opens
 */
export function createPolyfill(
  brand: Brand & { readonly native: WebSocketConstructor },
  options: PolyfillClassOptions,
): WebSocketConstructor {
  const { native } = brand;
  const { include, ...channelOptions } = options;
  if (include !== undefined && typeof include !== 'function') {
    throw new TypeError("polyfill: option 'include' must be a function");
  }
  checkClientOptions('polyfill', channelOptions, '');

  class WebSocket extends PQWebSocket {
    constructor(url: unknown, protocols: unknown = undefined) {
      requireArguments('WebSocket constructor', arguments.length, 1);
      if (isLayered(url) || (include !== undefined && !include(parseUrl(url, baseUrl())))) {
        return (protocols === undefined
          ? new native(url as string)
          : new native(url as string, protocols as string[])) as unknown as WebSocket;
      }
      // An application that never heard of this package gets the standard's send(), unless the page says otherwise.
      super(url, protocols, { strict: true, ...channelOptions, WebSocket: native });
    }
  }
  Object.defineProperty(WebSocket, 'name', { value: 'WebSocket', configurable: true });
  Object.defineProperty(WebSocket, BRAND, { value: brand });
  if (include !== undefined) {
    Object.defineProperty(WebSocket, Symbol.hasInstance, {
      value: (value: unknown): boolean => value instanceof PQWebSocket || value instanceof native,
    });
  }
  return WebSocket;
}
