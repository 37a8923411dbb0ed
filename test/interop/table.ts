/** The tables that `npm run interop` prints, as Markdown, so that docs/interop.md can hold them too. */
import type { Outcome } from './hostile/driver.ts';
import type { Tally } from './hostile/run.ts';
import { refusalRows } from './hostile/run.ts';
import type { Cell } from './pairs.ts';

/** Gives every reason a number, the same one to the same reason. */
export class Notes {
  readonly #reasons: string[] = [];

  add(reason: string): string {
    if (!this.#reasons.includes(reason)) this.#reasons.push(reason);
    return `[${this.#reasons.indexOf(reason) + 1}]`;
  }

  lines(): string[] {
    return this.#reasons.map((reason, i) => `- [${i + 1}] ${reason}`);
  }
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}

export function describeCell(cell: Cell, notes: Notes): string {
  if (cell.type === 'left out') return `- ${notes.add(cell.reason)}`;
  const all = cell.passed + cell.holes.length;
  return cell.holes.length === 0 ? `${cell.passed}` : `HOLE ${cell.passed}/${all}`;
}

/** A row for each refusal, a column for each implementation: how many cases it refused as it must. */
export function hostileTable(tallies: readonly Tally[], notes: Notes): string {
  const rows = refusalRows().map(({ refusal, reason }) => [
    refusal,
    ...tallies.map((tally) =>
      reason === undefined ? describeOutcomes(tally.rows.get(refusal) ?? [], notes) : `- ${notes.add(reason)}`,
    ),
  ]);
  return table(['refused', ...tallies.map(({ name }) => name)], rows);
}

function describeOutcomes(outcomes: readonly Outcome[], notes: Notes): string {
  const refused = outcomes.filter(({ type }) => type === 'refused').length;
  const holes = outcomes.filter(({ type }) => type === 'hole').length;
  const reasons = new Set(
    outcomes.flatMap((outcome) => (outcome.type === 'left out' ? [notes.add(outcome.reason)] : [])),
  );
  const parts = [
    ...(holes > 0 ? [`HOLE ${holes}`] : []),
    ...(refused > 0 ? [`${refused}`] : []),
    ...(reasons.size > 0 ? [`- ${[...reasons].join(' ')}`] : []),
  ];
  return parts.join(' ');
}
