/** Where the script tag finds its parts, and they put themselves, whichever of them loads first. */
import type { CryptoBackend } from '../../crypto/backend.ts';
import type { PortableKem } from '../../crypto/portable-kem.ts';
import type { SignatureScheme } from '../../crypto/signature.ts';
import type { ClientAuthentication } from '../../protocol/client-authentication.ts';
import type { ExtensionsMaker } from '../../protocol/v1/extension-types.ts';
import type { ProfileMaker, SessionConfig } from '../../protocol/session-types.ts';

export interface Parts {
  /** ML-KEM-768 alone. */
  kem: PortableKem;
  /** ML-KEM-768 and all else, for pages without crypto.subtle. */
  portable: CryptoBackend;
  /** For who pins keys. */
  'ml-dsa': { readonly signatures: SignatureScheme; readonly authentication: ClientAuthentication };
  /** Makes the class of streams for a polyfill; undefined where no socket opens at all. */
  stream: (polyfill: object) => object | undefined;
  /** Exchange, heartbeat and exporter. */
  extensions: ExtensionsMaker;
  yellowpages: ProfileMaker;
  /** Looks at a connection, which this room knows nothing of: gives the configuration that it is to have. */
  inspect: <Text>(config: SessionConfig<Text>, connection: never, socket: object) => SessionConfig<Text>;
}

const REGISTRY: unique symbol = Symbol.for('pq-websocket parts');
const scope = globalThis as { [REGISTRY]?: Partial<Parts> };

export function registerPart<Name extends keyof Parts>(name: Name, part: Parts[Name]): void {
  (scope[REGISTRY] ??= { __proto__: null } as Partial<Parts>)[name] = part;
}

export function registeredPart<Name extends keyof Parts>(name: Name): Parts[Name] | undefined {
  return scope[REGISTRY]?.[name];
}
