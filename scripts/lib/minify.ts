import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { MinifyOptions } from 'terser';
import { minify } from 'terser';
import { bestOrder } from './function-order.ts';

const { version } = createRequire(import.meta.url)('terser/package.json') as { version: string };
/** How functions are put in order. */
const ORDER = path.join(import.meta.dirname, 'function-order.ts');
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

/** What of terser's tree is used here. Its types do not have it. */
interface Node {
  readonly TYPE: string;
  print_to_string(): string;
}
interface Scope extends Node {
  body: Node[];
}

/**
 * @param map of `code`, JSON; the result's is of the same sources
 * @param module whether the code is a module, and no classic script
 * @param isFirst whether it is a script whose every byte counts
 */
export async function minified(
  code: string,
  map: string,
  name: string,
  module: boolean,
  isFirst: boolean,
): Promise<Minified> {
  const key = createHash('sha256')
    .update(JSON.stringify([version, MINIFY, readFileSync(ORDER, 'utf8'), code, map, name, module, isFirst]))
    .digest('hex');
  const file = path.join(CACHE, key);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Minified;
  } catch {
    // Not there, or half of it: it is made.
  }
  // Copies: terser writes into what it is given.
  const options = { ...structuredClone(MINIFY), module };
  const { ast } = (await minify(code, { ...options, format: { ...options.format, ast: true } as object })) as {
    readonly ast: Scope;
  };
  if (isFirst) orderFunctions(ast);
  const result = await minify(ast as unknown as string, {
    ...options,
    compress: false,
    mangle: false,
    // No comment that points to it: it stays in the repository.
    sourceMap: { content: map, filename: name },
  });
  if (result.code === undefined || typeof result.map !== 'string') throw new Error(`terser made nothing of ${name}`);
  const made = { code: result.code, map: withContents(result.map, map) };
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(made));
  renameSync(`${file}.${process.pid}`, file);
  return made;
}

interface SourceMap {
  readonly sources: readonly string[];
  readonly sourcesContent?: readonly string[];
}

/** A map with the sources themselves, which terser leaves out where it is given a tree. */
function withContents(map: string, original: string): string {
  const { sources, sourcesContent = [] } = JSON.parse(original) as SourceMap;
  const made = JSON.parse(map) as SourceMap;
  return JSON.stringify({ ...made, sourcesContent: made.sources.map((name) => sourcesContent[sources.indexOf(name)]) });
}

/** Of the function that the script is. */
function orderFunctions(script: Scope): void {
  const call = script.body.at(-1) as Node & { readonly body: { readonly expression: Scope } };
  const { expression: scope } = call.body;
  const functions = new Map<string, Node>();
  for (const node of scope.body) if (node.TYPE === 'Defun') functions.set(node.print_to_string(), node);
  const ordered = bestOrder([...functions.keys()]).map((text) => functions.get(text) as Node);
  scope.body = [...ordered, ...scope.body.filter(({ TYPE }) => TYPE !== 'Defun')];
}
