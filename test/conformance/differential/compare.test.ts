import { describe, expect, test } from 'vitest';
import type { Excuse } from './compare.ts';
import { compareRecords, Judge } from './compare.ts';
import { BROKEN } from './record.ts';
import type { CaseRecord } from './record.ts';
import type { Entry } from './scene.ts';
import { tableWith } from './written-table.ts';

const record = (...entries: Entry[]): CaseRecord => ({ name: 'a case', entries });
const PLACE = { engine: 'Chromium window', variant: 'class' } as const;

describe('comparing two records', () => {
  test('equal ones have no difference', () => {
    const one = record(['a', { b: [1, { c: null }] }], ['d', 'e']);
    expect(compareRecords(one, structuredClone(one))).toEqual([]);
  });

  test('tells the way into a value', () => {
    expect(
      compareRecords(
        record(['event', { data: 'x', socket: { readyState: 1 } }]),
        record(['event', { data: 'x', socket: { readyState: 2 } }]),
      ),
    ).toEqual([{ path: 'a case / event.socket.readyState', native: 1, ours: 2 }]);
  });

  test.each([
    [
      'only the platform shows',
      record(['a', 1], ['b', 2]),
      record(['a', 1]),
      [{ path: 'a case / b', native: 2, ours: undefined }],
    ],
    [
      'only ours shows',
      record(['a', 1]),
      record(['a', 1], ['b', 2]),
      [{ path: 'a case / b', native: undefined, ours: 2 }],
    ],
    [
      'has another field',
      record(['a', { x: 1 }]),
      record(['a', { y: 1 }]),
      [
        { path: 'a case / a.x', native: 1, ours: undefined },
        { path: 'a case / a.y', native: undefined, ours: 1 },
      ],
    ],
    [
      'is a list of other values',
      record(['a', [1, 2]]),
      record(['a', [2, 1]]),
      [{ path: 'a case / a', native: [1, 2], ours: [2, 1] }],
    ],
  ])('finds what %s', (_, native, ours, expected) => {
    expect(compareRecords(native, ours)).toEqual(expected);
  });

  test('finds another order of what both show, whatever else differs', () => {
    const differences = compareRecords(record(['a', 1], ['x', 0], ['b', 2]), record(['b', 2], ['a', 1]));
    expect(differences.map(({ path }) => path)).toEqual(['a case / x', 'a case / (order)']);
  });

  test('a case that failed with both has not shown that they are equal', () => {
    for (const label of Object.values(BROKEN)) {
      const broken = record(['a', 1], [label, 'now']);
      expect(compareRecords(broken, broken)).toHaveLength(1);
    }
  });
});

describe('judging by excuses', () => {
  const native = [record(['a', 1], ['b', 1])];
  const ours = [record(['a', 2], ['b', 1])];
  const judged = (excuse: Partial<Excuse>): string | undefined =>
    new Judge([{ path: 'a case / a', reason: 'r', ...excuse }]).judge(PLACE, native, ours)[0]?.verdict;

  test('equal, wanted, different', () => {
    expect(new Judge([]).judge(PLACE, native, native)[0]?.verdict).toBe('equal');
    expect(new Judge([]).judge(PLACE, native, ours)[0]?.verdict).toBe('different');
    expect(judged({})).toBe('wanted');
  });

  test.each<[string, Partial<Excuse>, string]>([
    ['another path', { path: 'a case / b' }, 'different'],
    ['a part of the path', { path: 'a case /' }, 'different'],
    ['a pattern', { path: 'a * / a' }, 'wanted'],
    ['a path whose dots are dots', { path: 'a.case / a' }, 'different'],
    ['the engine', { engines: ['Firefox', 'Chromium'] }, 'wanted'],
    ['another engine', { engines: ['Firefox'] }, 'different'],
    ['another class', { variant: 'polyfill' }, 'different'],
    ['both values', { native: 1, ours: 2 }, 'wanted'],
    ['another value', { ours: 3 }, 'different'],
  ])('%s', (_, excuse, verdict) => {
    expect(judged(excuse)).toBe(verdict);
  });

  test('one excuse does not cover the rest of the case', () => {
    const [verdict] = new Judge([{ path: 'a case / a', reason: 'r' }]).judge(PLACE, native, [
      record(['a', 2], ['b', 2]),
    ]);
    expect(verdict?.unexcused.map(({ path }) => path)).toEqual(['a case / b']);
  });

  test('a case that only one of them ran is different', () => {
    expect(new Judge([]).judge(PLACE, native, [])[0]?.verdict).toBe('different');
    expect(new Judge([]).judge(PLACE, [], ours)[0]?.verdict).toBe('different');
  });

  test('excuses that matched nothing are told, where they could have', () => {
    const excuses: Excuse[] = [
      { path: 'a case / a', reason: 'used' },
      { path: 'a case / z', reason: 'unused' },
      { path: '*', reason: 'elsewhere', engines: ['Firefox'] },
      { path: 'a case / y', reason: 'by chance', sometimes: true },
    ];
    const judge = new Judge(excuses);
    judge.judge(PLACE, native, ours);
    expect(judge.unused([PLACE], [PLACE]).map(({ excuse }) => excuse.reason)).toEqual(['unused']);
  });

  test('each engine that an excuse names has to need it, once all of its places have run', () => {
    const judge = new Judge([{ path: 'a case / a', reason: 'r', engines: ['Chromium', 'Node'] }]);
    judge.judge(PLACE, native, ours);
    const nodes = (['Node 22', 'Node 24'] as const).map((engine) => ({ engine, variant: 'class' as const }));
    const all = [PLACE, ...nodes];
    expect(judge.unused([PLACE, ...nodes.slice(1)], all)).toEqual([]);
    expect(judge.unused(all, all).map(({ engines }) => engines)).toEqual([['Node']]);
  });
});

describe('the written table', () => {
  const line = (place: string, equal: string): string[] => [
    place,
    '1.0',
    'polyfill',
    '10',
    equal,
    '0',
    '0',
    '2026-01-02',
  ];

  test('is made where there is none', () => {
    expect(tableWith('', [line('Node 24', '10')]))
      .toBe(`| engine | version | class | cases | equal | wanted difference | different | run on |
|---|---|---|---|---|---|---|---|
| Node 24 | 1.0 | polyfill | 10 | 10 | 0 | 0 | 2026-01-02 |
`);
  });

  test('keeps the places that did not run, and replaces those that did', () => {
    const old = tableWith('', [line('Node 26', '9'), line('Node 24', '10')]);
    expect(tableWith(`# A title\n\n${old}`, [line('Node 26', '8')])).toBe(
      tableWith('', [line('Node 24', '10'), line('Node 26', '8')]),
    );
  });
});
