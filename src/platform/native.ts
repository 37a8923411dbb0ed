/** `pq-websocket/native`: as web.ts, for engines with ML-KEM-768 of their own. Whatever they lack, nothing replaces. */
import { webPlatform } from './web-platform.ts';

function missing(what: string): never {
  throw new Error(`pq-websocket/native: this engine has no ${what} of its own; import pq-websocket, which brings it`);
}

export const platform = /* @__PURE__ */ webPlatform({
  kem: () => missing('ML-KEM-768'),
  otherKems: () => missing('such a KEM'),
  portable: async () => missing('crypto.subtle'),
  encapsulation: async () => (await import('../crypto/webcrypto/encapsulation.ts')).encapsulating,
  signatures: async () => (await import('../crypto/noble/signature.ts')).nobleSignatures,
  extensions: async () => (await import('../protocol/v1/extensions.ts')).LiveExtensions,
  clientAuthentication: async () => (await import('../protocol/client-authentication.ts')).clientAuthentication,
  yellowpages: async () => (await import('../protocol/yellowpages/profile.ts')).Yellowpages,
});
