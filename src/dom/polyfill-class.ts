/** The class that stands where the platform's WebSocket was. */
import { checkClientOptions } from '#client-options';
import type { WebSocketConstructor } from '../platform/platform.ts';
import { define, ownProperties } from '../base/own-properties.ts';
import { BaseEventTarget } from '#events';
import { defineConstants } from './interface-object.ts';
import { PQWebSocket } from './pq-websocket.ts';
import type { Brand } from '../transport/choose.ts';
import { BRAND, isLayered } from '../transport/choose.ts';
import { baseUrl } from '../base/base-url.ts';
import { parseUrl, requireArguments } from './webidl.ts';

export interface PolyfillClassOptions {
  include?: ((url: URL) => boolean) | undefined;
}

/**
 * @param brand its `native` runs underneath, and opens URLs that are not included
 * @throws {TypeError | RangeError} for an option that is unknown, or wrong where its check need not be loaded: now, and not when a socket opens
 */
export function createPolyfill(
  brand: Brand & { readonly native: WebSocketConstructor },
  options: PolyfillClassOptions,
): WebSocketConstructor {
  const { native } = brand;
  const { include, ...channelOptions } = ownProperties(options);
  // Where that takes time, each connection says what is wrong.
  checkClientOptions('polyfill', ownProperties(channelOptions), '');

  // Not a subclass: the members are to be the global class's own, and EventTarget its parent, as Web IDL has it.
  class WebSocket {
    constructor(url: unknown, protocols: unknown = undefined) {
      requireArguments('WebSocket constructor', arguments.length, 1);
      if (isLayered(url) || (include !== undefined && !include(parseUrl(url, baseUrl())))) {
        return Reflect.construct(native, protocols === undefined ? [url] : [url, protocols]) as WebSocket;
      }
      // An application that never heard of this package gets the standard's send(), unless the page says otherwise.
      return Reflect.construct(
        PQWebSocket,
        [url, protocols, { strict: true, ...channelOptions, WebSocket: native }],
        new.target,
      );
    }
  }
  define(WebSocket, 'name', { value: 'WebSocket', configurable: true });
  Object.setPrototypeOf(WebSocket, BaseEventTarget);
  Object.setPrototypeOf(WebSocket.prototype, BaseEventTarget.prototype);
  const { prototype } = PQWebSocket;
  for (const name of Reflect.ownKeys(prototype)) {
    const member = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
    // What is beyond Web IDL's (./additions.ts) a page has not asked for.
    if (member.enumerable || name === Symbol.toStringTag) define(WebSocket.prototype, name, member);
  }
  defineConstants(WebSocket);
  define(WebSocket, BRAND, { value: brand });
  if (include !== undefined) {
    define(WebSocket, Symbol.hasInstance, {
      value(this: unknown, value: unknown): boolean {
        return (
          Function.prototype[Symbol.hasInstance].call(this as typeof WebSocket, value) ||
          (this === WebSocket && value instanceof native)
        );
      },
    });
  }
  return WebSocket;
}
