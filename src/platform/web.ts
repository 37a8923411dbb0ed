/** Browsers, their workers, and workerd, from modules: bundlers make a chunk of its own of each import(). */
import type { Platform } from './platform.ts';
import { part, webPlatform } from './web-platform.ts';
import { Promise } from '../base/captured.ts';

export const platform = /* @__PURE__ */ modules();

function modules(): Platform {
  return webPlatform({
    kem: part('ML-KEM-768', async () => (await import('../crypto/noble/kem.ts')).nobleKem),
    otherKems: part('another KEM', async () => (await import('../crypto/noble/other-kems.ts')).nobleOtherKems),
    // Both at once: as one module it would name the other only when it is there.
    portable: part('portable cryptography', async () => {
      const [{ pageBackend }, { nobleKem }] = await Promise.all([
        import('../crypto/noble/page.ts'),
        import('../crypto/noble/kem.ts'),
      ]);
      return pageBackend(nobleKem, async () => (await import('../crypto/noble/other-kems.ts')).nobleOtherKems);
    }),
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
