/** The parts that every page's platform of modules loads in the same way: bundlers make a chunk of its own of each import(). */
import type { WebParts } from './web-platform.ts';
import { part } from './web-platform.ts';

/** All but those of portable cryptography. */
export function moduleParts(): Omit<WebParts, 'kem' | 'otherKems' | 'portable'> {
  return {
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
  };
}
