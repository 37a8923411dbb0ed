/**
 * `#underlying-class`: which WebSocket class a new connection runs over, looked up when the connection is made: the option, then the
 * global, then the platform's last resort. Interceptors that were installed after this module loaded count.
 */
import { platform } from '#platform';
import type { WebSocketConstructor } from '../platform/platform.ts';
import { wrongOption } from '../options/checks.ts';
import { URL } from '../base/captured.ts';
import { define } from '../base/own-properties.ts';

/**
 * Marks every class of ours, readable through a Proxy too. Its value holds the class that a polyfill replaced.
 */
export const BRAND = Symbol.for('pq-websocket');

/**
 * On a URL: what opens it is the secure layer itself, so that a polyfill gives it the native class. On a socket: the secure
 * layer runs over it.
 */
const LAYERED = Symbol.for('pq-websocket.layered');

export interface Brand {
  readonly native?: WebSocketConstructor | undefined;
  /** The class that a polyfill put into the global's place. Where the global is another one now, something wraps it. */
  readonly installed?: WebSocketConstructor | undefined;
  readonly include?: ((url: URL) => boolean) | undefined;
}

/** What a secure socket opens as its transport in this very call: a wrapper may make a string of the marked URL. */
let opening: string | undefined;

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
      throw wrongOption(where, 'WebSocket', 'a class', option);
    }
    return givenClass(where, option as WebSocketConstructor);
  }
  const present = presentClass();
  const usable = present !== undefined && wrapsPolyfill(present) ? throughWrapper(present) : plain(present);
  const constructor = (forTransportOptions ? undefined : usable) ?? platform.fallbackWebSocket();
  if (constructor === undefined) throw new TypeError(`${where}: there is no WebSocket class to run over`);
  return constructor;
}

/** @throws {TypeError} for a class of ours that replaced none */
export function givenClass(where: string, option: WebSocketConstructor): WebSocketConstructor {
  const given = plain(option);
  if (given !== undefined) return given;
  throw new TypeError(`${where}: option 'WebSocket' must be a class to run over, got PQWebSocket itself`);
}

/** The class itself, or what a class of ours replaced: undefined where the application assigned ours to the global itself. */
function plain(constructor: WebSocketConstructor | undefined): WebSocketConstructor | undefined {
  const brand = brandOf(constructor);
  return brand === undefined ? constructor : brand.native;
}

function presentClass(): WebSocketConstructor | undefined {
  return (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
}

/** Whether a Proxy (msw's, or an instrumentation's) stands before the polyfill's class. */
function wrapsPolyfill(constructor: WebSocketConstructor): boolean {
  const installed = brandOf(constructor)?.installed;
  return installed !== undefined && installed !== constructor;
}

/** Who wraps the polyfill's class shall see this connection too, and the polyfill beneath it not secure it again. */
function throughWrapper(Wrapper: WebSocketConstructor): WebSocketConstructor {
  return class {
    constructor(url: string, protocols?: string | string[]) {
      const marked = Object.assign(new URL(url), { [LAYERED]: true }) as unknown as string;
      opening = url;
      try {
        const socket = protocols === undefined ? new Wrapper(marked) : new Wrapper(marked, protocols);
        return define(socket, LAYERED, { value: true });
      } finally {
        opening = undefined;
      }
    }
  };
}

/** For a polyfill's constructor: whether it is the secure layer that opens this, so that there is nothing to secure. */
export function isLayered(url: unknown): boolean {
  return (typeof url === 'object' && url !== null && LAYERED in url) || (typeof url === 'string' && url === opening);
}

/**
 * Whether this socket was intercepted above the secure layer: its interceptor it wraps the polyfill's class, and the application
 * opened the global one. Then no handshake ever takes place on it.
 */
export function isAboveTheLayer(socket: object, url: URL): boolean {
  const present = presentClass();
  if (present === undefined || !wrapsPolyfill(present) || LAYERED in socket) return false;
  return brandOf(present)?.include?.(url) ?? true;
}
