/** Where the script tag finds its parts, and they put themselves, whichever of them loads first. */
import type { portableBackend } from '../crypto/noble-symmetric.ts';
import type { SignatureScheme } from '../crypto/signature.ts';
import type { SessionMaker } from '../protocol/session-types.ts';

export interface Parts {
  portable: typeof portableBackend;
  'ml-dsa': SignatureScheme;
  yellowpages: SessionMaker;
}

const REGISTRY: unique symbol = Symbol.for('pq-websocket parts');
const scope = globalThis as { [REGISTRY]?: Partial<Parts> };

export function registerPart<Name extends keyof Parts>(name: Name, part: Parts[Name]): void {
  (scope[REGISTRY] ??= {})[name] = part;
}

export function registeredPart<Name extends keyof Parts>(name: Name): Parts[Name] | undefined {
  return scope[REGISTRY]?.[name];
}
