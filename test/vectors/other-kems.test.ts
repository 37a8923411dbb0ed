/** ML-KEM-1024 and MLKEM768-X25519 of every backend: the vectors' agreements, third parties' data, and each other. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { KemName } from '../../src/api/types.ts';
import type { CryptoBackend, Secret } from '../../src/crypto/backend.ts';
import { KEM_SIZES, KemInputError } from '../../src/crypto/backend.ts';
import { BACKENDS } from '../support/backends.ts';

interface Agreement {
  readonly keySeed: string;
  readonly m: string;
  readonly encapsulationKey: string;
  readonly ciphertext: string;
  readonly sharedSecret: string;
}

const { kems } = JSON.parse(readFileSync(path.join(import.meta.dirname, 'extensions.json'), 'utf8')) as {
  readonly kems: readonly { readonly name: KemName; readonly agreements: readonly Agreement[] }[];
};
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const NOTHING = new Uint8Array(0);

/** What a secret is, told by what follows from it: nobody sees its bytes. */
async function told(backend: CryptoBackend, secret: Secret): Promise<string> {
  return Buffer.from(await backend.deriveBytes(secret, NOTHING, NOTHING, 32)).toString('hex');
}

describe.each(Object.entries(BACKENDS))('%s', (_, backend) => {
  describe.each(kems)('$name', ({ name, agreements }) => {
    test('gives the bytes of the vectors', async () => {
      expect(agreements.length).toBeGreaterThan(0);
      for (const { keySeed, m, encapsulationKey, ciphertext, sharedSecret } of agreements) {
        const expected = await told(backend, await backend.importSecret(bytes(sharedSecret)));
        const pair = await backend.generateKeyPair(bytes(keySeed), name);
        expect(Buffer.from(pair.encapsulationKey).toString('hex')).toBe(encapsulationKey);
        const made = await backend.encapsulate(bytes(encapsulationKey), bytes(m), name);
        expect(Buffer.from(made.ciphertext).toString('hex')).toBe(ciphertext);
        expect(await told(backend, made.sharedSecret)).toBe(expected);
        expect(await told(backend, await pair.decapsulate(bytes(ciphertext)))).toBe(expected);
      }
    });

    test('agrees with every other backend, with randomness of its own', async () => {
      for (const other of Object.values(BACKENDS)) {
        const pair = await backend.generateKeyPair(undefined, name);
        const { ciphertext, sharedSecret } = await other.encapsulate(pair.encapsulationKey, undefined, name);
        expect(ciphertext.length).toBe(KEM_SIZES[name].ciphertext);
        expect(await told(backend, await pair.decapsulate(ciphertext))).toBe(await told(other, sharedSecret));
      }
    });

    test('refuses what has another length, and a coefficient that is not below q', async () => {
      const { encapsulationKey } = await backend.generateKeyPair(undefined, name);
      const refused = (key: Uint8Array): Promise<unknown> =>
        Promise.resolve()
          .then(() => backend.encapsulate(key, undefined, name))
          .catch((error: unknown) => error);
      expect(await refused(encapsulationKey.subarray(1))).toMatchObject({ name: 'KemInputError', reason: 'length' });
      const wrong = encapsulationKey.slice();
      wrong.fill(0xff, 0, 3);
      expect(await refused(wrong)).toMatchObject({ name: 'KemInputError', reason: 'modulus' });
      const pair = await backend.generateKeyPair(undefined, name);
      const decapsulated = Promise.resolve().then(() => pair.decapsulate(new Uint8Array(3)));
      await expect(decapsulated).rejects.toBeInstanceOf(KemInputError);
    });

    test('gives secrets that can be joined, where that is asked for', async () => {
      const [{ keySeed, ciphertext, sharedSecret }] = agreements as [Agreement];
      const pair = await backend.generateKeyPair(bytes(keySeed), name, true);
      const [salt, parent] = [new Uint8Array(3), await backend.importSecret(new Uint8Array(32).fill(7))];
      const joined = await backend.joinSecrets(
        await backend.deriveSecret(parent, salt, salt, true),
        await pair.decapsulate(bytes(ciphertext)),
      );
      const first = await backend.deriveBytes(parent, salt, salt, 32);
      const whole = await backend.importSecret(Buffer.concat([first, bytes(sharedSecret)]));
      expect(await told(backend, joined)).toBe(await told(backend, whole));
    });
  });
});
