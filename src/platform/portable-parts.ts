/** Portable cryptography, for engines that lack what it replaces: of the platforms of modules, in web.ts alone. */
import type { WebParts } from './web-platform.ts';
import { part } from './web-platform.ts';
import { Promise } from '../base/captured.ts';

export function portableParts(): Pick<WebParts, 'kem' | 'otherKems' | 'portable'> {
  return {
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
  };
}
