import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { MinifyOptions } from 'terser';
import { minify } from 'terser';
import type { Order } from './declaration-order.ts';
import { bestOrder } from './declaration-order.ts';

const { version } = createRequire(import.meta.url)('terser/package.json') as { version: string };
/** How declarations are put in order. */
const ORDER = ['declaration-order.ts', 'minify.ts'].map((name) => path.join(import.meta.dirname, name));
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
interface Var extends Node {
  definitions: Definition[];
}
interface Definition extends Node {
  readonly value?: Node;
}
interface ClassDefinition extends Definition {
  readonly value: Node & { readonly extends?: Node; properties: Member[] };
}
interface Member extends Node {
  readonly static?: boolean;
  computed_key(): boolean;
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
    .update(
      JSON.stringify([
        version,
        MINIFY,
        ORDER.map((file) => readFileSync(file, 'utf8')),
        code,
        map,
        name,
        module,
        isFirst,
      ]),
    )
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
  if (isFirst) orderDeclarations(ast);
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

/** Of the function that the script is: functions first, then classes whose definition runs nothing, then the rest as it was. */
function orderDeclarations(script: Scope): void {
  const call = script.body.at(-1) as Node & { readonly body: { readonly expression: Scope } };
  const { expression: scope } = call.body;
  const functions = scope.body.filter(({ TYPE }) => TYPE === 'Defun');
  const classes: ClassDefinition[] = [];
  const rest = scope.body.filter((node) => {
    if (isVar(node)) {
      classes.push(...node.definitions.filter(isInert));
      node.definitions = node.definitions.filter((definition) => !isInert(definition));
    }
    return node.TYPE !== 'Defun' && !(isVar(node) && node.definitions.length === 0);
  });
  const [first] = rest;
  if (first === undefined || !isVar(first)) throw new Error('the script does not begin with a declaration');

  const texts = functions.map((node) => node.print_to_string());
  const bodies = classes.map((definition) => textsOf(definition));
  const others = rest.map((node) => node.print_to_string()).join(';');
  const [functionOrder, classOrder, ...methodOrders] = bestOrder(
    [functions.length, classes.length, ...bodies.map(({ methods }) => methods.length)],
    ([someFunctions, someClasses, ...someMethods]) => {
      const written = bodies.map(({ head, methods }, i) => `${head}${inOrder(methods, someMethods[i]).join('')}}`);
      return `(()=>{${inOrder(texts, someFunctions).join('')}var ${inOrder(written, someClasses).join()};${others}})();`;
    },
  );
  for (const [i, { value }] of classes.entries()) {
    const methods = value.properties.filter(isMethod);
    value.properties = [
      ...value.properties.filter((member) => !isMethod(member)),
      ...inOrder(methods, methodOrders[i]),
    ];
  }
  // In one statement with what was first.
  first.definitions.unshift(...inOrder(classes, classOrder));
  scope.body = [...inOrder(functions, functionOrder), ...rest];
}

function inOrder<T>(members: readonly T[], order: Order | undefined): T[] {
  return (order ?? []).map((place) => members[place] as T);
}

/** A class up to its methods, fields first, and each of these. */
function textsOf(definition: ClassDefinition): { readonly head: string; readonly methods: readonly string[] } {
  const { value } = definition;
  const { properties } = value;
  const only = (members: Member[]): string => {
    value.properties = members;
    const text = definition.print_to_string();
    value.properties = properties;
    return text.slice(0, -1);
  };
  const empty = only([]);
  const fields = properties.filter((member) => !isMethod(member));
  return {
    head: fields.length === 0 ? empty : `${only(fields)};`,
    methods: properties.filter(isMethod).map((member) => only([member]).slice(empty.length)),
  };
}

function isVar(node: Node): node is Var {
  return node.TYPE === 'Var';
}

function isMethod({ TYPE }: Member): boolean {
  return /(Method|Getter|Setter)$/.test(TYPE);
}

/** Whether it defines a class, and that runs nothing: no superclass, no static field or block, no name that is computed. */
function isInert(definition: Definition): definition is ClassDefinition {
  if (definition.value?.TYPE !== 'ClassExpression') return false;
  const { value } = definition as ClassDefinition;
  return (
    !value.extends &&
    value.properties.every(
      (member) =>
        (isMethod(member) || (/Property$/.test(member.TYPE) && member.static !== true)) && !member.computed_key(),
    )
  );
}
