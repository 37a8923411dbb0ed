/** Putting our class where the platform's WebSocket was, once, and taking it away again. */
import { platform } from '#platform';
import type { WebSocketConstructor } from '../platform/platform.ts';
import type { PolyfillClassOptions } from './polyfill-class.ts';
import { ownProperties } from '../base/own-properties.ts';
import { createPolyfill } from './polyfill-class.ts';
import type { Brand } from '../transport/choose.ts';
import { brandOf } from '../transport/choose.ts';
import { registeredPart } from '../platform/script/registry.ts';
import type { NativeStreamClass } from '../transport/stream-socket.ts';
import type { OpenSecure } from './open-secure.ts';
import { openSecure } from './open-secure.ts';
import { replaceGlobal } from './replace-global.ts';
import { isNativeStream, nativeStreamClass, RefusedStream, replaceStream } from './stream-install.ts';
import { baseUrl } from '../base/base-url.ts';
import { parseUrl } from './webidl.ts';

/** What a polyfilled global tells of itself, as `WebSocket[Symbol.for('pq-websocket')]`. */
export interface Polyfill extends Brand {
  readonly native: WebSocketConstructor;
  readonly uninstall: () => boolean;
  readonly options: PolyfillClassOptions;
  /** What the script tag said, where one did. */
  readonly attributes: string | undefined;
  /** Whether the global classes are still ours, and seal: nothing that names them opens a connection in the clear. */
  readonly isProtected: (url?: string | URL) => boolean;
  /** For the part with streams, which is a script of its own. */
  readonly openSecure: OpenSecure;
  /** The platform's WebSocketStream, where it has one. */
  readonly nativeStream: NativeStreamClass | undefined;
}

/**
 * The first installation stands, also one by another copy of this package: two layers would be sealed twice for nothing.
 * @throws {TypeError} where there is no global WebSocket, it cannot be replaced, or one with other options is installed
 */
export function installPolyfill(given: PolyfillClassOptions, attributes?: string): Polyfill {
  const options = ownProperties(given);
  const present = installed();
  if (present !== undefined) {
    const same = attributes !== undefined && attributes === present.attributes;
    if (same || agrees(options, present.options)) return present;
    throw new TypeError('polyfill: it is installed already, with other options');
  }
  // Node 20 has none, and npm `ws`.
  const current = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket ?? platform.fallbackWebSocket();
  if (current === undefined) throw new TypeError('polyfill: there is no WebSocket to run over');
  const nativeStream = nativeStreamClass();
  const polyfill: Polyfill = {
    native: brandOf(current)?.native ?? current,
    get installed() {
      return value;
    },
    include: options.include,
    uninstall() {
      const isUndone = putBack();
      if (isUndone) putStreamBack?.();
      return isUndone;
    },
    options,
    attributes,
    isProtected: (url) =>
      installed() === polyfill &&
      !isNativeStream() &&
      (url === undefined || (options.include?.(parseUrl(url, baseUrl())) ?? true)),
    openSecure,
    nativeStream,
  };
  const value = createPolyfill(polyfill, options);
  const putBack = replaceGlobal('WebSocket', value);
  const putStreamBack =
    nativeStream && replaceStream(nativeStream, registeredPart('stream')?.(polyfill) ?? RefusedStream);
  return polyfill;
}

/** The polyfill whose class is the global one now, ours or another copy's. */
export function installed(): Polyfill | undefined {
  const brand = brandOf((globalThis as { WebSocket?: unknown }).WebSocket);
  return brand !== undefined && 'uninstall' in brand ? (brand as Polyfill) : undefined;
}

/** Whether the one who asks again asks for nothing else; nothing asked for is whatever there is. */
function agrees(asked: object, present: object): boolean {
  const entries = Object.entries(asked);
  const given = ownProperties(present) as Readonly<Record<string, unknown>>;
  return (
    entries.length === 0 ||
    (entries.length === Object.keys(given).length && entries.every(([name, value]) => Object.is(value, given[name])))
  );
}
