/** What `npm run conformance` prints. */
import { printColumns } from '../../support/columns.ts';
import type { Difference, Unused, Verdict } from './compare.ts';

/** The verdicts of one class in one place. */
export interface Row {
  readonly place: string;
  readonly version: string;
  readonly variant: 'class' | 'polyfill';
  readonly verdicts: readonly Verdict[] | Error;
}

const VERDICTS = ['equal', 'wanted', 'different'] as const;

export const HEAD: readonly string[] = [
  'engine',
  'version',
  'class',
  'cases',
  'equal',
  'wanted difference',
  'different',
];

/** A row's cells, as `HEAD` names them. */
export function cellsOf({ place, version, variant, verdicts }: Row): string[] {
  const counts =
    verdicts instanceof Error
      ? ['-', '-', '-', 'FAILED']
      : [verdicts.length, ...VERDICTS.map((verdict) => verdicts.filter((one) => one.verdict === verdict).length)].map(
          String,
        );
  return [place, version, variant === 'class' ? 'PQWebSocket' : 'polyfill', ...counts];
}

export function printTable(rows: readonly Row[]): void {
  printColumns(HEAD, rows.map(cellsOf));
}

/** Names each place with the difference only once: most differ in several engines alike. */
export function printProblems(rows: readonly Row[], unused: readonly Unused[]): void {
  const found = new Map<string, { difference: Difference; places: string[] }>();
  for (const { place, variant, verdicts } of rows) {
    if (verdicts instanceof Error) {
      console.error(`${place}, ${variant}: ${verdicts.message}`);
      continue;
    }
    for (const difference of verdicts.flatMap(({ unexcused }) => unexcused)) {
      const key = JSON.stringify(difference);
      const known = found.get(key) ?? { difference, places: [] };
      known.places.push(`${place} (${variant})`);
      found.set(key, known);
    }
  }
  for (const { difference, places } of found.values()) {
    console.error(
      `\n${difference.path}\n  native: ${shown(difference.native)}\n  ours:   ${shown(difference.ours)}\n  in: ${places.join(', ')}`,
    );
  }
  for (const { excuse, engines } of unused) {
    console.error(
      `\nexcused, but never different: ${excuse.path} (${engines.length > 0 ? engines.join(', ') : 'every engine'}, ${excuse.variant ?? 'both classes'})`,
    );
  }
}

function shown(value: unknown): string {
  return value === undefined ? '(missing)' : JSON.stringify(value);
}

/** @returns the exit code: 1 for anything different, an excuse that nothing needs, or a place where nothing ran */
export function exitCode(rows: readonly Row[], unused: readonly Unused[]): number {
  const good = (row: Row): boolean =>
    !(row.verdicts instanceof Error) &&
    row.verdicts.length > 0 &&
    row.verdicts.every(({ verdict }) => verdict !== 'different');
  return rows.length > 0 && rows.every(good) && unused.length === 0 ? 0 : 1;
}
