/** Putting our class where the platform's WebSocket was, once, and taking it away again. */
import { platform } from '#platform';
import type { WebSocketConstructor } from '../platform/platform.ts';
import type { PolyfillClassOptions } from './polyfill-class.ts';
import { ownProperties } from '../base/own-properties.ts';
import { createPolyfill } from './polyfill-class.ts';
import type { Brand } from '../transport/choose.ts';
import { BRAND, brandOf } from '../transport/choose.ts';
import { registeredPart } from '../platform/script/registry.ts';
import type { NativeStreamClass } from '../transport/stream-socket.ts';
import type { OpenSecure } from './open-secure.ts';
import { openSecure } from './open-secure.ts';
import { isNativeStream, nativeStreamClass, RefusedStream, replaceStream } from './stream-install.ts';
import { baseUrl, parseUrl } from './webidl.ts';
import { DOMException, Map } from '../base/captured.ts';

/** What a polyfilled global tells of itself, as `WebSocket[Symbol.for('pq-websocket')]`. */
export interface Polyfill extends Brand {
  readonly native: WebSocketConstructor;
  readonly uninstall: () => boolean;
  readonly options: PolyfillClassOptions;
  /** What the script tag said, where one did. */
  readonly attributes: string | undefined;
  /** Whether the global classes are still ours, and seal: nothing that names them opens a connection in the clear. */
  readonly isProtected: (url?: string | URL) => boolean;
  /** For the part with streams, which is a script of its own. Undefined where no socket opens. */
  readonly openSecure: OpenSecure | undefined;
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
  if (present === undefined) {
    return replaceGlobal(options, attributes, openSecure, (polyfill) => createPolyfill(polyfill, options));
  }
  const same = attributes !== undefined && attributes === present.attributes;
  if (same || agrees(options, present.options)) return present;
  throw new TypeError('polyfill: it is installed already, with other options');
}

/**
 * Where a secure class was asked for and the asking cannot be understood, no socket opens at all.
 * @param message what each `new WebSocket` throws, a SecurityError
 */
export function refuseAllSockets(message: string): void {
  replaceGlobal({}, undefined, undefined, (polyfill) => {
    const value = class WebSocket {
      constructor() {
        throw new DOMException(message, 'SecurityError');
      }
    };
    Object.defineProperty(value, BRAND, { value: polyfill });
    return value;
  });
}

/** The polyfill whose class is the global one now, ours or another copy's. */
export function installed(): Polyfill | undefined {
  const brand = brandOf((globalThis as { WebSocket?: unknown }).WebSocket);
  return brand !== undefined && 'uninstall' in brand ? (brand as Polyfill) : undefined;
}

function replaceGlobal(
  options: PolyfillClassOptions,
  attributes: string | undefined,
  open: OpenSecure | undefined,
  make: (polyfill: Polyfill) => WebSocketConstructor,
): Polyfill {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
  // Node 20 has none, and npm `ws`.
  const current = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket ?? platform.fallbackWebSocket();
  if (current === undefined) throw new TypeError('polyfill: there is no WebSocket to run over');
  if (descriptor?.configurable === false) throw new TypeError('polyfill: the global WebSocket is not configurable');
  const uninstall = (): boolean => {
    if ((globalThis as { WebSocket?: unknown }).WebSocket !== value) return false;
    if (descriptor === undefined) Reflect.deleteProperty(globalThis, 'WebSocket');
    else Object.defineProperty(globalThis, 'WebSocket', descriptor);
    putStreamBack?.();
    return true;
  };
  const nativeStream = nativeStreamClass();
  const polyfill: Polyfill = {
    native: brandOf(current)?.native ?? current,
    get installed() {
      return value;
    },
    include: options.include,
    uninstall,
    options,
    attributes,
    isProtected: (url) =>
      open !== undefined &&
      installed() === polyfill &&
      !isNativeStream() &&
      (url === undefined || (options.include?.(parseUrl(url, baseUrl())) ?? true)),
    openSecure: open,
    nativeStream,
  };
  const value = make(polyfill);
  // Test environments (vitest's jsdom) have an accessor there.
  const enumerable = descriptor?.enumerable ?? false;
  Object.defineProperty(globalThis, 'WebSocket', { configurable: true, enumerable, writable: true, value });
  const putStreamBack =
    nativeStream && replaceStream(nativeStream, registeredPart('stream')?.(polyfill) ?? RefusedStream);
  return polyfill;
}

/** Whether the one who asks again asks for nothing else; nothing asked for is whatever there is. */
function agrees(asked: object, present: object): boolean {
  const given = new Map(Object.entries(present));
  const entries = Object.entries(asked);
  return (
    entries.length === 0 ||
    (entries.length === given.size && entries.every(([name, value]) => Object.is(value, given.get(name))))
  );
}
