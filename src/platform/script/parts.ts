/**
 * What the script tag's pages seldom need stands in files beside it. Each is loaded when it is first asked for, in a page
 * by a tag that demands the hash which the build has written here, in a worker by importScripts, in a module worker by
 * import(); or a page names them itself, before or after. Where one cannot be loaded, whatever needs it fails.
 */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import type { Parts } from './registry.ts';
import { registeredPart } from './registry.ts';
import type { Own } from './scope.ts';
import { isPage, own, runInPage } from './scope.ts';
import { Refusal } from '../../protocol/errors.ts';
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
let policy: ReturnType<PolicyFactory['createPolicy']> | undefined;
const loading: Partial<Record<keyof Parts, Promise<unknown>>> = {};

export function scriptPart<Name extends LoadedPart>(name: Name): MaybePromise<Parts[Name]> {
  return (
    registeredPart(name) ??
    ((loading[name] ??= load(name).finally(() => {
      delete loading[name];
    })) as Promise<Parts[Name]>)
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

async function load(name: LoadedPart): Promise<unknown> {
  // Where nothing is known of this script, no socket opens that would need a part.
  const { address, crossOrigin, nonce } = own as Own;
  const url = new URL(`pq-websocket.${name}.min.js`, address).href;
  try {
    const src = trusted(url);
    if (runInPage !== undefined) {
      const integrity = `sha256-${SCRIPT_PARTS[name]}`;
      // A hash is demanded of a script of another origin only where that lets its bytes be read.
      await runInPage({ src, integrity, crossOrigin: crossOrigin ?? 'anonymous', nonce });
    } else {
      try {
        importScripts?.(src);
      } catch (error) {
        if ((error as Error).name === 'NetworkError') throw error;
        // HTML 10.3.1: a module worker has no importScripts that works.
        await import(url);
      }
    }
    const part = registeredPart(name);
    if (part === undefined) throw new Error('it is not what it should be');
    return part;
  } catch (cause) {
    throw new Refusal('PQ_ERR_LOAD', { cause: new Error(`pq-websocket: ${url} could not be loaded`, { cause }) });
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
