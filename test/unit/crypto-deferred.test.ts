/** When a deferred backend loads; that it agrees with the others and refuses what they refuse is tested with theirs. */
import { expect, test } from 'vitest';
import type { CryptoBackend } from '../../src/crypto/backend.ts';
import { deferredBackend } from '../../src/crypto/deferred.ts';
import { nobleBackend } from '../../src/crypto/noble/backend.ts';
import { pattern } from './crypto-fixtures.ts';

const deferred = (load: () => Promise<CryptoBackend>): CryptoBackend => deferredBackend('noble', load);

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

test('what is needed soon can be loaded ahead', async () => {
  let loads = 0;
  const backend = deferredBackend('noble', async () => {
    loads += 1;
    return nobleBackend;
  });
  await Promise.all([backend.prepare?.(), backend.prepare?.()]);
  expect(loads).toBe(1);
  expect(backend.generateKeyPair(pattern(64))).toMatchObject({ native: false });
});

test('one that does not load fails with the reason, and is asked again', async () => {
  let fail = true;
  const backend = deferredBackend('noble', async () => {
    if (fail) throw new Error('blocked');
    return nobleBackend;
  });
  await expect(backend.prepare?.()).rejects.toThrow('blocked');
  await expect(backend.generateKeyPair(pattern(64))).rejects.toThrow('blocked');
  await expect(backend.sha256(pattern(3))).rejects.toThrow('blocked');
  fail = false;
  expect(await backend.sha256(pattern(3))).toEqual(nobleBackend.sha256(pattern(3)));
});
