/** `npm run interop`: builds the peers, runs every client against every server, and prints what came of it. */
import { parseArgs } from 'node:util';
import { chromium } from './chromium.ts';
import type { Cell } from './pairs.ts';
import { leftOut, runPair, VARIANTS } from './pairs.ts';
import type { Peer, Recipe, RunningServer } from './peers.ts';
import { hasTool, prepareFolder, PROCESS_RECIPES } from './peers.ts';
import { describeCell, Notes, table } from './table.ts';

const USAGE = `usage: npm run interop [-- --without NAME ...]
NAME is TypeScript, Go, Rust or Chromium: its rows are left out, and the table says so.`;

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
      if ((process.env['CI'] ?? '') !== '') throw new Error(`${recipe.name}: ${reason}`);
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

async function runPairs(peers: readonly Peer[]): Promise<Row[]> {
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
        const cells: Cell[] = [];
        for (const [i, variant] of VARIANTS.entries()) {
          cells.push(leftOut(variant, client, server) ?? (await runPair(variant, client, running[i] as RunningServer)));
        }
        rows.push({ client: client.name, server: server.name, cells });
        console.log(`${client.name} to ${server.name}: done`);
      }
    } finally {
      await Promise.all(running.map((each) => each.stop()));
    }
  }
  return rows;
}

function report(rows: readonly Row[], missing: readonly Missing[]): { text: string; holes: string[] } {
  const notes = new Notes();
  const holes: string[] = [];
  const lines = rows.map(({ client, server, cells }) => {
    for (const [i, cell] of cells.entries()) {
      if (cell.type !== 'run') continue;
      for (const hole of cell.holes) holes.push(`${client} to ${server}, ${VARIANTS[i]?.name ?? ''}: ${hole.case}: ${hole.detail}`);
    }
    return [client, server, ...cells.map((cell) => describeCell(cell, notes))];
  });
  const head = ['client', 'server', ...VARIANTS.map(({ name }) => name)];
  const gone = missing.map(({ name, reason }) => `Not here: ${name}: ${reason}`);
  return { text: [table(head, lines), '', ...notes.lines(), ...gone].join('\n'), holes };
}

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  let without: string[];
  try {
    ({ without } = parseArgs({ args: [...args], options: { without: { type: 'string', multiple: true, default: [] } } }).values);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  prepareFolder();
  const closing: (() => Promise<void>)[] = [];
  try {
    const recipes = [...PROCESS_RECIPES, chromium((close) => closing.push(close))];
    const { peers, missing } = await makePeers(recipes, without);
    const rows = await runPairs(peers);
    if (rows.length === 0) throw new Error('no pair ran');
    const { text, holes } = report(rows, missing);
    console.log(`\n${text}\n`);
    for (const hole of holes) console.error(`hole: ${hole}`);
    console.log(`${rows.length} pairs, ${holes.length} holes`);
    return holes.length === 0 ? 0 : 1;
  } finally {
    for (const close of closing) await close();
  }
}
