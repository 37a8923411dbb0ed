/** What `npm run integrations` prints, and what docs/integrations/README.md holds. */
import { printColumns } from '../support/columns.ts';
import type { RowReport } from './report.ts';

export interface Row {
  readonly name: string;
  /** An Error where there is no report. */
  readonly result: RowReport | Error;
}

const HEAD = ['library', 'version', 'side', 'plugged in by', 'cases', 'bytes sealed', 'leaks'];

function cells({ name, result }: Row): string[] {
  if (result instanceof Error) return [name, '-', '-', '-', 'FAILED', '-', '-'];
  const passed = result.cases.filter(({ error }) => error === undefined).length;
  return [
    name,
    result.version,
    result.side,
    result.plug.join(' · '),
    `${passed}/${result.cases.length}`,
    String(result.bytesSealed),
    String(result.leaks.length),
  ];
}

/** Why a row does not count, a line each. */
export function problems({ name, result }: Row): string[] {
  if (result instanceof Error) return [`${name}: ${result.message}`];
  const found = result.cases.flatMap(({ name: title, error }) =>
    error === undefined ? [] : [`${name}: ${title}: ${error}`],
  );
  found.push(...result.leaks.map((leak) => `${name}: LEAK: ${leak}`));
  if (result.cases.length === 0) found.push(`${name}: no case ran`);
  if (result.bytesSealed === 0) found.push(`${name}: nothing was sealed`);
  return found;
}

export function printTable(rows: readonly Row[]): void {
  printColumns(HEAD, rows.map(cells));
  for (const row of rows) for (const problem of problems(row)) console.error(problem);
}
