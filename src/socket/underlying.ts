/**
 * Which WebSocket class a new connection runs over, looked up when the connection is made: the option, then the
 * global, then the platform's last resort. Interceptors that were installed after this module loaded count.
 */
import { platform } from '#platform';
import type { WebSocketConstructor } from '../platform/platform.ts';

/**
 * Marks every class of ours, readable through a Proxy too. Its value holds the class that a polyfill replaced.
 */
export const BRAND = Symbol.for('pq-websocket');

export interface Brand {
  readonly native?: WebSocketConstructor | undefined;
}

export function brandOf(constructor: unknown): Brand | undefined {
  return typeof constructor === 'function'
    ? (constructor as unknown as Record<symbol, Brand | undefined>)[BRAND]
    : undefined;
}

/**
 * @param option the `WebSocket` option
 * @param forTransportOptions whether the connection has options that only npm `ws` understands
 * @throws {TypeError} when there is no class that is not ours
 */
export function underlyingClass(where: string, option: unknown, forTransportOptions: boolean): WebSocketConstructor {
  if (option !== undefined) {
    if (typeof option !== 'function') throw new TypeError(`${where}: option 'WebSocket' must be a class`);
    return unwrapped(where, option as WebSocketConstructor);
  }
  if (forTransportOptions) return required(where, platform.fallbackWebSocket());
  const present = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  return present === undefined ? required(where, platform.fallbackWebSocket()) : unwrapped(where, present);
}

function unwrapped(where: string, constructor: WebSocketConstructor): WebSocketConstructor {
  const brand = brandOf(constructor);
  if (brand === undefined) return constructor;
  return required(where, brand.native);
}

function required(where: string, constructor: WebSocketConstructor | undefined): WebSocketConstructor {
  if (constructor === undefined) throw new TypeError(`${where}: there is no WebSocket class to run over`);
  return constructor;
}
