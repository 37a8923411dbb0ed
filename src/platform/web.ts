/** Browsers, their workers, and workerd, from modules: bundlers make a chunk of its own of each import(). */
import { nobleKem } from '../crypto/noble-kem.ts';
import { webPlatform } from './web-platform.ts';

export const platform = /* @__PURE__ */ webPlatform({
  kem: nobleKem,
  portable: async () => (await import('../crypto/noble-symmetric.ts')).portableBackend(nobleKem),
  signatures: async () => (await import('../crypto/noble-signature.ts')).nobleSignatures,
  yellowpages: async () => (await import('../protocol/yellowpages.ts')).YellowpagesSession,
});
