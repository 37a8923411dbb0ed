/** The order of the script tag's declarations: another order of the same ones, the same each time, that compresses better. */
import { runInNewContext } from 'node:vm';
import { gzip } from 'pako';
import { describe, expect, test } from 'vitest';
import type { Order } from '../../scripts/lib/declaration-order.ts';
import { bestOrder } from '../../scripts/lib/declaration-order.ts';
import { minified } from '../../scripts/lib/minify.ts';

/** Three kinds by turns. */
const KINDS = [
  (n: number) => `function a${n}(){return alpha.beta.gamma(${n}).delta.epsilon.zeta}`,
  (n: number) => `function b${n}(x){for(const y of x)yield*this.eta(y,${n}).theta()}`,
  (n: number) => `async function c${n}({iota:x},[y]){await new kappa(x,${n}*y).lambda}`,
];
const FUNCTIONS = Array.from({ length: 60 }, (_, n) => (KINDS[n % 3] as (n: number) => string)(n * 7919));
const written = (orders: readonly Order[]): string =>
  orders.flatMap((order) => order.map((place) => FUNCTIONS[place])).join('');
const size = (orders: readonly Order[]): number => gzip(written(orders), { level: 9 }).length;

describe('the best order', () => {
  const given = [FUNCTIONS.map((_, place) => place)];

  test('has every member, once, and together they compress better, the same each time', () => {
    const ordered = bestOrder([FUNCTIONS.length], written);
    expect(ordered.map((order) => [...order].sort((a, b) => a - b))).toEqual(given);
    expect(size(ordered)).toBeLessThan(size(given));
    expect(bestOrder([FUNCTIONS.length], written)).toEqual(ordered);
  });

  test('moves nothing from what it stands together with', () => {
    const ordered = bestOrder([1, 2, 0, 8], written);
    expect(ordered.map((order) => [...order].sort())).toEqual([[0], [0, 1], [], [0, 1, 2, 3, 4, 5, 6, 7]]);
  });
});

test('what a script does stays the same: classes whose definition runs something stay where they are', async () => {
  const code = `(() => {
    var log = globalThis.log, key = (name) => (log.push(name), name);
    function first() { return new Inert('first').say(); }
    var Base = class { a = key('field a'); b = key('field b'); say() { return 'base'; } get c() { return 1; } set c(to) { log.push(to); } };
    var Block = class { static { log.push('block'); } };
    var Field = class { static field = key('static field'); };
    var Named = class { [key('computed')]() {} };
    var Heir = class extends (log.push('superclass'), Base) { say() { return 'heir ' + super.say(); } };
    var Inert = class { #held; constructor(held) { this.#held = held; } say() { return this.#told(); } #told() { return this.#held; } static of(held) { return new Inert(held); } };
    function second() { return Inert.of('second').say(); }
    var heir = new Heir();
    heir.c = 'set';
    log.push(first(), second(), heir.say(), heir.a, Object.keys(heir).join(), Field.field, typeof new Named().computed, new Block() instanceof Block);
  })();`;
  const { code: ordered } = await minified(
    code,
    JSON.stringify({ version: 3, sources: [], mappings: '' }),
    'x.js',
    false,
    true,
  );
  const run = (script: string): unknown[] => {
    const log: unknown[] = [];
    runInNewContext(script, { log });
    return log;
  };
  expect(run(ordered)).toEqual(run(code));
  expect(run(code).slice(0, 4)).toEqual(['block', 'static field', 'computed', 'superclass']);
});
