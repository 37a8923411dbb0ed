/** Browsers, their workers, and workerd, from modules: bundlers make a chunk of its own of each import(). */
import { webPlatform } from './web-platform.ts';
import { Promise } from '../base/captured.ts';

export const platform = /* @__PURE__ */ webPlatform({
  kem: async () => (await import('../crypto/noble/kem.ts')).nobleKem,
  // Both at once: as one module it would name the other only when it is there.
  portable: async () => {
    const [{ pageBackend }, { nobleKem }] = await Promise.all([
      import('../crypto/noble/page.ts'),
      import('../crypto/noble/kem.ts'),
    ]);
    return pageBackend(nobleKem);
  },
  signatures: async () => (await import('../crypto/noble/signature.ts')).nobleSignatures,
  yellowpages: async () => (await import('../protocol/yellowpages/profile.ts')).Yellowpages,
});
