/**
 * What each entry point costs a page: minified, gzipped, with all of its dependencies.
 *
 *   now       what every page loads: the static graph, as one chunk. The budget is for this.
 *   + KEM     what an engine without ML-KEM-768 of its own loads beside it with its first connection
 *   one file  everything in one file, for a bundler that splits nothing
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { BuildOptions, Plugin } from 'esbuild';
import { build } from 'esbuild';
import { BROWSER_MODULE, GLOBAL_SCRIPT, POLYFILL } from './script-tag.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/**
 * The most bytes that it may have, gzipped; undefined where nothing is promised. A ratchet, below what is wanted: 20,000
 * for the client and 21,000 for the script (docs/sizes.md).
 */
type Budget = number | undefined;

const ENTRIES: Readonly<Record<string, Budget>> = {
  index: 19_700,
  native: 19_650,
  polyfill: 20_300,
  stream: undefined,
  server: undefined,
  msw: undefined,
};
const KEM_SCRIPT = 'pq-websocket.kem.min.js';
/** With the source that each is made of, and the condition beside `browser` where it is not the script tag's. */
const SCRIPTS: Readonly<Record<string, readonly [entry: string, budget: Budget, conditions?: readonly string[]]>> = {
  // With what `data-pq-inspect` loads its part by.
  [POLYFILL]: ['src/polyfill-script.ts', 20_750],
  [KEM_SCRIPT]: ['src/platform/script/part-kem.ts', undefined],
  'pq-websocket.portable.min.js': ['src/platform/script/part-portable.ts', undefined],
  'pq-websocket.ml-dsa.min.js': ['src/platform/script/part-ml-dsa.ts', undefined],
  'pq-websocket.extensions.min.js': ['src/platform/script/part-extensions.ts', undefined],
  'pq-websocket.stream.min.js': ['src/stream-script.ts', 6_000],
  'pq-websocket.yellowpages.min.js': ['src/platform/script/part-yellowpages.ts', undefined],
  [BROWSER_MODULE]: ['src/index.ts', undefined, ['browser']],
  [GLOBAL_SCRIPT]: ['src/global-script.ts', undefined, ['browser']],
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
    onResolve({ filter: /./ }, ({ kind, path: name }) =>
      kind === 'dynamic-import' ? { path: name, external: true } : undefined,
    );
  },
};

interface Measured {
  readonly raw: number;
  readonly gzipped: number;
  /** Minified bytes, by where they are from. */
  readonly parts: Readonly<Record<string, number>>;
}

const OPTIONS: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  legalComments: 'none',
  // msw and react are the application's.
  external: ['msw', 'react'],
  logLevel: 'error',
};
const BUILT = { write: false, metafile: true } as const;

const gzipped = (content: Uint8Array): number => gzipSync(content, { level: 9 }).length;

async function measure(entry: string, options: BuildOptions): Promise<Measured> {
  const { outputFiles, metafile } = await build({
    ...OPTIONS,
    ...options,
    ...BUILT,
    entryPoints: [path.join(ROOT, entry)],
  });
  const parts: Record<string, number> = {};
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      const [part] = PARTS.find(([, pattern]) => pattern.test(input)) ?? ['ours'];
      parts[part] = (parts[part] ?? 0) + bytesInOutput;
    }
  }
  const content = outputFiles[0]?.contents ?? new Uint8Array(0);
  return { raw: content.length, gzipped: gzipped(content), parts };
}

/** What the import() of the portable ML-KEM adds to a page that has the entry's chunks, undefined where it has none. */
async function kemOf(entry: string): Promise<number | undefined> {
  const { outputFiles, metafile } = await build({
    ...OPTIONS,
    ...BUILT,
    entryPoints: [path.join(ROOT, entry)],
    splitting: true,
    outdir: 'chunks',
  });
  const { outputs } = metafile;
  const reach = (from: string, seen: Set<string>): Set<string> => {
    if (seen.has(from)) return seen;
    seen.add(from);
    for (const { path: to, kind } of outputs[from]?.imports ?? []) if (kind === 'import-statement') reach(to, seen);
    return seen;
  };
  const outputOf = (pattern: RegExp): string | undefined =>
    Object.keys(outputs).find((name) => pattern.test(outputs[name]?.entryPoint ?? ''));
  const kem = outputOf(/\/kem-[^/]*\.js$/);
  if (kem === undefined) return undefined;
  const present = reach(outputOf(new RegExp(`${entry}$`)) as string, new Set());
  const added = [...reach(kem, new Set())].filter((name) => !present.has(name));
  const contents = added.map(
    (name) => outputFiles.find((file) => file.path === path.join(ROOT, name))?.contents as Uint8Array,
  );
  return contents.reduce((sum, content) => sum + gzipped(content), 0);
}

interface Row {
  readonly name: string;
  readonly now: Measured;
  readonly kem: number | undefined;
  readonly single: number | undefined;
  readonly budget: Budget;
}

const kB = (bytes: number | undefined): string => (bytes === undefined ? '' : (bytes / 1000).toFixed(1));

function line({ name, now, kem, single, budget }: Row): string {
  const parts = Object.entries(now.parts)
    .sort()
    .map(([part, bytes]) => `${part} ${kB(bytes)}`)
    .join(', ');
  return columns(name, kB(now.gzipped), kB(budget), kB(kem), kB(now.raw), kB(single), parts);
}

function columns(
  name: string,
  now: string,
  budget: string,
  kem: string,
  raw: string,
  single: string,
  parts: string,
): string {
  return [
    name.padEnd(34),
    now.padStart(6),
    budget.padStart(6),
    kem.padStart(6),
    raw.padStart(7),
    single.padStart(8),
    parts,
  ].join('  ');
}

async function measureAll(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, budget] of Object.entries(ENTRIES)) {
    const entry = `dist/web/${name}.js`;
    const [now, all] = await Promise.all([measure(entry, { plugins: [noImports] }), measure(entry, {})]);
    const kem = now.parts['KEM'] === undefined ? await kemOf(entry) : undefined;
    rows.push({
      name: name === 'index' ? 'pq-websocket' : `pq-websocket/${name}`,
      now,
      kem,
      single: all.gzipped,
      budget,
    });
  }
  const define = { SCRIPT_PARTS: '{}' };
  for (const [name, [entry, budget, conditions = ['browser', 'script-tag']]] of Object.entries(SCRIPTS)) {
    const content = readFileSync(path.join(ROOT, 'dist', name));
    const { parts } = await measure(entry, { format: 'iife', conditions: [...conditions], define });
    const kem = name === POLYFILL ? gzipped(readFileSync(path.join(ROOT, 'dist', KEM_SCRIPT))) : undefined;
    rows.push({ name, now: { raw: content.length, gzipped: gzipped(content), parts }, kem, single: undefined, budget });
  }
  return rows;
}

/** Measures what stands in dist/ and prints the table. @returns whether all of it is within its budget */
export async function reportSizes(): Promise<boolean> {
  const rows = await measureAll();
  console.log(
    'Sizes in kB (1000 bytes), gzipped, with all dependencies. now: what every page loads. raw: the same, minified only.',
  );
  console.log('+ KEM: what an engine without ML-KEM-768 of its own loads beside it, once, with its first connection.');
  console.log(
    'one file: from a bundler that splits nothing, with every part that is otherwise loaded when it is needed.\n',
  );
  console.log(columns('entry point', 'now', 'budget', '+ KEM', 'raw', 'one file', 'what its raw bytes are'));
  for (const row of rows) console.log(line(row));
  console.log('');
  for (const { name, now, kem } of rows) {
    if (kem === undefined || (name !== 'pq-websocket' && name !== POLYFILL)) continue;
    console.log(
      `${name}: ${kB(now.gzipped)} where the engine has ML-KEM-768 (Chromium), ${kB(now.gzipped + kem)} where it has none (Firefox, WebKit)`,
    );
  }
  const over = rows.filter(({ now, budget }) => now.gzipped > (budget ?? Infinity));
  for (const { name, now, budget } of over)
    console.error(`${name}: ${now.gzipped} bytes are more than its budget of ${budget}`);
  return over.length === 0;
}
