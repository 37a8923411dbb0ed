/**
 * What the script tag's pages seldom need stands in files beside it. Each is loaded when it is first asked for, in a page
 * by a tag that demands the hash which the build has written here, in a worker by importScripts; or a page names them
 * itself, before or after. Where one cannot be loaded, whatever needs it fails.
 */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import type { Parts } from './registry.ts';
import { registeredPart } from './registry.ts';

/** File and hash of each part, written by the build. */
declare const SCRIPT_PARTS: Readonly<Record<keyof Parts, readonly [file: string, integrity: string]>>;

interface Scope {
  readonly document?: Document;
  readonly importScripts?: (url: string) => void;
}

const scope = globalThis as Scope;
const tag = scope.document?.currentScript as HTMLScriptElement | null | undefined;
const loading: Partial<Record<keyof Parts, Promise<unknown>>> = {};

export function scriptPart<Name extends keyof Parts>(name: Name): MaybePromise<Parts[Name]> {
  const present = registeredPart(name);
  if (present !== undefined) return present;
  const [file, integrity] = SCRIPT_PARTS[name];
  const loaded = (loading[name] ??= load(new URL(file, scriptUrl()).href, integrity)) as Promise<void>;
  return loaded.then(
    () => {
      const part = registeredPart(name);
      if (part === undefined) throw new Error(`pq-websocket: ${file} is not what it should be`);
      return part;
    },
    (error: unknown) => {
      delete loading[name];
      throw error;
    },
  );
}

/**
 * A service worker may load scripts only while its first one runs. So while this one runs, a worker gets what its engine visibly
 * lacks and any connection will need; where that fails, the connection asks again.
 */
export function loadAhead(): void {
  if (
    scope.document !== undefined ||
    typeof SubtleCrypto === 'undefined' ||
    'encapsulateBits' in SubtleCrypto.prototype
  )
    return;
  (async () => scriptPart('kem'))().catch(() => undefined);
}

async function load(url: string, integrity: string): Promise<void> {
  const failure = `pq-websocket: ${url} could not be loaded`;
  if (scope.document === undefined) {
    try {
      scope.importScripts?.(url);
    } catch (error) {
      throw new Error(failure, { cause: error });
    }
    return;
  }
  const script = scope.document.createElement('script');
  // A hash is demanded of a script of another origin only where that lets its bytes be read.
  Object.assign(script, { src: url, integrity, crossOrigin: tag?.crossOrigin ?? 'anonymous', nonce: tag?.nonce ?? '' });
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = (): void => {
      reject(new Error(failure));
    };
    scope.document?.head.append(script);
  });
  script.remove();
}

/** A worker's script knows its address only from the stack: `self.location` is that of the worker's first script. */
function scriptUrl(): string | undefined {
  const address = tag?.src ?? WORKER_ADDRESS;
  if (address) return address;
  return scope.document?.baseURI ?? (globalThis as { location?: { href: string } }).location?.href;
}

const WORKER_ADDRESS =
  scope.document === undefined ? /[a-z-]+:\/\/\S+?(?=:\d+:\d+)/.exec(new Error().stack ?? '')?.[0] : undefined;
