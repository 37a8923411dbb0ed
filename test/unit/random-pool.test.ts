/** Bytes that are drawn ahead: each is given once, none stays behind, keys are never among them. */
import { expect, it } from 'vitest';
import { pooled } from '../../src/crypto/random-pool.ts';

/** Counts up through 1 to 255, and keeps what it filled. */
function counter(): { fill: <T extends Uint8Array>(target: T) => T; calls: Uint8Array[] } {
  let next = 0;
  const calls: Uint8Array[] = [];
  return {
    calls,
    fill: (target) => {
      for (let i = 0; i < target.length; i += 1) target[i] = (next++ % 255) + 1;
      calls.push(target);
      return target;
    },
  };
}

it('gives every byte of the source once and in order, over several fills', () => {
  const { fill, calls } = counter();
  const random = pooled(fill, () => true);
  const given: number[] = [];
  for (let i = 0; i < 1000; i += 1) given.push(...random(new Uint8Array(12)));
  expect(calls.length).toBeGreaterThan(2);
  const perFill = Math.floor((calls[0] as Uint8Array).length / 12) * 12;
  const size = (calls[0] as Uint8Array).length;
  given.forEach((byte, index) => {
    const drawn = Math.floor(index / perFill) * size + (index % perFill);
    expect(byte).toBe((drawn % 255) + 1);
  });
});

it('keeps nothing of what it gave', () => {
  const { fill, calls } = counter();
  const random = pooled(fill, () => true);
  for (let i = 0; i < 5; i += 1) random(new Uint8Array(12));
  const pool = calls[0] as Uint8Array;
  expect([...pool.subarray(0, 60)]).toEqual(new Array(60).fill(0));
  expect(pool[60]).not.toBe(0);
});

it('takes what may be a key from the source itself', () => {
  const { fill, calls } = counter();
  const random = pooled(fill, () => true);
  const seed = new Uint8Array(64);
  expect(random(seed)).toBe(seed);
  expect(calls).toEqual([seed]);
  expect(calls[0]).toBe(seed);
});

it('draws nothing ahead while memory is being copied into other processes', () => {
  const { fill, calls } = counter();
  let copying = true;
  const random = pooled(fill, () => !copying);
  const nonce = random(new Uint8Array(12));
  expect(calls[0]).toBe(nonce);
  copying = false;
  random(new Uint8Array(12));
  expect((calls[1] as Uint8Array).length).toBeGreaterThan(1000);
});
