/** Runs one row in a process of its own, where the packed package and the library are installed: `node run-row.ts NAME`. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { OPCODE, sealProblems, startTap } from '../support/tap.ts';
import type { Tap } from '../support/tap.ts';
import type { RowContext, RowModule, RowReport } from './report.ts';

const CASE_LIMIT_MS = 60_000;

function versionOf(library: string): string {
  const file = findPackageJSON(library, import.meta.url);
  if (file === undefined) throw new Error(`${library} is not installed`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Both hellos are text; everything else is sealed, or a leak. */
function sealedBytes(taps: readonly Tap[]): number {
  const frames = taps.flatMap((tap) => tap.connections.flatMap((connection) => connection.frames));
  return frames
    .filter(({ opcode }) => opcode === OPCODE.binary || opcode === OPCODE.continuation)
    .reduce((bytes, { payload }) => bytes + payload.length, 0);
}

async function within<T>(limit: number, act: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not done after ${limit} ms`));
    }, limit);
  });
  try {
    return await Promise.race([act(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

function shown(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : (JSON.stringify(error) ?? String(error));
}

/** Runs the cases in their order, and judges what all taps saw when they are over. */
export async function runRow(row: RowModule): Promise<RowReport> {
  const secrets: (string | Uint8Array)[] = [];
  const taps: Tap[] = [];
  const hidden: Pick<RowContext, 'secret' | 'hide'> = {
    hide: (text) => {
      secrets.push(text);
    },
    secret: (label = 'secret') => {
      const text = `${label}-${randomUUID()}`;
      secrets.push(text);
      return text;
    },
  };
  const openTap = async (port: number, judged = true): Promise<Tap> => {
    const tap = await startTap(port);
    if (judged) taps.push(tap);
    return tap;
  };
  const server = await within(CASE_LIMIT_MS, () => row.start(hidden));
  const tap = await openTap(server.port);
  const context: RowContext = { ...hidden, server, tap, url: tap.url, openTap };
  const cases: { name: string; error?: string }[] = [];
  for (const [name, run] of Object.entries(row.cases)) {
    try {
      await within(CASE_LIMIT_MS, () => run(context));
      cases.push({ name });
    } catch (error) {
      cases.push({ name, error: shown(error) });
    }
  }
  const leaks = taps.flatMap((each) => {
    try {
      return sealProblems(each, [...secrets, ...row.words]);
    } catch (error) {
      return [(error as Error).message];
    }
  });
  const { library, with: others = [], runtime, page, side, plug } = row;
  const versions = Object.fromEntries([library, ...others].map((name) => [name, versionOf(name)]));
  const about = {
    library,
    version: versionOf(library),
    versions,
    page,
    side,
    plug,
    ...(runtime !== undefined && { runtime }),
  };
  return { ...about, cases, bytesSealed: sealedBytes(taps), leaks };
}

/** The whole report of a row, with what nobody caught. */
async function reportRow(name: string): Promise<RowReport> {
  const uncaught: unknown[] = [];
  for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, (error) => uncaught.push(error));
  const { default: row } = (await import(`./rows/${name}.js`)) as { default: RowModule };
  const report = await runRow(row);
  return {
    ...report,
    cases: [...report.cases, ...uncaught.map((error) => ({ name: 'nothing is uncaught', error: shown(error) }))],
  };
}

const [, , name] = process.argv;
if (name !== undefined) {
  try {
    const report = await reportRow(name);
    // Libraries keep timers and sockets; the row is over.
    process.stdout.write(`REPORT ${JSON.stringify(report)}\n`, () => process.exit());
  } catch (error) {
    process.stderr.write(`${shown(error)}\n`, () => process.exit(1));
  }
}
