/**
 * `pq-websocket/polyfill`: replaces `globalThis.WebSocket`, so that code which names the global class is secure
 * without a change. Importing it does nothing; `install()` does.
 * @module
 */
import type { PQWebSocketOptions } from './types.ts';
import { createPolyfill } from './socket/polyfill-class.ts';
import { brandOf } from './socket/underlying.ts';
import type { WebSocketConstructor } from './platform/platform.ts';

export interface PolyfillOptions extends Omit<PQWebSocketOptions, 'WebSocket'> {
  /** Which URLs are secured; everything else opens with the native class. Default: all. */
  include?: (url: URL) => boolean;
}

export interface Installation {
  /** The class that was replaced. */
  readonly native: WebSocketConstructor;
  /** Puts the native class back, unless somebody else has replaced the global since: then it says so and does not. */
  uninstall(): boolean;
}

let present: Installation | undefined;

/**
 * Replaces the global WebSocket. A second call gives the first installation.
 * @throws {TypeError} where there is no global WebSocket, or it cannot be replaced
 */
export function install(options: PolyfillOptions = {}): Installation {
  if (present !== undefined) return present;
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
  const current = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (current === undefined) throw new TypeError('polyfill: there is no global WebSocket to replace');
  if (descriptor?.configurable !== true) throw new TypeError('polyfill: the global WebSocket is not configurable');
  // Another copy of this package may have been here first; two layers would be sealed twice for nothing.
  const native = brandOf(current)?.native ?? current;
  const secure = createPolyfill(native, options);
  Object.defineProperty(globalThis, 'WebSocket', {
    value: secure,
    writable: true,
    enumerable: descriptor.enumerable ?? false,
    configurable: true,
  });
  present = {
    native,
    uninstall() {
      if ((globalThis as { WebSocket?: unknown }).WebSocket !== secure) return false;
      Object.defineProperty(globalThis, 'WebSocket', descriptor);
      present = undefined;
      return true;
    },
  };
  return present;
}

