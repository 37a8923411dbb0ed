import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { readArguments } from '../../bench/arguments.ts';
import { warmUpOperations } from '../../bench/plan.ts';
import { ratios } from '../../bench/ratios.ts';
import { charts } from '../../bench/report/charts.ts';
import { fillSections, SECTION_NAMES } from '../../bench/report/document.ts';
import { partOf, shares } from '../../bench/report/profile.ts';
import { table } from '../../bench/report/table.ts';
import type { Report, Result } from '../../bench/results.ts';
import { coresOf } from '../../bench/run/cores.ts';
import { percentile, spread } from '../../bench/statistics.ts';
import { targetRows } from '../../bench/targets.ts';
import { WORKLOAD_NAMES } from '../../bench/workloads.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

function result(workload: string, build: Result['build'], median: number, runtime = 'node24'): Result {
  return {
    workload,
    runtime,
    build,
    unit: 'messages/s',
    median,
    min: median / 2,
    max: median * 2,
    ratio: { ws: median / 100 },
  };
}

const report: Report = {
  machine: {
    cpu: 'A <cpu>',
    cores: 2,
    placement: 'client and server on a core each',
    memoryGiB: 4,
    os: 'Linux',
    arch: 'x64',
    runtimes: {},
    date: '2026-01-02T03:04:05.000Z',
    mode: 'smoke',
    commit: 'abc',
    loadAverage: 0.5,
  },
  results: [
    result('echo-32-cpu', 'ws', 100),
    result('echo-32-cpu', 'native', 30),
    result('echo-32-cpu', 'pq', 41),
    result('idle-memory', 'ws', 10),
    result('idle-memory', 'native', 18),
    result('idle-memory', 'pq', 26.1),
  ],
};

describe('the figures', () => {
  test('every build warms up by as many frames, however many messages are in one', () => {
    const echo = (size: number, build: 'ws' | 'native-wss'): number => warmUpOperations('echo', size, build);
    expect([32, 1024, 1_048_576].map((size) => echo(size, 'ws'))).toEqual([20_000, 20_000, 20_000]);
    expect([32, 1024, 1_048_576].map((size) => echo(size, 'native-wss'))).toEqual([1_280_000, 640_000, 20_000]);
    expect(warmUpOperations('pingpong', 32, 'native')).toBe(warmUpOperations('pingpong', 32, 'ws'));
    expect(warmUpOperations('record', 32, 'pq')).toBe(0);
  });

  test('the cores of a process are read as Linux lists them', () => {
    expect(coresOf('0-1')).toEqual([0, 1]);
    expect(coresOf('3')).toEqual([3]);
    expect(coresOf('0,2-4,7')).toEqual([0, 2, 3, 4, 7]);
  });

  test('medians, spreads and percentiles are those of the values', () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spread([4, 1, 2, 3]).median).toBe(2.5);
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2);
    expect(() => spread([])).toThrow(RangeError);
  });

  test('a ratio is this over that', () => {
    expect(
      ratios(
        'pq',
        new Map([
          ['ws', 50],
          ['pq', 200],
        ]),
      ),
    ).toEqual({ ws: 4 });
  });

  test('a target is met at its bound, and not above', () => {
    expect(targetRows(report, 'node24')).toEqual([
      ['echo-32-cpu: native / ws', '<= 0.3', '0.3', 'yes'],
      ['echo-32-cpu: pq / ws', '<= 0.4', '0.41', '**no**'],
      ['idle-memory: native above ws, KiB', '<= 8', '8', 'yes'],
      ['idle-memory: pq above ws, KiB', '<= 16', '16.1', '**no**'],
    ]);
  });

  test('a target of one Node is judged by what that Node took', () => {
    const results = [
      result('connect-cpu', 'native', 40),
      result('connect-cpu', 'pq', 50),
      result('connect-cpu', 'native', 50, 'node20'),
      result('connect-cpu', 'pq', 100, 'node20'),
    ];
    expect(targetRows({ ...report, results }, 'node24')).toEqual([
      ['node20 connect-cpu: native / pq', '<= 0.5', '0.5', 'yes'],
    ]);
  });
});

describe('the command line', () => {
  test('names what is wrong', () => {
    expect(() => readArguments(['--only', 'echo-33'])).toThrow(/--only: .*"echo-33"/);
    expect(() => readArguments(['--builds', ''])).toThrow(/--builds/);
    expect(() => readArguments(['--node', '21'])).toThrow(/--node/);
    expect(() => readArguments(['--launches', '0'])).toThrow(/--launches/);
    expect(readArguments(['--launches', '3'])).toMatchObject({ launches: 3, isWhole: true });
  });

  test('only a whole run writes to docs', () => {
    expect(readArguments(['--quick', '--node', '20,24,26'])).toMatchObject({
      isWhole: true,
      mode: 'quick',
      nodes: [20, 24, 26],
    });
    for (const args of [['--smoke'], ['--only', 'echo-32'], ['--builds', 'pq']])
      expect(readArguments(args).isWhole).toBe(false);
  });

  test('there are the workloads that docs/performance.md speaks of', () => {
    for (const size of ['32', '1k', '16k', '64k', '1m']) {
      for (const kind of ['echo', 'stream', 'record']) expect(WORKLOAD_NAMES).toContain(`${kind}-${size}`);
    }
    expect(WORKLOAD_NAMES).toEqual(
      expect.arrayContaining([
        'pingpong-32',
        'pingpong-1k',
        'connect',
        'fanout',
        'idle-memory',
        'first-message',
        'workers-1',
        'workers-2',
      ]),
    );
  });
});

describe('what is written', () => {
  test('charts and the table say where and when', () => {
    const drawn = charts(report);
    expect([...drawn.keys()]).toContain('echo-node24.svg');
    for (const svg of drawn.values()) {
      expect(svg).toContain('2026-01-02');
      expect(svg).toContain('A &lt;cpu&gt;');
    }
    expect(table(report.machine, report.results)).toMatch(/2026-01-02.*\n\n?.*workload/s);
  });

  test('what bounds an echo and a ping-pong is plain ws with the bare cipher beside it', () => {
    const withRatios = (workload: string, build: Result['build'], ratio: Result['ratio']): Result => ({
      ...result(workload, build, 1),
      ratio,
    });
    const results = [
      withRatios('echo-16k-cpu', 'node-crypto', { ws: 0.5 }),
      withRatios('echo-16k-cpu', 'pq', { ws: 0.8, 'node-crypto': 1.6 }),
      withRatios('echo-16k-cpu', 'native-crypto', { ws: 0.4 }),
      withRatios('echo-16k-cpu', 'native', { ws: 0.6, 'native-crypto': 1.5 }),
      withRatios('pingpong-32-cpu', 'node-crypto', { ws: 2.5 }),
      withRatios('pingpong-32-cpu', 'pq', { ws: 3, 'node-crypto': 1.2 }),
      // Not measured beside the bare cipher.
      withRatios('fanout-cpu', 'pq', { ws: 0.3 }),
    ];
    const text = fillSections('<!-- bench:floors -->\n<!-- /bench -->', { ...report, results });
    expect(text).toContain(
      '| echo-16k | 0.50 | 0.80 | 1.60 | 0.40 | 0.60 | 1.50 |\n| pingpong-32 | 2.50 | 3.00 | 1.20 |  |  |  |\n<!-- /bench -->',
    );
  });

  test('the verdict has three sentences, and is not made of half a run', () => {
    const workloads = ['32', '1k', '16k', '64k', '1m'].map((size) => `echo-${size}`);
    const all = [...workloads, 'pingpong-32', 'pingpong-1k', 'connect'].flatMap((workload, i) =>
      (['native', 'pq'] as const).map((build) => ({
        ...result(`${workload}-cpu`, build, 1),
        ratio: { ws: i + (build === 'pq' ? 0.5 : 0), wss: 0.25 },
      })),
    );
    const made = fillSections('<!-- bench:verdict -->\nold\n<!-- /bench -->', { ...report, results: all });
    expect(made).toMatch(
      /costs 0\.0 to 4\.0 times .*\.\n.* 5\.0 to 6\.0 times .*\.\n.* 7\.0 times .* 0\.3 times .*\.\n/,
    );
    const half = fillSections('<!-- bench:verdict -->\nold\n<!-- /bench -->', { ...report, results: all.slice(2) });
    expect(half).toContain('old');
  });

  test('every section of the documents is one that is made, and its text is replaced', () => {
    for (const file of ['docs/performance.md']) {
      const text = readFileSync(path.join(ROOT, file), 'utf8');
      const names = [...text.matchAll(/<!-- bench:([a-z-]+) -->/g)].map(([, name]) => name as string);
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) expect(SECTION_NAMES).toContain(name);
      expect(text.match(/<!-- \/bench -->/g)).toHaveLength(names.length);
    }
    expect(fillSections('a\n<!-- bench:machine -->\nold\n<!-- /bench -->\nb', report)).toMatch(
      /^a\n<!-- bench:machine -->\n- 2026-01-02[^]*<!-- \/bench -->\nb$/,
    );
    expect(() => fillSections('<!-- bench:unknown -->\n<!-- /bench -->', report)).toThrow(/unknown/);
  });
});

describe('where the time goes', () => {
  const frame = (functionName: string, url = '', lineNumber = 0): Parameters<typeof partOf>[0] => ({
    functionName,
    url,
    lineNumber,
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'pq-bench-'));
  const chunk = path.join(folder, 'dist', 'node', 'chunk-A.js');
  const ours = pathToFileURL(chunk).href;
  mkdirSync(path.dirname(chunk), { recursive: true });
  writeFileSync(
    chunk,
    ['function seal() {', '}', 'function nativeBackend(native) {', '  // calls', '}', ''].join('\n'),
  );
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test.each([
    [frame('(idle)'), undefined],
    [frame('compileSourceTextModule', 'node:internal/modules/esm/utils'), undefined],
    [frame('(garbage collector)'), 'collector'],
    [frame('update', 'node:internal/crypto/cipher'), 'AES-256-GCM'],
    [frame('final'), 'AES-256-GCM'],
    [frame('HKDFJob'), 'KEM, HKDF, hashes, keys'],
    [frame('hkdfSync', 'node:internal/crypto/hkdf'), 'KEM, HKDF, hashes, keys'],
    [frame('writev'), 'network'],
    [frame('emit', 'node:events'), 'Node: HTTP, streams, events'],
    [frame('getData', 'file:///x/node_modules/ws/lib/receiver.js'), 'npm ws'],
    [frame('seal', ours, 0), 'this package'],
    [frame('#seal', ours, 3), 'AES-256-GCM'],
    [frame('deriveKey', ours, 3), 'KEM, HKDF, hashes, keys'],
    [frame('deriveKey', ours, 5), 'this package'],
    [frame('run', 'file:///x/.cache/bench/peer.mjs'), 'the rest'],
    [frame('(program)'), 'the rest'],
  ])('%j is %s', (callFrame, part) => {
    expect(partOf(callFrame)).toBe(part);
  });

  test('shares are of the time in which a process was awake, of both together', () => {
    const callFrames = [frame('(idle)'), frame('writev'), frame('seal', ours)];
    const nodes = callFrames.map((callFrame, id) => ({ id, callFrame }));
    const made = shares([
      { nodes, samples: [0, 1, 2], timeDeltas: [1_000, 10, 20] },
      { nodes, samples: [2], timeDeltas: [10] },
    ]);
    expect(made).toMatchObject({ network: 25, 'this package': 75, collector: 0 });
    const table = fillSections('<!-- bench:profile -->\nold\n<!-- /bench -->', {
      ...report,
      profiles: [{ workload: 'connect', build: 'native', total: 400, shares: made }],
    });
    const rows = table.split('\n').map((line) => line.split(/\s*\|\s*/));
    const [head, , row] = rows.slice(rows.findIndex((cells) => cells.includes('network')));
    expect(row?.slice(1, 4)).toEqual(['connect', 'native', '400']);
    expect(row?.[head?.indexOf('network') ?? 0]).toBe('100');
    expect(row?.[head?.indexOf('this package') ?? 0]).toBe('300');
    expect(table).toContain('Profiled: 2026-01-02');
    expect(fillSections('<!-- bench:profile -->\nold\n<!-- /bench -->', report)).toContain('old');
    expect(fillSections('<!-- bench:machine -->\nold\n<!-- /bench -->', report, ['profile'])).toContain('old');
  });
});

test('a run prints JSON of the documented shape', async () => {
  const args = [
    'scripts/run.ts',
    'bench/main.ts',
    '--smoke',
    '--json',
    '--only',
    'echo-32,record-32',
    '--builds',
    'ws,pq,node-crypto',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: 240_000 });
  const { machine, results } = JSON.parse(stdout) as Report;
  expect(machine).toMatchObject({
    mode: 'smoke',
    cores: expect.any(Number) as number,
    runtimes: { node24: { node: expect.any(String) as string } },
  });
  expect(results.map(({ workload, build }) => `${workload} ${build}`)).toEqual([
    'echo-32 ws',
    'echo-32 pq',
    'echo-32 node-crypto',
    'echo-32-cpu ws',
    'echo-32-cpu pq',
    'echo-32-cpu node-crypto',
    'record-32 node-crypto',
    'record-32 pq',
    'record-32-cpu node-crypto',
    'record-32-cpu pq',
  ]);
  for (const { workload, unit } of results) expect(unit === 'µs').toBe(workload.endsWith('-cpu'));
  for (const { runtime, median, min, max, unit, ratio } of results) {
    expect([runtime, typeof unit, min <= median && median <= max && min > 0]).toEqual(['node24', 'string', true]);
    expect(ratio).toBeTypeOf('object');
  }
  expect(results[1]?.ratio.ws).toBeCloseTo((results[1]?.median ?? 0) / (results[0]?.median ?? 1));
});
