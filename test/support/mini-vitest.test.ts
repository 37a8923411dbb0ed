/** mini-vitest says of every comparison what vitest says, and refuses what it does not know. */
import { describe, expect, test } from 'vitest';
import * as mini from './mini-vitest.ts';

const bytes = Uint8Array.of(1, 2);
const VALUES: readonly unknown[] = [
  undefined,
  null,
  0,
  -0,
  1,
  NaN,
  '',
  'a',
  'ab',
  true,
  [],
  [1],
  [1, 2],
  ['a'],
  [undefined],
  [[1], { a: 1 }],
  [[1], { a: 2 }],
  {},
  { a: undefined },
  { a: 1 },
  { a: 1, b: undefined },
  { a: 1, b: 2 },
  { a: { b: [1, 2] } },
  { a: { b: [1, 3] } },
  bytes,
  Uint8Array.of(1, 2),
  Uint8Array.of(1, 3),
  Uint8Array.of(1),
  new Uint8Array(),
  Buffer.from([1, 2]),
  [bytes],
  [Uint8Array.of(9, 2)],
];

/** What an assertion does: nothing, or throw. */
function passes(assert: () => void): boolean {
  try {
    assert();
    return true;
  } catch {
    return false;
  }
}

describe.each(['toBe', 'toEqual'] as const)('%s', (matcher) => {
  test('as vitest, of every pair', () => {
    const seen = new Set<boolean>();
    for (const [i, actual] of VALUES.entries()) {
      for (const [j, expected] of VALUES.entries()) {
        const theirs = passes(() => {
          expect(actual)[matcher](expected);
        });
        seen.add(theirs);
        expect([
          i,
          j,
          passes(() => {
            mini.expect(actual)[matcher](expected);
          }),
        ]).toEqual([i, j, theirs]);
        expect([
          i,
          j,
          passes(() => {
            mini.expect(actual).not[matcher](expected);
          }),
        ]).toEqual([i, j, !theirs]);
      }
    }
    expect(seen.size).toBe(2);
  });
});

test.each([
  ['toMatchObject', { a: 1, b: { c: 2, d: 3 } }, { b: { c: 2 } }, true],
  ['toMatchObject', { a: 1 }, { a: 2 }, false],
  ['toMatchObject', { a: 1 }, { a: 1, b: undefined }, false],
  ['toMatchObject', { a: 1, b: undefined }, { a: 1, b: undefined }, true],
  ['toContain', ['a', 'b'], 'b', true],
  ['toContain', ['a', 'b'], 'c', false],
  ['toContain', 'abc', 'bc', true],
  ['toBeGreaterThan', 2, 1, true],
  ['toBeGreaterThan', 1, 1, false],
  ['toBeUndefined', undefined, undefined, true],
  ['toBeUndefined', null, undefined, false],
] as const)('%s as vitest: %j, %j', (matcher, actual, expected, holds) => {
  const theirs = expect(actual) as unknown as Record<string, (value: unknown) => void>;
  expect(
    passes(() => {
      theirs[matcher]?.(expected);
    }),
  ).toBe(holds);
  expect(
    passes(() => {
      mini.expect(actual)[matcher](expected);
    }),
  ).toBe(holds);
  expect(
    passes(() => {
      mini.expect(actual).not[matcher](expected);
    }),
  ).toBe(!holds);
});

test('what it does not know throws', () => {
  const unknown = mini.expect(1) as unknown as Record<string, () => void>;
  expect(() => unknown['toBeCloseTo']).toThrow('no matcher toBeCloseTo');
  expect(() => {
    mini.expect(new Map()).toEqual(new Map());
  }).toThrow('cannot compare');
  expect(() => {
    mini.test.each([1])('%o', () => undefined);
  }).toThrow('no %o');
  expect(() => {
    mini.test.each([])('none', () => undefined);
  }).toThrow('each of nothing');
  expect(() => {
    mini.describe('later', () => Promise.resolve());
  }).toThrow('asynchronous describe');
});

test('it counts, names and goes on after a failure', async () => {
  mini.describe.each(['x', 'y'])('in %s', (name) => {
    mini.test.each([
      [1, 2],
      [3, 3],
    ])('%i is %i', async (one, other) => {
      await Promise.resolve();
      mini.expect(one, String(name)).toBe(other);
    });
  });
  const { passed, failed } = await mini.runTests();
  expect(passed).toBe(2);
  expect(failed.map((line) => line.replace(/^later > /, ''))).toEqual([
    'in x > 1 is 2: x: 1 toBe 2',
    'in y > 1 is 2: y: 1 toBe 2',
  ]);
});
