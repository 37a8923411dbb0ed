/** The tables that `npm run interop` prints, as Markdown, so that docs/interop.md can hold them too. */
import type { Cell } from './pairs.ts';

/** Gives every reason a number, the same one to the same reason. */
export class Notes {
  readonly #reasons: string[] = [];

  add(reason: string): string {
    if (!this.#reasons.includes(reason)) this.#reasons.push(reason);
    return `[${this.#reasons.indexOf(reason) + 1}]`;
  }

  lines(): string[] {
    return this.#reasons.map((reason, i) => `[${i + 1}] ${reason}`);
  }
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}

export function describeCell(cell: Cell, notes: Notes): string {
  if (cell.type === 'left out') return `- ${notes.add(cell.reason)}`;
  const all = cell.passed + cell.holes.length;
  return cell.holes.length === 0 ? `${cell.passed}` : `HOLE ${cell.passed}/${all}`;
}
