/** What a whole run leaves in `docs/bench/`: the charts and the table, made anew each time. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../results.ts';
import { charts } from './charts.ts';
import { COLUMNS, machineLines, rows } from './table.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../docs/bench');
const TABLE = 'results.md';

function markdown({ machine, results }: Report): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    '# Results of `npm run bench`',
    '',
    'Written by `npm run bench`; [performance.md](../performance.md) says what each workload is. Do not edit.',
    '',
    ...machineLines(machine).map((text) => `- ${text}`),
    '',
    line(COLUMNS),
    line(COLUMNS.map(() => '---')),
    ...rows(results).map(line),
    '',
  ].join('\n');
}

/** Writes all, and takes away what an earlier run drew. @returns the folder */
export function writeReport(report: Report): string {
  mkdirSync(FOLDER, { recursive: true });
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.svg'))) rmSync(path.join(FOLDER, file));
  for (const [name, svg] of charts(report)) writeFileSync(path.join(FOLDER, name), svg);
  writeFileSync(path.join(FOLDER, TABLE), markdown(report));
  return FOLDER;
}
