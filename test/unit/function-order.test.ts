/** The order of the script tag's functions: another order of the same ones, the same each time, that compresses better. */
import { constants, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bestOrder } from '../../scripts/lib/function-order.ts';

/** Three kinds by turns. */
const KINDS = [
  (n: number) => `function a${n}(){return alpha.beta.gamma(${n}).delta.epsilon.zeta}`,
  (n: number) => `function b${n}(x){for(const y of x)yield*this.eta(y,${n}).theta()}`,
  (n: number) => `async function c${n}({iota:x},[y]){await new kappa(x,${n}*y).lambda}`,
];
const FUNCTIONS = Array.from({ length: 60 }, (_, n) => (KINDS[n % 3] as (n: number) => string)(n * 7919));
const size = (functions: readonly string[]): number =>
  zstdCompressSync(functions.join(''), { params: { [constants.ZSTD_c_compressionLevel]: 9 } }).length;

test('every function is there, once, and together they compress better', () => {
  const ordered = bestOrder(FUNCTIONS);
  expect([...ordered].sort()).toEqual([...FUNCTIONS].sort());
  expect(size(ordered)).toBeLessThan(size(FUNCTIONS));
});

test('the same functions get the same order', () => {
  expect(bestOrder(FUNCTIONS)).toEqual(bestOrder(FUNCTIONS));
});

test('a few stay as they are', () => {
  expect(bestOrder(FUNCTIONS.slice(0, 3))).toEqual(FUNCTIONS.slice(0, 3));
  expect(bestOrder([])).toEqual([]);
});
