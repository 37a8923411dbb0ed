import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { MinifyOptions } from 'terser';
import { minify } from 'terser';

const { version } = createRequire(import.meta.url)('terser/package.json') as { version: string };
/** What came of a code before, by the hash of all that it depends on: a dozen test files build the same scripts. */
const CACHE = path.resolve(import.meta.dirname, '../../.cache/minified');

/**
 * How what browsers load is minified. Whatever is observable stays: no property is renamed, nothing is taken for free of
 * effects that is not marked so, and the classes set their own names. Functions stand together: gzip finds more of one in the next.
 */
const BASE = {
  ecma: 2020,
  module: true,
  compress: { passes: 3, ecma: 2020, hoist_funs: true },
  format: { comments: false },
} satisfies MinifyOptions;

/**
 * Of scripts, which pages load as they stand there. What terser makes shorter by saying it in another way gzip no longer finds in what was
 * said before: so it goes over them once, and puts few functions into their callers.
 */
export const MINIFY: MinifyOptions = {
  ...BASE,
  compress: { ...BASE.compress, passes: 1, inline: 1, lhs_constants: false },
};

/**
 * Of modules, which a page's bundler takes apart: what it may leave out stays marked, and a function is not put into its
 * only caller.
 */
export const MINIFY_MODULES: MinifyOptions = {
  ...BASE,
  compress: { ...BASE.compress, reduce_funcs: false },
  format: { ...BASE.format, preserve_annotations: true },
};

export interface Minified {
  readonly code: string;
  readonly map: string;
}

/**
 * @param map of `code`, JSON; the result's is of the same sources
 * @param module whether the code is a module, and no classic script
 */
export async function minified(code: string, map: string, name: string, module: boolean): Promise<Minified> {
  const key = createHash('sha256')
    .update(JSON.stringify([version, MINIFY, code, map, name, module]))
    .digest('hex');
  const file = path.join(CACHE, key);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Minified;
  } catch {
    // Not there, or half of it: it is made.
  }
  const result = await minify(code, {
    // A copy: terser writes into what it is given.
    ...structuredClone(MINIFY),
    module,
    // No comment that points to it: it stays in the repository.
    sourceMap: { content: map, filename: name, includeSources: true },
  });
  if (result.code === undefined || typeof result.map !== 'string') throw new Error(`terser made nothing of ${name}`);
  const made = { code: result.code, map: result.map };
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(made));
  renameSync(`${file}.${process.pid}`, file);
  return made;
}
