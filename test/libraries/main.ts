/** `npm run integrations`: each library in an application of its own, over our sockets, with taps on the wire. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { inTurns } from '../../scripts/lib/in-turns.ts';
import type { App } from './app.ts';
import { prepareApp, rowNames } from './app.ts';
import { staleDocs, writeDocs } from './docs.ts';
import type { RowReport } from './report.ts';
import type { Row } from './table.ts';
import { printTable, problems } from './table.ts';

const ROW_LIMIT_MS = 240_000;
/** Rows that run at the same time. Most of them wait. */
const JOBS = 3;

/** @returns what follows `REPORT ` on a line of its output */
function reportOf(app: App, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const cwd = path.join(app.folder, 'test/libraries');
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      cwd,
      env: { ...process.env, ...app.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    const timer = setTimeout(() => child.kill('SIGKILL'), ROW_LIMIT_MS);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const line = /^REPORT (.*)$/m.exec(output)?.[1];
      if (line !== undefined) resolve(line);
      else reject(new Error(`ended with ${signal ?? code} and no report:\n${output.slice(-3000)}`));
    });
  });
}

function runRows(app: App, names: readonly string[]): Promise<Row[]> {
  return inTurns(names, JOBS, async (name) => {
    const result = await reportOf(app, ['run-row.ts', name]).then(
      (line) => JSON.parse(line) as RowReport,
      (error: unknown) => error as Error,
    );
    return { name, result };
  });
}

/** Plain `ws` through the same judge: what it says must be reported. */
async function judgeIsAwake(app: App): Promise<boolean> {
  const { ways, unnoticed } = JSON.parse(await reportOf(app, ['control.ts'])) as { ways: number; unnoticed: string[] };
  console.log(`control: plain ws said something in ${ways} ways, ${ways - unnoticed.length} reported as leaks`);
  for (const way of unnoticed) console.error(`control: not noticed in clear: ${way}`);
  return unnoticed.length === 0 && ways > 0;
}

/**
 * `--only NAME` (a file of rows/, more than once) runs a part; `--write` writes the table into docs/integrations.
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string', multiple: true, default: [] }, write: { type: 'boolean', default: false } },
  });
  const all = await rowNames();
  const unknown = values.only.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    console.error(`no row is named ${unknown.join(', ')}: there are ${all.join(', ')}`);
    return 2;
  }
  const app = await prepareApp();
  try {
    const awake = await judgeIsAwake(app);
    const rows = await runRows(app, values.only.length === 0 ? all : values.only);
    printTable(rows);
    if (!awake || rows.some((row) => problems(row).length > 0)) return 1;
    // A part of the rows says nothing about the table.
    if (values.only.length > 0) return 0;
    if (values.write) writeDocs(rows);
    const stale = staleDocs(rows);
    for (const line of stale) console.error(line);
    return stale.length === 0 ? 0 : 1;
  } finally {
    await app.remove();
  }
}
