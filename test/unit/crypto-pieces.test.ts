/** AES-256-GCM in pieces: the same bytes as OpenSSL's, a turn for others between two pieces, and nothing lost when a key goes meanwhile. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTask } from '../../src/base/next-task.ts';
import { nobleKem } from '../../src/crypto/noble/kem.ts';
import { portableBackend } from '../../src/crypto/noble/symmetric.ts';
import { nodeBackend } from '../../src/crypto/node/backend.ts';
import { pageBackend } from '../../src/crypto/noble/page.ts';
import { keyOf, pattern, unsealed } from './crypto-fixtures.ts';

const KEY = pattern(32, 3);
const NONCE = pattern(12, 90);
const AAD = pattern(8, 40);
/** More than one of the pieces that a page is given, and no whole number of them. */
const LONG = pattern(100_001);

/** A backend with short pieces, which counts its pauses. */
function counting(pieceBytes: number): { backend: ReturnType<typeof portableBackend>; pauses: () => number } {
  let pauses = 0;
  const pause = async (): Promise<void> => {
    pauses += 1;
    await Promise.resolve();
  };
  return { backend: portableBackend(nobleKem, pause, pieceBytes), pauses: () => pauses };
}

it('seals and opens as node:crypto does, whatever the lengths, with pieces of any size', async () => {
  const bytes = fc.uint8Array({ maxLength: 400, size: 'max' });
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      bytes,
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 1, max: 8 }),
      async (key, plaintext, aad, blocks) => {
        const ours = await keyOf(counting(16 * blocks).backend, key);
        const theirs = await keyOf(nodeBackend, key);
        const sealed = await theirs.seal(unsealed(NONCE, plaintext), aad);
        expect(await ours.seal(unsealed(NONCE, plaintext), aad)).toEqual(sealed);
        expect(await ours.open(sealed, aad)).toEqual(plaintext);
      },
    ),
    { numRuns: 300 },
  );
});

it('of a page, with pieces as long as they are', async () => {
  const ours = await keyOf(pageBackend(nobleKem), KEY);
  const sealed = await (await keyOf(nodeBackend, KEY)).seal(unsealed(NONCE, LONG), AAD);
  expect(await ours.seal(unsealed(NONCE, LONG), AAD)).toEqual(sealed);
  expect(await ours.open(sealed, AAD)).toEqual(LONG);
});

it.each([12, 12 + 50_000, 12 + 100_000, 12 + 100_001, 12 + 100_016])(
  'does not open a long frame whose byte %i was changed, and deciphers none of it',
  async (at) => {
    const { backend, pauses } = counting(16_384);
    const key = await keyOf(backend, KEY);
    const frame = await key.seal(unsealed(NONCE, LONG), AAD);
    const before = pauses();
    frame[at]! ^= 1;
    expect(await key.open(frame, AAD)).toBeUndefined();
    // 7 pieces are hashed; those of a frame that opens are deciphered too.
    expect(pauses() - before).toBe(7);
  },
);

it('does what is short in the same turn', async () => {
  const { backend, pauses } = counting(16_384);
  const key = await keyOf(backend, KEY);
  const frame = key.seal(unsealed(NONCE, pattern(16_384 - 28)), AAD);
  expect(frame).toBeInstanceOf(Uint8Array);
  expect(key.open(frame as Uint8Array, AAD)).toBeInstanceOf(Uint8Array);
  expect(pauses()).toBe(0);
});

describe('while it works', () => {
  it('others have their tasks between the pieces', async () => {
    const key = await keyOf(pageBackend(nobleKem), KEY);
    let tasks = 0;
    let ends = false;
    const watch = async (): Promise<void> => {
      while (!ends) {
        await nextTask();
        tasks += 1;
      }
    };
    const watching = watch();
    await key.seal(unsealed(NONCE, LONG), AAD);
    ends = true;
    await watching;
    expect(tasks).toBeGreaterThanOrEqual(7);
  });

  it('the first to come is the first that is ready', async () => {
    const key = await keyOf(counting(16).backend, KEY);
    const order: string[] = [];
    const seal = async (name: string, bytes: number): Promise<void> => {
      await key.seal(unsealed(NONCE, pattern(bytes)), AAD);
      order.push(name);
    };
    await Promise.all([seal('long', 5_000), seal('short', 50)]);
    expect(order).toEqual(['long', 'short']);
  });

  it('its key may be destroyed: what was begun ends, and nothing begins', async () => {
    const key = await keyOf(counting(16).backend, KEY);
    const expected = await (await keyOf(nodeBackend, KEY)).seal(unsealed(NONCE, pattern(500)), AAD);
    const begun = [key.seal(unsealed(NONCE, pattern(500)), AAD), key.seal(unsealed(NONCE, pattern(500)), AAD)];
    key.destroy();
    for (const frame of begun) expect(await frame).toEqual(expected);
    expect(() => key.seal(unsealed(NONCE, pattern(500)), AAD)).toThrow('after destroy()');
  });

  it('a pause that fails fails that one alone', async () => {
    let fails = true;
    const key = await keyOf(
      portableBackend(nobleKem, () => (fails ? Promise.reject(new Error('no turn')) : Promise.resolve()), 16),
      KEY,
    );
    await expect(key.seal(unsealed(NONCE, pattern(50)), AAD)).rejects.toThrow('no turn');
    fails = false;
    const frame = await key.seal(unsealed(NONCE, pattern(50)), AAD);
    expect(await key.open(frame, AAD)).toEqual(pattern(50));
  });
});
