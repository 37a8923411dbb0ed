/** The table in docs/conformance.md: the last run of each place, with its day. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Row } from './table.ts';
import { cellsOf, HEAD } from './table.ts';

const INTRODUCTION = `# Conformance

The same cases run with the platform's own WebSocket and with \`PQWebSocket\` and the polyfill, and what scripts and servers can see is compared.
*Equal*: the two showed the same. *Wanted difference*: each place where they differ is in
[wanted-differences.ts](../test/conformance/differential/wanted-differences.ts) or [wanted-engines.ts](../test/conformance/differential/wanted-engines.ts) with its
reason, most often that the engine strays from the standard where ours keeps to it; in the browsers nearly every case with an event has one, since
only the platform makes trusted events. *Different*: something is not explained. An entry that an engine of its list no longer needs fails the run.
Shared and service workers run a sample of the cases, dedicated ones the same with \`--short\`.

\`npm run conformance -- --write\` writes the rows of what it ran into this table; the others stay, each with the day of its run.

Pages that are left with an open socket and come back to (the back-forward cache), and https pages that ask for ws:// (mixed content), are compared in
test/browser/engines.test.ts. Not compared: proxies, and TLS to the server.
`;

/**
 * Puts the rows into the file's table, in place of those for the same places and classes.
 * @param file made when it is not there
 */
export async function writeRows(file: string, rows: readonly Row[], now: Date): Promise<void> {
  const old = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
  await writeFile(
    file,
    `${INTRODUCTION}\n${tableWith(
      old,
      rows.map((row) => [...cellsOf(row), now.toISOString().slice(0, 10)]),
    )}`,
  );
}

/** @returns the Markdown table of `old` with the new lines in it */
export function tableWith(old: string, lines: readonly (readonly string[])[]): string {
  const key = ([place, , variant]: readonly string[]): string => `${place}, ${variant}`;
  const known = old
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) => line.slice(2, -2).split(' | '));
  const byKey = new Map([...known, ...lines].map((line) => [key(line), line]));
  const sorted = [...byKey].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, line]) => line);
  const shown = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return `${shown([...HEAD, 'run on'])}|${'---|'.repeat(HEAD.length + 1)}\n${sorted.map(shown).join('')}`;
}
