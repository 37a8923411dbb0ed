/** Buffers that held a secret are overwritten: seen by watching every `fill`, and what it left behind. */
import { afterAll, expect, it, vi } from 'vitest';
import { nobleBackend } from '../../src/crypto/noble/backend.ts';
import { nodeBackend } from '../../src/crypto/node/backend.ts';
import { EMPTY, keyOf, nodeHasKem, pattern, unsealed } from './crypto-fixtures.ts';

/** A Buffer has a `fill` of its own. */
const fills = [vi.spyOn(Uint8Array.prototype, 'fill'), vi.spyOn(Buffer.prototype, 'fill')];

afterAll(() => {
  for (const fill of fills) fill.mockRestore();
});

/** The lengths of the arrays overwritten with zeros while `run` ran. */
async function overwritten(run: () => unknown): Promise<number[]> {
  for (const fill of fills) fill.mockClear();
  await run();
  const arrays = fills.flatMap(({ mock }) =>
    mock.contexts.filter((_array, i) => mock.calls[i]?.[0] === 0),
  ) as Uint8Array[];
  for (const array of arrays) expect([...array].every((byte) => byte === 0)).toBe(true);
  return arrays.map(({ length }) => length);
}

it('the portable backend overwrites key pairs, secrets and keys when they are destroyed', async () => {
  const pair = await nobleBackend.generateKeyPair(pattern(64));
  const { sharedSecret } = await nobleBackend.encapsulate(pair.encapsulationKey);
  const key = await nobleBackend.importKey(sharedSecret);
  expect(await overwritten(() => pair.destroy())).toEqual([2400]);
  expect(await overwritten(() => sharedSecret.destroy())).toEqual([32]);
  expect(await overwritten(() => key.destroy())).toEqual([32]);
});

it('node:crypto’s overwrites what passes through script on the way to a KeyObject', async () => {
  const secret = await nodeBackend.importSecret(pattern(32));
  expect(await overwritten(() => nodeBackend.deriveKey(secret, EMPTY, EMPTY))).toEqual([32]);
  expect(await overwritten(() => nodeBackend.deriveSecret(secret, EMPTY, EMPTY))).toEqual([32]);
  // Both parts, and what they make.
  expect(await overwritten(() => nodeBackend.joinSecrets(secret, secret))).toEqual([64, 32, 32]);
  const { encapsulationKey } = await nodeBackend.generateKeyPair(pattern(64));
  expect(await overwritten(() => nodeBackend.encapsulate(encapsulationKey))).toContain(32);
  expect(await overwritten(() => nodeBackend.encapsulate(encapsulationKey, pattern(32)))).toContain(32);
  // The seed, behind its PKCS #8 prefix.
  const importing = await overwritten(() => nodeBackend.generateKeyPair(pattern(64)));
  if (nodeHasKem) expect(importing).toEqual([86]);
});

it('node:crypto’s overwrites what a frame with a wrong tag deciphers to', async () => {
  const key = await keyOf(nodeBackend, pattern(32));
  const frame = await key.seal(unsealed(pattern(12), pattern(100)), EMPTY);
  frame[frame.length - 1]! ^= 1;
  expect(await overwritten(() => key.open(frame, EMPTY))).toEqual([100]);
});
