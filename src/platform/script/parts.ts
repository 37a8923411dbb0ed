/**
 * What the script tag's pages seldom need stands in files beside it. Each is loaded when it is first asked for, in a page
 * by a tag that demands the hash which the build has written here, in a worker by importScripts, in a module worker by
 * import(); or a page names them itself, before or after. Where one cannot be loaded, whatever needs it fails.
 */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import type { Parts } from './registry.ts';
import { registeredPart } from './registry.ts';
import { baseAddress, isPage, ownElement, runInPage } from './scope.ts';
import { URL } from '../../base/captured.ts';

/** SHA-256 of each part, in base64, written by the build. */
declare const SCRIPT_PARTS: Readonly<Record<LoadedPart, string>>;

/** A page that wants streams names that part itself. */
type LoadedPart = Exclude<keyof Parts, 'stream'>;

/** Trusted Types (W3C): a page that demands them allows this one in its `trusted-types`. */
const POLICY = 'pq-websocket';

interface PolicyFactory {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}

const { trustedTypes, importScripts } = globalThis as {
  trustedTypes?: PolicyFactory;
  importScripts?: (...urls: unknown[]) => void;
};
const own = ownElement instanceof Error ? undefined : ownElement;
/** A worker's script knows its address only from the stack: `self.location` is that of the worker's first script. */
const address =
  own?.src || (isPage ? undefined : /[a-z-]+:\/\/\S+?(?=:\d+:\d+)/.exec(new Error().stack ?? '')?.[0]) || baseAddress();
let policy: ReturnType<PolicyFactory['createPolicy']> | undefined;
const loading: Partial<Record<keyof Parts, Promise<unknown>>> = {};

export function scriptPart<Name extends LoadedPart>(name: Name): MaybePromise<Parts[Name]> {
  const present = registeredPart(name);
  if (present !== undefined) return present;
  const file = `pq-websocket.${name}.min.js`;
  const loaded = (loading[name] ??= load(new URL(file, address).href, `sha256-${SCRIPT_PARTS[name]}`)) as Promise<void>;
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
  if (isPage || typeof SubtleCrypto === 'undefined' || 'encapsulateKey' in SubtleCrypto.prototype) return;
  (async () => scriptPart('kem'))().catch(() => undefined);
}

async function load(url: string, integrity: string): Promise<void> {
  try {
    const src = trusted(url);
    if (runInPage !== undefined) {
      // A hash is demanded of a script of another origin only where that lets its bytes be read.
      await runInPage({ src, integrity, crossOrigin: own?.crossOrigin ?? 'anonymous', nonce: own?.nonce ?? '' });
    } else {
      try {
        importScripts?.(src);
      } catch (error) {
        if ((error as Error).name === 'NetworkError') throw error;
        // HTML 10.3.1: a module worker has no importScripts that works.
        await import(url);
      }
    }
  } catch (cause) {
    throw new Error(`pq-websocket: ${url} could not be loaded`, { cause });
  }
}

/** What a page that demands Trusted Types takes for an address. Nobody else reaches the policy, and all that it gets is from here. */
function trusted(url: string): unknown {
  try {
    policy ??= trustedTypes?.createPolicy(POLICY, { createScriptURL: (known) => known });
    return policy?.createScriptURL(url) ?? url;
  } catch {
    // The page allows no such policy. Whether it demands one will be seen.
    return url;
  }
}
