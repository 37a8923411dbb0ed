/**
 * What each entry point costs a page: minified, gzipped, with all of its dependencies.
 *
 *   now     what a page loads before it needs more: the static graph, as one chunk
 *   later   what each import() adds where it is needed, as a chunk of its own
 *   single  everything in one file, for a bundler that splits nothing
 *
 * `now` is what the budget is for.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'esbuild';
import { build } from 'esbuild';
import { POLYFILL } from './script-tag.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Bytes. Where the goal is not reached, `most` keeps what is. */
interface Budget {
  readonly goal?: number;
  readonly most?: number;
}

const ENTRIES: Readonly<Record<string, Budget>> = {
  index: { goal: 20_000, most: 26_000 },
  native: { most: 18_600 },
  polyfill: { most: 26_500 },
  server: {},
  msw: {},
  nitro: {},
};
const SCRIPTS: Readonly<Record<string, Budget>> = {
  [POLYFILL]: { goal: 21_000, most: 26_500 },
  'pq-websocket.portable.min.js': {},
  'pq-websocket.ml-dsa.min.js': {},
  'pq-websocket.yellowpages.min.js': {},
};

const PARTS = [
  ['KEM', /@noble\/(post-quantum|curves)\/|@noble\/hashes\/(sha3|_u64|utils)/],
  ['AEAD', /@noble\/ciphers\//],
  ['hash', /@noble\/hashes\//],
  ['other', /node_modules\//],
  ['ours', /./],
] as const;

const noImports: Plugin = {
  name: 'import() stays',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ kind, path: name }) => (kind === 'dynamic-import' ? { path: name, external: true } : undefined));
  },
};

interface Measured {
  readonly raw: number;
  readonly gzipped: number;
  /** Minified bytes, by where they are from. */
  readonly parts: Readonly<Record<string, number>>;
}

async function measure(entry: string, plugins: readonly Plugin[]): Promise<Measured> {
  const { outputFiles, metafile } = await build({
    entryPoints: [path.join(ROOT, 'dist/web', `${entry}.js`)],
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    // msw and react are the application's.
    external: ['msw', 'react'],
    plugins: [...plugins],
    logLevel: 'error',
  });
  const parts: Record<string, number> = {};
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      const [part] = PARTS.find(([, pattern]) => pattern.test(input)) ?? ['ours'];
      parts[part] = (parts[part] ?? 0) + bytesInOutput;
    }
  }
  const content = outputFiles[0]?.contents ?? new Uint8Array(0);
  return { raw: content.length, gzipped: gzipSync(content, { level: 9 }).length, parts };
}

interface Row {
  readonly name: string;
  readonly now: Measured;
  readonly single: number | undefined;
  readonly budget: Budget;
}

const kB = (bytes: number): string => `${(bytes / 1000).toFixed(1)}`;

function line({ name, now, single, budget }: Row): string {
  const parts = Object.entries(now.parts)
    .sort()
    .map(([part, bytes]) => `${part} ${kB(bytes)}`)
    .join(', ');
  const goal = budget.goal === undefined ? '' : `goal ${kB(budget.goal)}`;
  return [name.padEnd(34), kB(now.gzipped).padStart(6), kB(now.raw).padStart(7), (single === undefined ? '' : kB(single)).padStart(7), goal.padEnd(10), parts].join('  ');
}

/** Measures what stands in dist/ and prints the table. @returns whether all of it is within its budget */
export async function reportSizes(): Promise<boolean> {
  const rows: Row[] = [];
  for (const [name, budget] of Object.entries(ENTRIES)) {
    const [now, all] = await Promise.all([measure(name, [noImports]), measure(name, [])]);
    rows.push({ name: name === 'index' ? 'pq-websocket' : `pq-websocket/${name}`, now, single: all.gzipped, budget });
  }
  for (const [name, budget] of Object.entries(SCRIPTS)) {
    const content = readFileSync(path.join(ROOT, 'dist', name));
    rows.push({ name, now: { raw: content.length, gzipped: gzipSync(content, { level: 9 }).length, parts: {} }, single: undefined, budget });
  }
  console.log('Sizes in kB (1000 bytes), with all dependencies. now: loaded at once, gzipped. raw: the same, minified only.');
  console.log('one file: gzipped, from a bundler that splits nothing, with every part that is otherwise loaded when it is needed.\n');
  console.log(['entry point'.padEnd(34), 'now'.padStart(6), 'raw'.padStart(7), 'one file'.padStart(7), 'goal'.padEnd(9), 'what its raw bytes are'].join('  '));
  let within = true;
  for (const row of rows) {
    console.log(line(row));
    const most = row.budget.most ?? Infinity;
    if (row.now.gzipped > most) {
      within = false;
      console.error(`  ${row.name}: ${row.now.gzipped} bytes are more than the ${most} that it may have`);
    }
    const { goal } = row.budget;
    if (goal !== undefined && row.now.gzipped > goal) console.log(`  ${row.name} misses its goal by ${kB(row.now.gzipped - goal)} kB`);
  }
  return within;
}
