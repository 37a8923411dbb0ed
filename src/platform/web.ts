/** Browsers, their workers, and workerd, from modules: bundlers make a chunk of its own of each import(). */
import { webPlatform } from './web-platform.ts';
import { Promise } from '../base/captured.ts';

export const platform = /* @__PURE__ */ webPlatform({
  kem: async () => (await import('../crypto/noble/kem.ts')).nobleKem,
  otherKems: async () => (await import('../crypto/noble/other-kems.ts')).nobleOtherKems,
  // Both at once: as one module it would name the other only when it is there.
  portable: async () => {
    const [{ pageBackend }, { nobleKem }] = await Promise.all([
      import('../crypto/noble/page.ts'),
      import('../crypto/noble/kem.ts'),
    ]);
    return pageBackend(nobleKem, async () => (await import('../crypto/noble/other-kems.ts')).nobleOtherKems);
  },
  encapsulation: async () => (await import('../crypto/webcrypto/encapsulation.ts')).encapsulating,
  signatures: async () => (await import('../crypto/noble/signature.ts')).nobleSignatures,
  extensions: async () => (await import('../protocol/v1/extensions.ts')).LiveExtensions,
  clientAuthentication: async () => (await import('../protocol/client-authentication.ts')).clientAuthentication,
  yellowpages: async () => (await import('../protocol/yellowpages/profile.ts')).Yellowpages,
});
