/** What of docs/integrations is written by `npm run integrations -- --write`, and held against the code otherwise. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RowReport } from './report.ts';
import type { Row } from './table.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../docs/integrations');
const MARKED = /(<!-- written by `npm run integrations -- --write` -->\n)[^]*?(\n<!-- end -->)/;
/** The number of sealed bytes differs from run to run. */
const VOLATILE = /\| [\d,]+ \| (?=\d+ \|$)/gm;

function indexTable(reports: readonly RowReport[]): string {
  const lines = reports.map(({ page, library, version, side, plug, cases, bytesSealed, leaks, runtime }) => {
    const where = runtime === undefined ? library : `${library} in ${runtime}`;
    const code = plug.map((line) => `\`${line.replaceAll('|', '\\|')}\``).join('<br>');
    const passed = cases.filter(({ error }) => error === undefined).length;
    return `| [${where}](${page}.md) | ${version} | ${side} | ${code} | ${passed}/${cases.length} | ${bytesSealed.toLocaleString('en')} | ${leaks.length} |`;
  });
  return [
    '| library | version | side | plugged in by | cases | bytes sealed | leaks |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

function versionsLine(reports: readonly RowReport[]): string {
  const versions = new Map(reports.flatMap(({ versions: of }) => Object.entries(of)));
  return [...versions].map(([name, version]) => `${name} ${version}`).join(', ');
}

/** Each generated part: its file and what it has to be. */
function parts(reports: readonly RowReport[]): Map<string, string> {
  const pages = [...new Set(reports.map(({ page }) => page))];
  const versions = pages.map(
    (page) => [`${page}.md`, versionsLine(reports.filter((each) => each.page === page))] as const,
  );
  return new Map([['README.md', indexTable(reports)], ...versions]);
}

function split(file: string): { readonly text: string; readonly present: string } {
  const name = path.join(FOLDER, file);
  const text = existsSync(name) ? readFileSync(name, 'utf8') : '';
  const found = MARKED.exec(text);
  if (found === null) throw new Error(`docs/integrations/${file} is missing, or has no part that is marked as written`);
  const [whole, before = '', after = ''] = found;
  return { text, present: whole.slice(before.length, whole.length - after.length) };
}

const reportsOf = (rows: readonly Row[]): RowReport[] =>
  rows.flatMap(({ result }) => (result instanceof Error ? [] : [result]));

/** Writes the table and the versions into docs/integrations. */
export function writeDocs(rows: readonly Row[]): void {
  for (const [file, wanted] of parts(reportsOf(rows))) {
    const { text } = split(file);
    writeFileSync(
      path.join(FOLDER, file),
      text.replace(MARKED, (_whole, before: string, after: string) => `${before}${wanted}${after}`),
    );
  }
}

/** @returns what is not as the run has shown it, a line each */
export function staleDocs(rows: readonly Row[]): string[] {
  const stable = (text: string): string => text.replaceAll(VOLATILE, '| … | ');
  return [...parts(reportsOf(rows))].flatMap(([file, wanted]) => {
    try {
      return stable(split(file).present) === stable(wanted)
        ? []
        : [`docs/integrations/${file} is out of date: npm run integrations -- --write`];
    } catch (error) {
      return [(error as Error).message];
    }
  });
}
