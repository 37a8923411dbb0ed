/** A part of the script tag is a bundle of its own, with a copy of the class that refuses. */
import { expect, test, vi } from 'vitest';
import { Refusal } from '../../src/protocol/errors.ts';

test('a refusal of another copy is one, and nothing else is', async () => {
  vi.resetModules();
  const copy = await import('../../src/protocol/errors.ts');
  expect(copy.Refusal).not.toBe(Refusal);
  expect(new copy.Refusal('PQ_ERR_KIND') instanceof Refusal).toBe(true);
  for (const value of [new Error('x'), { name: 'Refusal', code: 'PQ_ERR_KIND' }, null, undefined, 'Refusal']) {
    expect(value instanceof Refusal).toBe(false);
  }
});
