/** For equal randomness every backend gives the same bytes, and each opens what any other sealed. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CryptoBackend } from '../../src/crypto/backend.ts';
import { nobleBackend } from '../../src/crypto/noble/backend.ts';
import { backends, derived, keyOf, unsealed } from './crypto-fixtures.ts';

const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });

/** Runs the same on every backend and expects the same of each. */
async function agree<T>(run: (backend: CryptoBackend) => Promise<T>): Promise<T> {
  const expected = await run(nobleBackend);
  for (const backend of backends) expect(await run(backend), backend.name).toEqual(expected);
  return expected;
}

describe('crypto backends agree on', () => {
  it('key generation, encapsulation and both ends of the shared secret', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(64), bytes(32), async (seed, m) => {
        const results = await agree(async (backend) => {
          const pair = await backend.generateKeyPair(seed);
          const { ciphertext, sharedSecret } = await backend.encapsulate(pair.encapsulationKey, m);
          return {
            encapsulationKey: pair.encapsulationKey,
            ciphertext,
            sent: await derived(backend, sharedSecret),
            received: await derived(backend, await pair.decapsulate(ciphertext)),
          };
        });
        expect(results.received).toEqual(results.sent);
      }),
      { numRuns: 30 },
    );
  });

  it('fresh encapsulations, whoever makes them and whoever receives them', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(64), fc.constantFrom(...backends), async (seed, sender) => {
        const pair = await nobleBackend.generateKeyPair(seed);
        const { ciphertext, sharedSecret } = await sender.encapsulate(pair.encapsulationKey);
        const sent = await derived(sender, sharedSecret);
        const received = await agree(async (backend) => {
          const same = await backend.generateKeyPair(seed);
          return derived(backend, await same.decapsulate(ciphertext));
        });
        expect(received).toEqual(sent);
      }),
      { numRuns: 30 },
    );
  });

  it('implicit rejection: FIPS 203 algorithm 18, J(z || c)', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(64), bytes(1088), async (seed, ciphertext) => {
        const rejected = await agree(async (backend) => {
          const pair = await backend.generateKeyPair(seed);
          return derived(backend, await pair.decapsulate(ciphertext));
        });
        const expected = createHash('shake256', { outputLength: 32 }).update(seed.subarray(32)).update(ciphertext);
        const secret = await nobleBackend.importSecret(Uint8Array.from(expected.digest()));
        expect(rejected).toEqual(await derived(nobleBackend, secret));
      }),
      { numRuns: 30 },
    );
  });

  it('HKDF and SHA-256', async () => {
    const length = fc.oneof(fc.integer({ min: 1, max: 8160 }), fc.constantFrom(1, 31, 32, 33, 8159, 8160));
    const info = fc.oneof(bytes(0, 80), bytes(1024));
    await fc.assert(
      fc.asyncProperty(bytes(0, 100), bytes(0, 100), info, length, async (ikm, salt, context, size) => {
        const output = await agree(async (backend) =>
          backend.deriveBytes(await backend.importSecret(ikm), salt, context, size),
        );
        expect(output).toHaveLength(size);
        const digest = await agree(async (backend) => backend.sha256(ikm));
        expect(digest).toEqual(Uint8Array.from(createHash('sha256').update(ikm).digest()));
      }),
    );
  });

  it('what they seal, with imported and with derived keys, and open each other’s', async () => {
    const plaintexts = fc.oneof(bytes(0, 64), bytes(0, 5000));
    await fc.assert(
      fc.asyncProperty(bytes(32), bytes(12), plaintexts, bytes(0, 40), async (key, nonce, plaintext, aad) => {
        const imported = await agree(async (backend) =>
          (await keyOf(backend, key)).seal(unsealed(nonce, plaintext), aad),
        );
        const opened = await agree(async (backend) => (await keyOf(backend, key)).open(imported, aad));
        expect(opened).toEqual(plaintext);
        await agree(async (backend) => {
          const own = await backend.deriveKey(await backend.importSecret(key), nonce, aad);
          return own.seal(unsealed(nonce, plaintext), aad);
        });
      }),
    );
  });

  it('what a derived key is: AES-256-GCM under the 32 bytes that HKDF gives', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(32), bytes(0, 32), bytes(0, 32), bytes(12), async (ikm, salt, info, nonce) => {
        for (const backend of backends) {
          const secret = await backend.importSecret(ikm);
          const direct = await backend.deriveKey(secret, salt, info);
          const detour = await keyOf(backend, await backend.deriveBytes(secret, salt, info, 32));
          const frame = await direct.seal(unsealed(nonce, ikm), salt);
          expect(await detour.open(frame, salt), backend.name).toEqual(ikm);
        }
      }),
    );
  });
});
