/** What this package is held to, as ratios between builds in one run, and whether a run has reached it. */
import type { BuildName, Report } from './results.ts';

export interface Target {
  readonly workload: string;
  readonly build: BuildName;
  readonly reference: BuildName;
  /** At least, for a rate; at most, for a time. */
  readonly least?: number;
  readonly most?: number;
}

const rate = (workload: string, reference: BuildName, least: number, build: BuildName = 'pq'): Target => ({
  workload,
  build,
  reference,
  least,
});
const time = (workload: string, reference: BuildName, most: number): Target => ({
  workload,
  build: 'pq',
  reference,
  most,
});

export const TARGETS: readonly Target[] = [
  rate('echo-32', 'ws', 3),
  rate('echo-32', 'wss', 1.3),
  rate('echo-32', 'naive', 25),
  rate('echo-1k', 'ws', 1.2),
  rate('echo-1k', 'wss', 0.8),
  rate('echo-16k', 'ws', 0.7),
  rate('echo-16k', 'wss', 1.3),
  rate('echo-64k', 'ws', 0.65),
  rate('echo-64k', 'wss', 1.3),
  rate('echo-64k', 'naive', 20),
  rate('echo-1m', 'ws', 0.75),
  rate('echo-1m', 'wss', 1.1),
  time('pingpong-32', 'ws', 1.35),
  time('pingpong-32', 'wss', 1.15),
  time('pingpong-1k', 'ws', 1.35),
  time('pingpong-1k', 'wss', 1.15),
  rate('connect', 'ws', 0.5),
  rate('connect', 'wss', 1),
  rate('fanout', 'ws', 0.6),
  rate('fanout', 'wss', 0.9),
  time('first-message', 'ws', 1.05),
  time('first-message', 'wss', 1),
  rate('record-16k', 'node-crypto', 0.85),
  rate('record-64k', 'node-crypto', 0.85),
  rate('record-1m', 'node-crypto', 0.85),
  rate('echo-32', 'wss', 0.6, 'pq-wss'),
  rate('echo-1k', 'wss', 0.9, 'pq-wss'),
  rate('echo-64k', 'wss', 0.9, 'pq-wss'),
];

/** KiB of memory that an idle connection may take above plain `ws`. */
export const IDLE_MEMORY_KIB = 5;
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
  for (const { workload, build, reference, least, most } of TARGETS) {
    const [own, other] = [median(workload, build), median(workload, reference)];
    if (own === undefined || other === undefined) continue;
    const ratio = own / other;
    const isMet = ratio >= (least ?? -Infinity) && ratio <= (most ?? Infinity);
    rows.push(
      line(`${workload}: ${build} / ${reference}`, least === undefined ? `<= ${most}` : `>= ${least}`, ratio, isMet),
    );
  }
  for (const workload of ['idle-memory', 'idle-memory-heap']) {
    const [own, plain] = [median(workload, 'pq'), median(workload, 'ws')];
    if (own === undefined || plain === undefined) continue;
    rows.push(
      line(`${workload}: pq above ws, KiB`, `<= ${IDLE_MEMORY_KIB}`, own - plain, own - plain <= IDLE_MEMORY_KIB),
    );
  }
  for (const { workload, build, median: block } of results) {
    if (!workload.startsWith('chromium-longest-block') || build !== 'pq') continue;
    rows.push(line(`${workload}: ms`, `<= ${LONGEST_BLOCK_MS}`, block, block <= LONGEST_BLOCK_MS));
  }
  return rows;
}
