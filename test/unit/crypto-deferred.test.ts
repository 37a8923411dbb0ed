/** When a deferred backend loads; that it agrees with the others and refuses what they refuse is tested with theirs. */
import { expect, test } from 'vitest';
import type { CryptoBackend } from '../../src/crypto/backend.ts';
import { deferredBackend } from '../../src/crypto/deferred.ts';
import { nobleKem } from '../../src/crypto/noble-kem.ts';
import { nobleBackend } from '../../src/crypto/noble.ts';
import { pattern } from './crypto-fixtures.ts';

const deferred = (load: () => Promise<CryptoBackend>): CryptoBackend => deferredBackend('noble', nobleKem, load);

test('gives what the loaded one gives, loads once, and is synchronous from then on', async () => {
  let loads = 0;
  const backend = deferred(async () => {
    loads += 1;
    return nobleBackend;
  });
  expect(loads).toBe(0);
  expect(await backend.sha256(pattern(3))).toEqual(nobleBackend.sha256(pattern(3)));
  await Promise.all([backend.sha256(pattern(4)), backend.importSecret(pattern(32))]);
  expect(loads).toBe(1);
  expect(backend.sha256(pattern(3))).toEqual(nobleBackend.sha256(pattern(3)));
});

test('a key pair that cannot wait is there in the same turn, and its shared secret is overwritten when it is taken over', async () => {
  const taken: Uint8Array[] = [];
  const backend = deferred(async () => ({
    ...nobleBackend,
    importSecret: (bytes) => {
      taken.push(bytes);
      return nobleBackend.importSecret(bytes);
    },
  }));
  const pair = backend.generateKeyPairNow(pattern(64));
  const { ciphertext, sharedSecret } = await nobleBackend.encapsulate(pair.encapsulationKey);
  const ours = await backend.deriveBytes(await pair.decapsulate(ciphertext), pattern(1), pattern(1), 32);
  expect(ours).toEqual(await nobleBackend.deriveBytes(sharedSecret, pattern(1), pattern(1), 32));
  expect(taken).toEqual([new Uint8Array(32)]);
  pair.destroy();
  expect(() => pair.decapsulate(ciphertext)).toThrow('destroy');
});

test('one that does not load fails with the reason, wipes what it held, and is asked again', async () => {
  let fail = true;
  const backend = deferred(async () => {
    if (fail) throw new Error('blocked');
    return nobleBackend;
  });
  const pair = backend.generateKeyPairNow(pattern(64));
  const { ciphertext } = await nobleBackend.encapsulate(pair.encapsulationKey);
  await expect(pair.decapsulate(ciphertext)).rejects.toThrow('blocked');
  await expect(backend.sha256(pattern(3))).rejects.toThrow('blocked');
  fail = false;
  expect(await backend.sha256(pattern(3))).toEqual(nobleBackend.sha256(pattern(3)));
});
