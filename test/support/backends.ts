/** Every backend of this platform. Bundled for a browser, backends-web.ts stands in its place. */
import type { BackendName } from '../../src/api/types.ts';
import type { CryptoBackend } from '../../src/crypto/backend.ts';
import { nobleBackend } from '../../src/crypto/noble/backend.ts';
import { nobleKem } from '../../src/crypto/noble/kem.ts';
import { nobleOtherKems } from '../../src/crypto/noble/other-kems.ts';
import { nodeBackend } from '../../src/crypto/node/backend.ts';
import { nativeBackend } from '../../src/crypto/node/native.ts';
import { webcryptoBackend } from './webcrypto-backend.ts';
import { nativeBinding } from './native.ts';

const binding = nativeBinding('pq-websocket-native as a fourth backend');

/** `native` is among them where it is built. */
export const BACKENDS = {
  noble: nobleBackend,
  node: nodeBackend,
  webcrypto: webcryptoBackend(
    globalThis.crypto.subtle,
    () => nobleKem,
    undefined,
    () => nobleOtherKems,
  ),
  ...(binding && { native: nativeBackend(binding) }),
} as Readonly<Record<BackendName, CryptoBackend>>;
export const BACKEND_NAMES = Object.keys(BACKENDS) as BackendName[];
