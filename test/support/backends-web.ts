/** backends.ts for a browser, where there is no node:crypto. */
import type { CryptoBackend } from '../../src/crypto/backend.ts';
import { nobleBackend } from '../../src/crypto/noble/backend.ts';
import { nobleKem } from '../../src/crypto/noble/kem.ts';
import { nobleOtherKems } from '../../src/crypto/noble/other-kems.ts';
import { webcryptoBackend } from './webcrypto-backend.ts';

export const BACKENDS: Readonly<Record<'noble' | 'webcrypto', CryptoBackend>> = {
  noble: nobleBackend,
  webcrypto: webcryptoBackend(
    globalThis.crypto.subtle,
    () => nobleKem,
    undefined,
    () => nobleOtherKems,
  ),
};
export const BACKEND_NAMES = Object.keys(BACKENDS) as (keyof typeof BACKENDS)[];
