/** What `npm run runtimes` prints: runtime × role × groups of cases. */
import { printColumns } from '../support/columns.ts';
import { CASE_NAMES } from './suite/client.ts';
import type { SuiteReport } from './suite/client.ts';

export interface Row {
  readonly runtime: string;
  readonly version: string;
  readonly role: 'client' | 'server';
  /** Undefined where the runtime cannot have this role; an Error where there is no report. */
  readonly result: SuiteReport | Error | undefined;
}

const GROUPS = [...new Set(CASE_NAMES.map(([group]) => group))];

function cells({ result }: Row): string[] {
  if (result === undefined) return GROUPS.map(() => '-');
  if (result instanceof Error) return GROUPS.map(() => 'FAILED');
  return GROUPS.map((group) => {
    const all = CASE_NAMES.filter(([of]) => of === group).length;
    return `${result.cases.filter((one) => one.group === group && one.error === undefined).length}/${all}`;
  });
}

function cryptography({ result }: Row): string {
  if (result === undefined || result instanceof Error) return '-';
  return `${result.backend}, ${result.nativeKem === true ? 'native' : 'noble'} ML-KEM`;
}

/** A line for each case that is not there or failed. */
function problems(row: Row): string[] {
  const { result } = row;
  if (result === undefined) return [];
  if (result instanceof Error) return [result.message];
  return CASE_NAMES.flatMap(([group, name]) => {
    const found = result.cases.find((one) => one.group === group && one.name === name);
    if (found === undefined) return [`${group}: ${name}: did not run`];
    return found.error === undefined ? [] : [`${group}: ${name}: ${found.error}`];
  });
}

export function printTable(rows: readonly Row[]): void {
  const head = ['runtime', 'version', 'role', 'client’s cryptography', ...GROUPS];
  const lines = rows.map((row) => [row.runtime, row.version, row.role, cryptography(row), ...cells(row)]);
  printColumns(head, lines);
  for (const row of rows)
    for (const problem of problems(row)) console.error(`${row.runtime} as ${row.role}: ${problem}`);
}

/** @returns the exit code: 1 when a case failed, or did not run in a role that the runtime has */
export function failures(rows: readonly Row[]): number {
  const ran = rows.some(({ result }) => result !== undefined);
  return ran && rows.every((row) => problems(row).length === 0) ? 0 : 1;
}
