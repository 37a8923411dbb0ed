/** The script tag's files: the polyfill, and beside it the parts that few pages need, with the hash of each. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { build } from 'esbuild';
import type { BuildOptions } from 'esbuild';
import { MANGLED_PROPERTIES } from './mangled.ts';
import { minified } from './minify.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

export const POLYFILL = 'pq-websocket.polyfill.min.js';
const ENTRY = 'src/polyfill-script.ts';

/** The parts that the polyfill loads by itself, by their names in src/platform/script/registry.ts. */
const LOADED_PARTS = ['kem', 'portable', 'ml-dsa', 'extensions', 'yellowpages', 'inspect'] as const;
/** Of those that rooms further left make. */
const ENTRIES: Readonly<Partial<Record<string, string>>> = { inspect: 'src/inspect-script.ts' };

/** For pages without a bundler: everything in one file, which loads nothing. What `unpkg` and `jsdelivr` of package.json give is the script. */
export const BROWSER_MODULE = 'pq-websocket.browser.min.js';
export const GLOBAL_SCRIPT = 'pq-websocket.global.min.js';

/** As src/platform/script/parts.ts has it. */
const fileOf = (part: string): string => `pq-websocket.${part}.min.js`;

const SCRIPT_TAG: BuildOptions = { format: 'iife', conditions: ['browser', 'script-tag'] };

export interface ScriptTag {
  /** Contents by file name, source maps included. */
  readonly files: Readonly<Record<string, string>>;
  /** For each script: what goes into the tag's attribute `integrity`. */
  readonly integrity: Readonly<Record<string, string>>;
}

/** SHA-384, as Subresource Integrity writes it. */
export function integrityOf(content: string): string {
  return `sha384-${createHash('sha384').update(content).digest('base64')}`;
}

/** Builds all of it; the same sources give the same bytes. */
export async function buildScriptTag(): Promise<ScriptTag> {
  const files: Record<string, string> = {};
  // One for all: they hand each other objects.
  const mangleCache: Record<string, string | false> = {};
  const integrity: Record<string, string> = {};
  const add = async (name: string, entry: string, options: BuildOptions): Promise<void> => {
    const { code, map } = await bundled(entry, options, mangleCache);
    const result = await minified(code, map, name, options.format === 'esm', name === POLYFILL);
    files[name] = result.code;
    files[`${name}.map`] = result.map;
    integrity[name] = integrityOf(result.code);
  };
  // What every page loads comes first, so that its commonest members get the shortest names.
  await bundled(ENTRY, { ...SCRIPT_TAG, define: { SCRIPT_PARTS: '{}' } }, mangleCache);
  const parts: Record<string, string> = {};
  for (const part of LOADED_PARTS) {
    await add(fileOf(part), ENTRIES[part] ?? `src/platform/script/part-${part}.ts`, SCRIPT_TAG);
    // Shorter than the one for people's tags: every page has it.
    parts[part] = createHash('sha256')
      .update(files[fileOf(part)] ?? '')
      .digest('base64');
  }
  // A page names it itself.
  await add(fileOf('stream'), 'src/stream-script.ts', SCRIPT_TAG);
  const define = { SCRIPT_PARTS: JSON.stringify(parts) };
  await add(POLYFILL, ENTRY, { ...SCRIPT_TAG, define });
  await add(BROWSER_MODULE, 'src/index.ts', { format: 'esm', conditions: ['browser'] });
  await add(GLOBAL_SCRIPT, 'src/global-script.ts', { format: 'iife', conditions: ['browser'] });
  return { files, integrity: Object.fromEntries(Object.entries(integrity).sort()) };
}

async function bundled(
  entry: string,
  options: BuildOptions,
  mangleCache: Record<string, string | false>,
): Promise<{ readonly code: string; readonly map: string }> {
  const { outputFiles = [], mangleCache: mangled } = await build({
    entryPoints: [entry],
    absWorkingDir: ROOT,
    outdir: 'dist',
    bundle: true,
    write: false,
    platform: 'browser',
    target: 'es2022',
    ...options,
    minify: true,
    mangleProps: MANGLED_PROPERTIES,
    mangleCache,
    sourcemap: 'external',
    logLevel: 'error',
  });
  Object.assign(mangleCache, mangled);
  const find = (extension: string): string => {
    const file = outputFiles.find(({ path: name }) => name.endsWith(extension));
    if (file === undefined) throw new Error(`esbuild made no ${extension} of ${entry}`);
    return file.text;
  };
  return { code: find('.js'), map: find('.map') };
}
