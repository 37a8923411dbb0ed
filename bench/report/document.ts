/** The tables and charts of docs/performance.md, each between `<!-- bench:NAME -->` and `<!-- /bench -->`: nobody types a figure there. */
import type { BuildName, Report, Result } from '../results.ts';
import { targetRows } from '../targets.ts';
import { markdownTable } from './markdown.ts';
import { profileTable } from './profile.ts';
import { figure, machineLines } from './table.ts';

/** Undefined where the run has nothing for it: what an earlier one wrote stays. */
type Section = (report: Report, runtime: string) => string | undefined;

function of({ results }: Report, runtime: string, workload: string, build: BuildName): Result | undefined {
  return results.find((result) => result.workload === workload && result.runtime === runtime && result.build === build);
}

/** Rows of `workloads`, columns of `builds`; what was not measured is empty. */
function medians(report: Report, runtime: string, workloads: readonly string[], builds: readonly BuildName[]): string {
  const rows = workloads.flatMap((workload) => {
    const found = builds.map((build) => of(report, runtime, workload, build));
    const unit = found.find((result) => result !== undefined)?.unit;
    return unit === undefined
      ? []
      : [[workload, unit, ...found.map((result) => (result === undefined ? '' : figure(result.median)))]];
  });
  return markdownTable(['workload', 'unit', ...builds], rows);
}

const SIZES = ['32', '1k', '16k', '64k', '1m'];
const BUILDS = ['ws', 'wss', 'naive', 'pq', 'pq-wss'] as const;

/** Microseconds between one message and the next, by size: what each costs where both ends are busy. */
function perMessage(report: Report, runtime: string): string {
  const rows = SIZES.flatMap((size) => {
    const cells = BUILDS.map((build) => of(report, runtime, `echo-${size}`, build));
    if (cells.every((cell) => cell === undefined)) return [];
    return [[size, ...cells.map((cell) => (cell === undefined ? '' : figure(1e6 / cell.median)))]];
  });
  return markdownTable(['size', ...BUILDS.map((build) => `${build}, µs`)], rows);
}

/** What plain `ws` with Node's bare cipher beside it leaves, one call a message, and what was measured: both as quotients to plain `ws`. */
function floors(report: Report, runtime: string): string {
  const rows = [
    'echo-32',
    'echo-1k',
    'echo-16k',
    'echo-64k',
    'echo-1m',
    'pingpong-32',
    'pingpong-1k',
    'fanout',
  ].flatMap((workload) => {
    const [bare, own] = (['node-crypto', 'pq'] as const).map((build) => of(report, runtime, workload, build)?.ratio);
    if (bare?.ws === undefined || own?.ws === undefined || own['node-crypto'] === undefined) return [];
    return [[workload, ...[bare.ws, own.ws, own['node-crypto']].map((ratio) => ratio.toFixed(2))]];
  });
  return markdownTable(['workload', 'bare cipher, to ws', 'pq, to ws', 'pq, to the bare cipher'], rows);
}

function nodes(report: Report): string {
  const runtimes = [...new Set(report.results.map(({ runtime }) => runtime))].filter((runtime) =>
    runtime.startsWith('node'),
  );
  const workloads = ['echo-32', 'echo-64k', 'connect', 'fanout'];
  const rows = runtimes.map((runtime) => [
    runtime,
    ...workloads.map((workload) => {
      const ratio = of(report, runtime, workload, 'pq')?.ratio.ws;
      return ratio === undefined ? '' : ratio.toFixed(2);
    }),
  ]);
  return markdownTable(['pq / ws in', ...workloads], rows);
}

/** Those that the page shows. */
const CHARTS = [
  ['echo', 'Echo of several sizes, beside plain ws, wss and a naive build'],
  ['latency', 'Ping-pong latency'],
  ['connections', 'Connections a second, and fan-out'],
] as const;

const SECTIONS: Readonly<Record<string, Section>> = {
  machine: ({ machine }) =>
    machineLines(machine)
      .map((line) => `- ${line}`)
      .join('\n'),
  targets: (report, runtime) => markdownTable(['what', 'wanted', 'measured', 'met'], targetRows(report, runtime)),
  'per-message': perMessage,
  floors,
  connections: (report, runtime) =>
    medians(
      report,
      runtime,
      ['connect', 'idle-memory', 'idle-memory-heap', 'first-message', 'first-message-no-fast-open'],
      BUILDS,
    ),
  workers: (report, runtime) => medians(report, runtime, ['workers-1', 'workers-2'], ['ws', 'pq']),
  records: (report, runtime) =>
    medians(
      report,
      runtime,
      SIZES.map((size) => `record-${size}`),
      ['node-crypto', 'pq'],
    ),
  nodes,
  // It can be made alone, so it says when it was.
  profile: ({ machine, profiles }) =>
    profiles && `${profileTable(profiles)}\n\nProfiled: ${machineLines(machine)[0] ?? ''}.`,
  charts: ({ machine }, runtime) =>
    [
      ...CHARTS.map(([file, title]) => `![${title}](bench/${file}-${runtime}.svg)`),
      '',
      `Measured by \`npm run bench\`: ${machineLines(machine)[0] ?? ''}.`,
    ].join('\n'),
};

export const SECTION_NAMES = Object.keys(SECTIONS);

/**
 * `text` with its sections made anew.
 * @param names of those that are; all of them where it is left out
 * @throws {Error} for a section that nobody makes
 */
export function fillSections(text: string, report: Report, names: readonly string[] = SECTION_NAMES): string {
  const runtime = report.results.find((result) => result.runtime.startsWith('node'))?.runtime ?? '';
  return text.replace(
    /(<!-- bench:([a-z-]+) -->\n)[^]*?(<!-- \/bench -->)/g,
    (old: string, start: string, name: string, end: string) => {
      const section = SECTIONS[name];
      if (section === undefined) throw new Error(`there is no section ${JSON.stringify(name)}`);
      const made = names.includes(name) ? section(report, runtime) : undefined;
      return made === undefined ? old : `${start}${made}\n${end}`;
    },
  );
}
