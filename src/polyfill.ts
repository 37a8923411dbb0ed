/**
 * `pq-websocket/polyfill`: replaces `globalThis.WebSocket`, so that code which names the global class is secure
 * without a change. Importing it does nothing; `install()` does.
 * @module pq-websocket/polyfill
 */
import type { PQWebSocketOptions } from './api/types.ts';
import { optionsObject } from './options/channel.ts';
import { installed, installPolyfill } from './dom/polyfill-install.ts';
import type { WebSocketConstructor } from './platform/platform.ts';

/** The polyfill's options, for every socket that it secures. */
export interface PolyfillOptions extends Omit<PQWebSocketOptions, 'WebSocket'> {
  /** Whether `send()` while CONNECTING throws InvalidStateError. Default here: true, as the global class does. */
  strict?: boolean;
  /** Which URLs are secured; everything else opens with the native class. Default: all. */
  include?: (url: URL) => boolean;
}

/** What `install` has done. */
export interface Installation {
  /** The class that was replaced. */
  readonly native: WebSocketConstructor;
  /** Puts the native class back. Where the global was replaced again since, it warns and leaves it. */
  readonly uninstall: () => boolean;
}

/**
 * Whether what names the global classes is secure: `WebSocket` is still this package's, and `WebSocketStream` is no longer the
 * platform's. For a page to ask before it says anything; a page without modules asks
 * `WebSocket[Symbol.for('pq-websocket')]?.isProtected()`. False where no socket opens at all, too.
 * @param url whether this one would be, where some are left out. Default: whether any is
 */
export function isProtected(url?: string | URL): boolean {
  return installed()?.isProtected(url) ?? false;
}

/**
 * Replaces the global WebSocket. A second call gives the first installation, also where a script tag made that; what it
 * gives stands at `WebSocket[Symbol.for('pq-websocket')]` too.
 * Where there is no global one (Node 20) it runs over npm `ws`.
 * What is wrong in an option (not its name) is thrown on Node; in a page it is said in the console, and fails each connection.
 * @throws {TypeError} where there is no WebSocket at all, the global one cannot be replaced, or it has been with other options
 */
export function install(options: PolyfillOptions = {}): Installation {
  const own = optionsObject('polyfill', options);
  const { include } = own as { include?: unknown };
  if (include !== undefined && typeof include !== 'function') {
    throw new TypeError("polyfill: option 'include' must be a function");
  }
  return installPolyfill(own);
}
