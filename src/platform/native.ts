/** `pq-websocket/native`: as web.ts, for engines with ML-KEM-768 of their own. Whatever they lack, nothing replaces. */
import type { Platform } from './platform.ts';
import { part, webPlatform } from './web-platform.ts';

function missing(what: string): never {
  throw new Error(`pq-websocket/native: this engine has no ${what} of its own; import pq-websocket, which brings it`);
}

export const platform = /* @__PURE__ */ nativeModules();

function nativeModules(): Platform {
  return webPlatform({
    kem: part('ML-KEM-768', () => missing('ML-KEM-768')),
    otherKems: part('another KEM', () => missing('such a KEM')),
    portable: part('portable cryptography', () => missing('crypto.subtle')),
    encapsulation: part(
      'encapsulation',
      async () => (await import('../crypto/webcrypto/encapsulation.ts')).encapsulating,
    ),
    signatures: part('ML-DSA-65', async () => (await import('../crypto/noble/signature.ts')).nobleSignatures),
    extensions: part(
      'exchange and heartbeat',
      async () => (await import('../protocol/v1/extensions.ts')).LiveExtensions,
    ),
    clientAuthentication: part(
      'authentication',
      async () => (await import('../protocol/client-authentication.ts')).clientAuthentication,
    ),
    yellowpages: part('yellowpages', async () => (await import('../protocol/yellowpages/profile.ts')).Yellowpages),
  });
}
