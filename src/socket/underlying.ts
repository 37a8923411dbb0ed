/**
 * Which WebSocket class a new connection runs over, looked up when the connection is made: the option, then the
 * global, then the platform's last resort. Interceptors that were installed after this module loaded count.
 */
import { platform } from '#platform';
import type { WebSocketConstructor } from '../platform/platform.ts';
import { described } from './options.ts';

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
    if (typeof option !== 'function') {
      throw new TypeError(`${where}: option 'WebSocket' must be a class, got ${described(option)}`);
    }
    const given = plain(option as WebSocketConstructor);
    if (given !== undefined) return given;
    throw new TypeError(`${where}: option 'WebSocket' must be a class to run over, got PQWebSocket itself`);
  }
  const present = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  const constructor = (forTransportOptions ? undefined : plain(present)) ?? platform.fallbackWebSocket();
  if (constructor === undefined) throw new TypeError(`${where}: there is no WebSocket class to run over`);
  return constructor;
}

/** The class itself, or what a class of ours replaced: undefined where somebody assigned it by hand. */
function plain(constructor: WebSocketConstructor | undefined): WebSocketConstructor | undefined {
  const brand = brandOf(constructor);
  return brand === undefined ? constructor : brand.native;
}
