/** What is wrong with a configuration, and where. */
import { readFileSync } from 'node:fs';

export interface ConfigProblem {
  /** The file and line, the flag or the environment variable; undefined for an options object. */
  readonly source: string | undefined;
  /** Keys from the top, such as `routes[0].upstreams[1]`; empty for the whole. */
  readonly path: string;
  /** What was expected. */
  readonly message: string;
}

/** A configuration that cannot be run. Nothing listens yet when it is thrown. */
export class GatewayConfigError extends Error {
  override readonly name = 'GatewayConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(textOf).join('\n'));
    this.problems = problems;
  }
}

/** Collects what is wrong, so that all of it is said at once. */
export class Problems {
  readonly #found: ConfigProblem[] = [];

  add(...problems: readonly ConfigProblem[]): void {
    this.#found.push(...problems);
  }

  /** @returns what `make` gives, or undefined where it finds something wrong */
  collect<T>(make: () => T): T | undefined {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof GatewayConfigError)) throw error;
      this.add(...error.problems);
      return undefined;
    }
  }

  /** @throws {GatewayConfigError} for all that was found */
  throwIfAny(): void {
    if (this.#found.length > 0) throw new GatewayConfigError(this.#found);
  }
}

function textOf({ source, path, message }: ConfigProblem): string {
  return [source, path, message].filter((part) => part !== undefined && part !== '').join(': ');
}

function pathText(keys: readonly PropertyKey[]): string {
  return keys
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}

/** Keys from the top. */
export type Path = readonly (string | number)[];

export interface Located {
  /** Where a key was set. */
  readonly locate: (path: Path) => string | undefined;
}

export function problemAt({ locate }: Located, path: Path, message: string): ConfigProblem {
  return { source: locate(path), path: pathText(path), message };
}

export function errorAt(config: Located, path: Path, message: string): GatewayConfigError {
  return new GatewayConfigError([problemAt(config, path, message)]);
}

/** What the file holds that a key names. @throws {GatewayConfigError} */
export function readNamed(config: Located, path: Path, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw errorAt(config, path, `expected a file that can be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
