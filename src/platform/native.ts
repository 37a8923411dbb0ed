/** `pq-websocket/native`: as web.ts, for engines with ML-KEM-768 of their own. Whatever they lack, nothing replaces. */
import type { Platform } from './platform.ts';
import { moduleParts } from './module-parts.ts';
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
    ...moduleParts(),
  });
}
