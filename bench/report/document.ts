/** The tables and charts of docs/performance.md, each between `<!-- bench:NAME -->` and `<!-- /bench -->`: nobody types a figure there. */
import type { BuildName, Report, Result } from '../results.ts';
import { SOCKET_BUILDS } from '../results.ts';
import { targetRows } from '../targets.ts';
import { cpuRow } from '../workloads.ts';
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
const BUILDS = SOCKET_BUILDS;

const WITH_PROCESSOR_TIME = [
  ...SIZES.map((size) => `echo-${size}`),
  'echo-16k-app',
  'echo-64k-app',
  ...SIZES.map((size) => `stream-${size}`),
  'pingpong-32',
  'pingpong-1k',
  'connect',
  'fanout',
];

/** Microseconds of processor time for one operation, of both ends. */
function perOperation(report: Report, runtime: string): string {
  const rows = WITH_PROCESSOR_TIME.flatMap((workload) => {
    const cells = BUILDS.map((build) => of(report, runtime, cpuRow(workload), build));
    if (cells.every((cell) => cell === undefined)) return [];
    return [[workload, ...cells.map((cell) => (cell === undefined ? '' : figure(cell.median)))]];
  });
  return markdownTable(['µs of processor time', ...BUILDS], rows);
}

/** The bare ciphers, and what stands on each. */
const FLOORS = [
  ['node-crypto', 'pq'],
  ['native-crypto', 'native'],
] as const;

/** What plain `ws` with a bare cipher beside it leaves, one call a message, and what was measured: quotients of processor time. */
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
    const bare = FLOORS.flatMap(([floor, build]) => {
      const [least, own] = [floor, build].map((name) => of(report, runtime, cpuRow(workload), name)?.ratio);
      const both = [least?.ws, own?.ws, own?.[floor]];
      return both.map((ratio) => (both.includes(undefined) ? '' : (ratio as number).toFixed(2)));
    });
    return bare.every((cell) => cell === '') ? [] : [[workload, ...bare]];
  });
  const heads = FLOORS.flatMap(([floor, build]) => [`${floor}, to ws`, `${build}, to ws`, `${build}, to ${floor}`]);
  return markdownTable(['workload', ...heads], rows);
}

/** For who has one minute: what a message costs beside plain `ws` and `wss`, with pq-websocket-native and without, and what a connection costs. */
function verdict(report: Report, runtime: string): string | undefined {
  const ratio = (workload: string, build: BuildName, to: BuildName): number | undefined =>
    of(report, runtime, cpuRow(workload), build)?.ratio[to];
  const range = (workloads: readonly string[], build: BuildName, to: BuildName): string | undefined => {
    const found = workloads.map((workload) => ratio(workload, build, to)).filter((value) => value !== undefined);
    if (found.length < workloads.length) return undefined;
    const [least, most] = [Math.min(...found), Math.max(...found)].map((value) => value.toFixed(1));
    return `${least === most ? '' : `${least} to `}${most} times`;
  };
  const echoes = SIZES.map((size) => `echo-${size}`);
  const pings = ['pingpong-32', 'pingpong-1k'];
  const [busy, busyToTls, without] = [
    range(echoes, 'native', 'ws'),
    range(echoes, 'native', 'wss'),
    range(echoes, 'pq', 'ws'),
  ];
  const [alone, aloneWithout] = [range(pings, 'native', 'ws'), range(pings, 'pq', 'ws')];
  const [opened, openedToTls] = [ratio('connect', 'native', 'ws'), ratio('connect', 'native', 'wss')];
  if ([busy, busyToTls, without, alone, aloneWithout].includes(undefined)) return undefined;
  if (opened === undefined || openedToTls === undefined) return undefined;
  return [
    `With \`pq-websocket-native\` beside it, a message of a busy connection costs ${busy} the processor time that it costs over plain \`ws\`, and ${busyToTls} that of \`wss\`; without it, ${without} that of plain \`ws\`.`,
    `A message that travels alone costs ${alone} that of plain \`ws\` with it, and ${aloneWithout} without.`,
    `To open and close a connection costs ${opened.toFixed(1)} times what it costs over plain \`ws\`, and ${openedToTls.toFixed(1)} times what it costs over \`wss\`.`,
  ].join('\n');
}

function nodes(report: Report): string {
  const runtimes = [...new Set(report.results.map(({ runtime }) => runtime))].filter((runtime) =>
    runtime.startsWith('node'),
  );
  const workloads = ['echo-32', 'echo-64k', 'connect', 'fanout'];
  const rows = runtimes.map((runtime) => [
    runtime,
    ...workloads.map((workload) => {
      const ratio = of(report, runtime, cpuRow(workload), 'pq')?.ratio.ws;
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
  verdict,
  'per-operation': perOperation,
  floors,
  connections: (report, runtime) =>
    medians(
      report,
      runtime,
      ['connect', 'idle-memory', 'idle-memory-heap', 'first-message', 'first-message-no-fast-open'],
      BUILDS,
    ),
  workers: (report, runtime) => medians(report, runtime, ['workers-1', 'workers-2'], ['ws', 'pq', 'native']),
  records: (report, runtime) =>
    medians(
      report,
      runtime,
      SIZES.map((size) => `record-${size}`),
      ['node-crypto', 'pq', 'native'],
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
  return replaceSections(text, (name) => {
    const section = SECTIONS[name];
    if (section === undefined) throw new Error(`there is no section ${JSON.stringify(name)}`);
    return names.includes(name) ? section(report, runtime) : undefined;
  });
}

/** @param made gives what a section is to hold; undefined: what it does */
export function replaceSections(text: string, made: (name: string) => string | undefined): string {
  return text.replace(
    /(<!-- bench:([a-z-]+) -->\n)[^]*?(<!-- \/bench -->)/g,
    (old: string, start: string, name: string, end: string) => {
      const section = made(name);
      return section === undefined ? old : `${start}${section}\n${end}`;
    },
  );
}
