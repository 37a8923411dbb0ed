/** What a whole run leaves in `docs/`: the charts, all of the results, and the tables of performance.md, made anew each time. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../results.ts';
import { charts } from './charts.ts';
import { fillSections } from './document.ts';
import { markdownTable } from './markdown.ts';
import { COLUMNS, machineLines, rows } from './table.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../docs/bench');
const TABLE = 'results.md';
const DOCUMENTS = ['../performance.md'].map((file) => path.resolve(FOLDER, file));

function markdown({ machine, results }: Report): string {
  return [
    '# Results of `npm run bench`',
    '',
    'Written by `npm run bench`; [performance.md](../performance.md) says what each workload is. Do not edit.',
    '',
    ...machineLines(machine).map((text) => `- ${text}`),
    '',
    markdownTable(COLUMNS, rows(results)),
    '',
  ].join('\n');
}

/** Writes all, and takes away what an earlier run drew. @returns the folder */
export function writeReport(report: Report): string {
  mkdirSync(FOLDER, { recursive: true });
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.svg'))) rmSync(path.join(FOLDER, file));
  for (const [name, svg] of charts(report)) writeFileSync(path.join(FOLDER, name), svg);
  writeFileSync(path.join(FOLDER, TABLE), markdown(report));
  fillDocuments(report);
  return FOLDER;
}

/** @param names of the sections that are made anew: all, where it is left out */
export function fillDocuments(report: Report, names?: readonly string[]): void {
  for (const file of DOCUMENTS) writeFileSync(file, fillSections(readFileSync(file, 'utf8'), report, names));
}
