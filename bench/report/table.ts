/** The results as text to read. */
import type { BuildName, Machine, Result } from '../results.ts';

const REFERENCES: readonly BuildName[] = ['ws', 'wss', 'naive', 'node-crypto', 'native-crypto'];

/** Three significant digits, and thousands apart. */
export function figure(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return Number(value.toPrecision(3)).toString();
}

export function machineLines(machine: Machine): string[] {
  const { cpu, cores, placement, memoryGiB, os, arch, date, mode, commit, loadAverage, chromium } = machine;
  return [
    `${date.slice(0, 10)}, ${mode} run of ${commit}: ${cpu}, ${cores} cores (${placement}), ${memoryGiB} GiB, load average ${figure(loadAverage)}, ${os} ${arch}${chromium === undefined ? '' : `, ${chromium}`}`,
    ...Object.entries(machine.runtimes).map(
      ([name, { node, openssl, tlsGroup }]) => `${name}: Node ${node}, OpenSSL ${openssl}, wss agreed ${tlsGroup}`,
    ),
  ];
}

function cells(result: Result): string[] {
  const { workload, runtime, build, unit, median, min, max, ratio } = result;
  const compared = REFERENCES.map((reference) => {
    const value = ratio[reference];
    return value === undefined || reference === build ? '' : value.toFixed(2);
  });
  return [workload, runtime, build, figure(median), `${figure(min)} to ${figure(max)}`, unit, ...compared];
}

export const COLUMNS = [
  'workload',
  'runtime',
  'build',
  'median',
  'min to max',
  'unit',
  ...REFERENCES.map((name) => `/ ${name}`),
];
const NUMBERS = new Set([3, 4, ...REFERENCES.map((_, index) => 6 + index)]);

export function rows(results: readonly Result[]): string[][] {
  return results.map(cells);
}

export function table(machine: Machine, results: readonly Result[]): string {
  const lines = [COLUMNS, ...rows(results)];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => (line[column] as string).length)));
  const text = lines.map((line) =>
    line
      .map((cell, column) =>
        NUMBERS.has(column) ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number),
      )
      .join('  ')
      .trimEnd(),
  );
  return [...machineLines(machine), '', ...text].join('\n');
}
