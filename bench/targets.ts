/** What this package is held to, as ratios between builds in one run, and whether a run has reached it. */
import type { BuildName, Report } from './results.ts';
import { cpuRow } from './workloads.ts';

/** At most so much of the reference's processor time or, of `first-message`, of its time on the clock. */
export interface Target {
  /** A row of the results. */
  readonly row: string;
  readonly build: BuildName;
  readonly reference: BuildName;
  readonly most: number;
  /** Default: the first that was measured. */
  readonly runtime?: string;
}

const processorTime = (workload: string, build: BuildName, reference: BuildName, most: number): Target => ({
  row: cpuRow(workload),
  build,
  reference,
  most,
});

/** By workload: with pq-websocket-native beside plain `ws` and beside `wss`, and without it beside plain `ws`. */
const PROCESSOR_TIME: readonly (readonly [workload: string, toWs: number, toWss: number, without: number])[] = [
  ['echo-32', 0.3, 0.75, 0.4],
  ['echo-1k', 0.6, 0.8, 0.8],
  ['echo-16k', 1, 0.85, 1.25],
  ['echo-64k', 0.85, 0.75, 1.3],
  ['echo-1m', 0.75, 0.6, 1.1],
  ['pingpong-32', 1.3, 1.1, 2.2],
  ['pingpong-1k', 1.3, 1.1, 2.2],
  ['connect', 2.5, 0.6, 3],
  ['fanout', 0.85, 0.8, 1.25],
];

/** Both layers at once, beside TLS alone. */
const INSIDE_WSS: readonly (readonly [workload: string, most: number])[] = [
  ...['echo-32', 'echo-1k', 'echo-16k', 'echo-64k', 'echo-1m'].map((workload) => [workload, 1.15] as const),
  ...['pingpong-32', 'pingpong-1k'].map((workload) => [workload, 1.5] as const),
];

export const TARGETS: readonly Target[] = [
  ...PROCESSOR_TIME.map(([workload, toWs]) => processorTime(workload, 'native', 'ws', toWs)),
  ...PROCESSOR_TIME.map(([workload, , toWss]) => processorTime(workload, 'native', 'wss', toWss)),
  ...PROCESSOR_TIME.map(([workload, , , without]) => processorTime(workload, 'pq', 'ws', without)),
  ...INSIDE_WSS.map(([workload, most]) => processorTime(workload, 'native-wss', 'wss', most)),
  // Node 20 has no ML-KEM of its own.
  { ...processorTime('connect', 'native', 'pq', 0.5), runtime: 'node20' },
  { row: 'first-message', build: 'pq', reference: 'ws', most: 1.05 },
  { row: 'first-message', build: 'pq', reference: 'wss', most: 1 },
  ...['record-16k', 'record-64k', 'record-1m'].map((workload) => processorTime(workload, 'pq', 'node-crypto', 1.18)),
];

/** KiB of resident memory that an idle connection may take above plain `ws`. */
export const IDLE_MEMORY_KIB = { native: 8, pq: 16 } as const;
/** Milliseconds that a page may stand still while 10 MiB goes each way. */
export const LONGEST_BLOCK_MS = 16;

/** One line of the table: what is asked, what was measured, whether it is enough. Absent where it was not measured. */
export function targetRows({ results }: Report, runtime: string): string[][] {
  const median = (workload: string, build: BuildName, where = runtime): number | undefined =>
    results.find((result) => result.workload === workload && result.build === build && result.runtime === where)
      ?.median;
  const line = (what: string, wanted: string, value: number, isMet: boolean): string[] => [
    what,
    wanted,
    Number(value.toPrecision(3)).toString(),
    isMet ? 'yes' : '**no**',
  ];
  const rows: string[][] = [];
  for (const { row, build, reference, most, runtime: where } of TARGETS) {
    const [own, other] = [median(row, build, where), median(row, reference, where)];
    if (own === undefined || other === undefined) continue;
    rows.push(
      line(
        `${where === undefined ? '' : `${where} `}${row}: ${build} / ${reference}`,
        `<= ${most}`,
        own / other,
        own / other <= most,
      ),
    );
  }
  for (const [build, most] of Object.entries(IDLE_MEMORY_KIB) as ['native' | 'pq', number][]) {
    const [own, plain] = [median('idle-memory', build), median('idle-memory', 'ws')];
    if (own === undefined || plain === undefined) continue;
    rows.push(line(`idle-memory: ${build} above ws, KiB`, `<= ${most}`, own - plain, own - plain <= most));
  }
  for (const { workload, build, median: block } of results) {
    if (!workload.startsWith('chromium-longest-block') || build !== 'pq') continue;
    rows.push(line(`${workload}: ms`, `<= ${LONGEST_BLOCK_MS}`, block, block <= LONGEST_BLOCK_MS));
  }
  return rows;
}
