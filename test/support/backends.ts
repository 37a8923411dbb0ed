/** Every backend of this platform. Bundled for a browser, backends-web.ts stands in its place. */
import type { BackendName } from '../../src/api/types.ts';
import type { CryptoBackend } from '../../src/crypto/backend.ts';
import { nobleBackend } from '../../src/crypto/noble/backend.ts';
import { nobleKem } from '../../src/crypto/noble/kem.ts';
import { nodeBackend } from '../../src/crypto/node/backend.ts';
import { webcryptoBackend } from '../../src/crypto/webcrypto/backend.ts';

export const BACKENDS: Readonly<Record<BackendName, CryptoBackend>> = {
  noble: nobleBackend,
  node: nodeBackend,
  webcrypto: webcryptoBackend(globalThis.crypto.subtle, () => nobleKem),
};
export const BACKEND_NAMES = Object.keys(BACKENDS) as BackendName[];
