/** Which charts there are, and what of the results each shows. */
import type { BuildName, Machine, Report, Result } from '../results.ts';
import { cpuRow } from '../workloads.ts';
import type { Bar, BarChart, BarGroup } from './svg.ts';
import { barChart } from './svg.ts';
import { machineLines } from './table.ts';

interface ChartPlan {
  /** Of the file, before the runtime's. */
  readonly name: string;
  readonly title: string;
  readonly subtitle: string;
  readonly workloads: readonly string[];
  /** Bars are multiples of this build's median; without it they are figures in the workload's unit. */
  readonly relativeTo?: BuildName;
}

const SIZES = ['32', '1k', '16k', '64k', '1m'];
const of = (kind: string): string[] => SIZES.map((size) => `${kind}-${size}`);

const CHARTS: readonly ChartPlan[] = [
  {
    name: 'echo',
    title: 'Echo, 64 messages in flight',
    subtitle: "processor time of both ends for a message, as a multiple of plain ws's (shorter is better)",
    workloads: of('echo').map(cpuRow),
    relativeTo: 'ws',
  },
  {
    name: 'stream',
    title: 'One way',
    subtitle: "processor time of both ends for a message, as a multiple of plain ws's (shorter is better)",
    workloads: of('stream').map(cpuRow),
    relativeTo: 'ws',
  },
  {
    name: 'latency',
    title: 'Ping-pong',
    subtitle: 'milliseconds there and back, median and the slowest percent (shorter is better)',
    workloads: ['pingpong-32', 'pingpong-32-p99', 'pingpong-1k', 'pingpong-1k-p99'],
  },
  {
    name: 'connections',
    title: 'Opening and closing a connection, and one message to 200 clients',
    subtitle: "processor time of both ends, as a multiple of plain ws's (shorter is better)",
    workloads: ['connect', 'fanout'].map(cpuRow),
    relativeTo: 'ws',
  },
  {
    name: 'memory',
    title: "A server's memory for an idle connection",
    subtitle: 'KiB: of the process, and of JavaScript with its buffers (shorter is better)',
    workloads: ['idle-memory', 'idle-memory-heap'],
  },
  {
    name: 'first-message',
    title: 'Time to the first answer, 50 ms each way',
    subtitle: 'milliseconds from new WebSocket, with and without fast open (shorter is better)',
    workloads: ['first-message', 'first-message-no-fast-open'],
  },
  {
    name: 'records',
    title: 'The record layer, sealed and opened',
    subtitle: 'processor time for a record, as a multiple of bare node:crypto (shorter is better)',
    workloads: of('record').map(cpuRow),
    relativeTo: 'node-crypto',
  },
  {
    name: 'blocks',
    title: "The longest block of a page's thread while 10 MiB goes each way",
    subtitle:
      'milliseconds; messages of 64 KiB, and one of 10 MiB; insecure: without crypto.subtle (shorter is better)',
    workloads: [
      'chromium-longest-block-64k',
      'chromium-longest-block-64k-insecure',
      'chromium-longest-block',
      'chromium-longest-block-insecure',
    ],
  },
];

function group(title: string, results: readonly Result[], relativeTo: BuildName | undefined): BarGroup | undefined {
  const unit = relativeTo === undefined ? 1 : results.find(({ build }) => build === relativeTo)?.median;
  if (results.length === 0 || unit === undefined || unit <= 0) return undefined;
  const bars = results.map(({ build, median, min, max }): Bar => ({
    label: build,
    value: median / unit,
    min: min / unit,
    max: max / unit,
  }));
  return { title, bars };
}

function chart(plan: ChartPlan, runtime: string, { machine, results }: Report): BarChart | undefined {
  const { title, subtitle, workloads, relativeTo } = plan;
  const groups = workloads.flatMap((workload) => {
    const own = results.filter((result) => result.workload === workload && result.runtime === runtime);
    return group(workload, own, relativeTo) ?? [];
  });
  if (groups.length === 0) return undefined;
  return {
    title,
    subtitle,
    footer: footer(machine, runtime),
    groups,
    ...(relativeTo !== undefined && { reference: 1 }),
  };
}

function footer(machine: Machine, runtime: string): string[] {
  const [where, ...runtimes] = machineLines(machine);
  return [where as string, ...runtimes.filter((line) => line.startsWith(`${runtime}:`))];
}

/** SVG by file name. */
export function charts(report: Report): ReadonlyMap<string, string> {
  const runtimes = new Set(report.results.map(({ runtime }) => runtime));
  const drawn = new Map<string, string>();
  for (const plan of CHARTS) {
    for (const runtime of runtimes) {
      const drawing = chart(plan, runtime, report);
      if (drawing !== undefined) drawn.set(`${plan.name}-${runtime}.svg`, barChart(drawing));
    }
  }
  return drawn;
}
