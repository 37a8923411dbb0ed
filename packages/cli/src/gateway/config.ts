/** Settings from an options object, or from a configuration file with flags and environment variables over it. */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { ConfigProblem, Located, Path } from './config-error.ts';
import { GatewayConfigError, problemAt } from './config-error.ts';
import type { GatewaySettings } from './schema.ts';
import { gatewaySchema } from './schema.ts';

/** Something that is set outside the file, and goes over it. */
export interface Override {
  readonly path: readonly [string, ...(string | number)[]];
  readonly value: unknown;
  /** The flag or the environment variable. */
  readonly source: string;
}

export interface Config extends Located {
  readonly settings: GatewaySettings;
}

/** @throws {GatewayConfigError} that lists every problem */
export function configFrom(options: unknown): Config {
  const locate = (): undefined => undefined;
  return { settings: validated(options, locate), locate };
}

/**
 * @param file YAML, or JSON, which is YAML too; undefined for flags alone
 * @throws {GatewayConfigError} that lists every problem, each with its line
 */
export function loadConfig(file: string | undefined, overrides: readonly Override[]): Config {
  const source = file === undefined ? undefined : new ConfigFile(file);
  const values = overridden(source?.values, overrides);
  const locate = (path: Path): string | undefined => {
    const override = overrides.find((each) =>
      each.path.every((key, index) => index >= path.length || key === path[index]),
    );
    return override?.source ?? source?.locate(path);
  };
  return { settings: validated(values, locate), locate };
}

class ConfigFile {
  readonly values: unknown;
  readonly #document: Document;
  readonly #lines = new LineCounter();

  constructor(private readonly file: string) {
    this.#document = parseDocument(read(file), { lineCounter: this.#lines });
    if (this.#document.errors.length > 0) {
      throw new GatewayConfigError(
        this.#document.errors.map(({ pos, code }) => ({
          source: this.#at(pos[0]),
          path: '',
          // The parser's own message quotes the file.
          message: `not YAML or JSON (${code.toLowerCase().replaceAll('_', ' ')})`,
        })),
      );
    }
    try {
      this.values = this.#document.toJS() as unknown;
    } catch {
      // An alias of nothing, or aliases of aliases that would fill the memory.
      throw new GatewayConfigError([
        { source: file, path: '', message: 'expected fewer aliases, and each of an anchor' },
      ]);
    }
  }

  /** The line of the innermost key on the path that the file has. */
  locate(path: Path): string {
    let node: unknown = this.#document.contents;
    let offset = 0;
    for (const key of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key: name }) => isScalar(name) && String(name.value) === String(key));
        if (pair === undefined) break;
        offset = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(key)];
        offset = isNode(node) ? (node.range?.[0] ?? offset) : offset;
      } else break;
    }
    return this.#at(offset);
  }

  #at(offset: number): string {
    return `${this.file}:${this.#lines.linePos(offset).line}`;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new GatewayConfigError([{ source: file, path: '', message: `cannot be read (${code})` }]);
  }
}

/** A copy with the overrides in place. */
function overridden(values: unknown, overrides: readonly Override[]): unknown {
  if (overrides.length === 0) return values ?? {};
  const root = structuredClone(values ?? {});
  if (!isRecord(root)) return root;
  for (const { path, value } of overrides) {
    let target: Record<string | number, unknown> = root;
    for (const [index, key] of path.slice(0, -1).entries()) {
      if (!isRecord(target[key])) target[key] = typeof path[index + 1] === 'number' ? [] : {};
      target = target[key] as Record<string | number, unknown>;
    }
    target[path.at(-1) as string | number] = value;
  }
  return root;
}

function isRecord(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Of any realm: a test runner's objects are of another one. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A copy, all the way down, that inherits nothing: a member of a polluted `Object.prototype` is no setting. */
function own<T>(value: T): T {
  if (Array.isArray(value)) return value.map(own) as T;
  if (!isRecord(value) || !isPlain(value)) return value;
  return { __proto__: null, ...Object.fromEntries(Object.entries(value).map(([key, each]) => [key, own(each)])) } as T;
}

function validated(values: unknown, locate: Config['locate']): GatewaySettings {
  const result = v.safeParse(gatewaySchema, own(values));
  // What is optional and not there is looked up, too.
  if (result.success) return own(result.output);
  throw new GatewayConfigError(
    result.issues.map((issue): ConfigProblem => {
      const path = (issue.path ?? []).map(({ key }) => key as string | number);
      return problemAt({ locate }, path, problemText(issue.message));
    }),
  );
}

/** A message says what was expected, but for a key that does not exist. */
function problemText(message: string): string {
  return message.startsWith('no such key') ? message : `expected ${message}`;
}
