/** `npm run interop`: builds the peers, runs every client against every server and the hostile peer against each. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { isCi } from '../../scripts/lib/ci.ts';
import { inTurns } from '../../scripts/lib/in-turns.ts';
import { run } from '../../scripts/lib/run.ts';
import { chromium } from './chromium.ts';
import type { Tally } from './hostile/run.ts';
import { playAll } from './hostile/run.ts';
import { original } from './original.ts';
import type { Cell } from './pairs.ts';
import { leftOut, runPair, VARIANTS } from './pairs.ts';
import type { Peer, Recipe, RunningServer } from './peers.ts';
import { BUILD_LIMIT_MS, hasTool, inProcess, prepareFolder, PROCESS_RECIPES, ROOT } from './peers.ts';
import { describeCell, hostileTable, Notes, table } from './table.ts';

const USAGE = `usage: npm run interop [-- [--ci] [--without NAME]... [--write]]
NAME is TypeScript, Go, Rust, Original or Chromium: its rows are left out, and the table says so.
--ci leaves out what npm test has elsewhere: the other backends, and hostile cases to TypeScript; and it is short: pairs without this
package at either end, Chromium to other servers than this package's, and tampering where records are as in the first column.
--write puts the tables into docs/interop.md, if they are full.`;
/** Each variant has a server of its own, and much of its time is waiting. */
const AT_ONCE = 3;
/** The family of this package's peers. */
const OURS = 'TypeScript';
const DEFAULT_BACKEND = 'TypeScript, node';
const DOCUMENT = path.join(ROOT, 'docs/interop.md');
const MARKS = ['<!-- written by npm run interop -- --write -->', '<!-- end -->'] as const;

interface Missing {
  readonly name: string;
  readonly reason: string;
}

interface Made {
  readonly peers: readonly Peer[];
  readonly missing: readonly Missing[];
}

/** A peer that cannot be made here is a hole in CI, and elsewhere is left out with its reason. */
async function makePeers(recipes: readonly Recipe[], without: readonly string[]): Promise<Made> {
  const peers: Peer[] = [];
  const missing: Missing[] = [];
  for (const recipe of recipes) {
    if (without.includes(recipe.name)) missing.push({ name: recipe.name, reason: 'left out by --without' });
    else if (recipe.tool !== undefined && !hasTool(recipe.tool)) {
      const reason = `there is no '${recipe.tool}' on PATH here`;
      if (isCi()) throw new Error(`${recipe.name}: ${reason}`);
      missing.push({ name: recipe.name, reason });
    } else {
      const start = performance.now();
      peers.push(...(await recipe.make()));
      console.log(`${recipe.name}: made in ${((performance.now() - start) / 1000).toFixed(1)} s`);
    }
  }
  return { peers, missing };
}

interface Row {
  readonly client: string;
  readonly server: string;
  readonly cells: readonly Cell[];
}

/** What `--ci` runs: this package beside each of the others, and its page beside its server. */
function isOfShortRuns(client: Peer, server: Peer): boolean {
  return server.family === OURS || client.family === OURS;
}

async function runPairs(peers: readonly Peer[], isShort: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  for (const server of peers.filter(({ features }) => features.server.length > 0)) {
    const running: RunningServer[] = [];
    try {
      for (const variant of VARIANTS) {
        // Without the feature nobody connects; the options may be unknown then.
        const options = server.features.server.includes(variant.feature) ? variant.server : [];
        running.push(await server.serve(options));
      }
      for (const client of peers) {
        if (isShort && !isOfShortRuns(client, server)) continue;
        const start = performance.now();
        const cells = await inTurns(VARIANTS, AT_ONCE, async (variant, i) => {
          return (
            leftOut(variant, client, server) ?? (await runPair(variant, client, running[i] as RunningServer, isShort))
          );
        });
        // Of a pair that has no profile in common there is nothing to say.
        if (cells.every(({ type }) => type === 'left out')) continue;
        rows.push({ client: client.name, server: server.name, cells });
        console.log(`${client.name} to ${server.name}: done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
      }
    } finally {
      await Promise.all(running.map((each) => each.stop()));
    }
  }
  return rows;
}

interface Pages {
  /** Whose page a browser has talked through. */
  readonly talked: readonly string[];
  readonly holes: readonly string[];
}

/** The page of examples/page, which each peer in another language serves itself. */
async function tryPages(peers: readonly Peer[]): Promise<Pages> {
  const [talked, holes]: [string[], string[]] = [[], []];
  for (const server of peers.filter(({ features }) => features.server.includes('page'))) {
    for (const browser of peers) {
      if (browser.tryPage === undefined) continue;
      const running = await server.serve(['--page', ROOT]);
      const problem = await browser.tryPage(`http://127.0.0.1:${running.port}/page`);
      await running.stop();
      const names = `${browser.name} to ${server.name}`;
      if (problem === undefined) talked.push(names);
      else holes.push(`${names}: the page: ${problem}`);
    }
  }
  return { talked, holes };
}

/** What the pages load. */
async function buildScript(): Promise<void> {
  if (existsSync(path.join(ROOT, 'dist/pq-websocket.polyfill.min.js'))) return;
  await run('npm', ['run', '--silent', 'build'], { cwd: ROOT, timeout: BUILD_LIMIT_MS });
}

interface Report {
  /** Markdown. */
  readonly text: string;
  readonly holes: readonly string[];
}

function report(rows: readonly Row[], tallies: readonly Tally[], pages: Pages, missing: readonly Missing[]): Report {
  const notes = new Notes();
  const holes = [...tallies.flatMap((tally) => tally.holes), ...pages.holes];
  const lines = rows.map(({ client, server, cells }) => {
    for (const [i, cell] of cells.entries()) {
      if (cell.type !== 'run') continue;
      for (const hole of cell.holes)
        holes.push(`${client} to ${server}, ${VARIANTS[i]?.name ?? ''}: ${hole.case}: ${hole.detail}`);
    }
    return [client, server, ...cells.map((cell) => describeCell(cell, notes))];
  });
  const pairs = table(['client', 'server', ...VARIANTS.map(({ name }) => name)], lines);
  const hostile = hostileTable(tallies, notes);
  const gone = missing.map(({ name, reason }) => `- Not here: ${name}: ${reason}`);
  const talked =
    pages.talked.length > 0
      ? [`The page that each of these serves itself, with what it echoes: ${pages.talked.join(', ')}.`, '']
      : [];
  return { text: [pairs, '', ...talked, hostile, '', ...notes.lines(), ...gone].join('\n'), holes };
}

/**
 * The implementations, each once: configurations of one refuse alike, and have their own tests. What stands for the original
 * system is a few lines that show how it was used, and judges little.
 */
async function playHostile(peers: readonly Peer[]): Promise<Tally[]> {
  const tallies: Tally[] = [];
  for (const peer of peers) {
    if (peer.family === 'Original') continue;
    if (peer.family === 'TypeScript' && tallies.some(({ name }) => name === 'TypeScript')) continue;
    const start = performance.now();
    tallies.push(await playAll(peer.family === 'TypeScript' ? await inProcess() : peer));
    console.log(`hostile to ${peer.family}: done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
  return tallies;
}

/** Puts the tables between the marks of docs/interop.md. */
function writeDocument(text: string): void {
  const before = readFileSync(DOCUMENT, 'utf8');
  const [start, end] = [before.indexOf(MARKS[0]), before.indexOf(MARKS[1])];
  if (start < 0 || end < start) throw new Error('docs/interop.md has no place for the tables');
  writeFileSync(DOCUMENT, `${before.slice(0, start + MARKS[0].length)}\n\n${text}\n\n${before.slice(end)}`);
}

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  let given: { ci: boolean; without: string[]; write: boolean };
  try {
    given = parseArgs({
      args: [...args],
      options: {
        ci: { type: 'boolean', default: false },
        without: { type: 'string', multiple: true, default: [] },
        write: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  prepareFolder();
  const closing: (() => Promise<void>)[] = [];
  try {
    const recipes = [...PROCESS_RECIPES, original, chromium((close) => closing.push(close))];
    const { peers: all, missing } = await makePeers(recipes, given.without);
    const peers = given.ci ? all.filter(({ name, family }) => family !== OURS || name === DEFAULT_BACKEND) : all;
    const rows = await runPairs(peers, given.ci);
    if (rows.length === 0) throw new Error('no pair ran');
    const tallies = await playHostile(given.ci ? peers.filter(({ family }) => family !== OURS) : peers);
    await buildScript();
    const pages = await tryPages(peers);
    const { text, holes } = report(rows, tallies, pages, missing);
    console.log(`\n${text}\n`);
    for (const hole of holes) console.error(`hole: ${hole}`);
    console.log(`${rows.length} pairs, ${tallies.length} implementations attacked, ${holes.length} holes`);
    if (given.write && !given.ci && holes.length === 0 && missing.length === 0) writeDocument(text);
    return holes.length === 0 ? 0 : 1;
  } finally {
    for (const close of closing) await close();
  }
}
