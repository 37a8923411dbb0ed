/**
 * As much of vitest as test/vectors/v1.test.ts uses, for where vitest does not run: old Nodes and browsers. What it
 * does not know throws, so that no assertion is lost in silence.
 */

type Run = () => unknown;
interface RegisteredTest {
  readonly name: string;
  readonly run: Run;
}

export interface MiniReport {
  readonly passed: number;
  /** A line for each test that failed: its name and why. */
  readonly failed: readonly string[];
}

const tests: RegisteredTest[] = [];
const path: string[] = [];

/** A value as a line of bounded length. */
function show(value: unknown): string {
  const text =
    typeof value === 'object' && value !== null
      ? JSON.stringify(value, (_key, member: unknown) => (member instanceof Uint8Array ? [...member] : member))
      : String(value);
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}

/** vitest's names: %s and %i take the arguments one after the other. */
function format(name: string, values: readonly unknown[]): string {
  const rest = [...values];
  return name.replaceAll(/%([a-z%])/g, (whole, kind: string) => {
    if (kind !== 's' && kind !== 'i') throw new Error(`mini-vitest: no ${whole} in names`);
    return String(rest.shift());
  });
}

type Registrar = (name: string, run: Run) => void;
type Each = <T>(list: readonly T[]) => (name: string, run: (...values: unknown[]) => unknown) => void;

const withEach = (register: Registrar): Registrar & { each: Each } =>
  Object.assign(
    (name: string, run: Run) => {
      register(name, run);
    },
    {
      each:
        <T>(list: readonly T[]) =>
        (name: string, run: (...values: unknown[]) => unknown) => {
          if (list.length === 0) throw new Error(`mini-vitest: each of nothing: ${name}`);
          for (const item of list) {
            const values: readonly unknown[] = Array.isArray(item) ? item : [item];
            register(format(name, values), () => run(...values));
          }
        },
    },
  );

export const describe = withEach((name, run) => {
  path.push(name);
  if (run() instanceof Promise) throw new Error(`mini-vitest: an asynchronous describe: ${name}`);
  path.pop();
});

export const test = withEach((name, run) => {
  if (typeof run !== 'function') throw new Error(`mini-vitest: a test takes a name and a function: ${name}`);
  tests.push({ name: [...path, name].join(' > '), run });
});

const tagOf = (value: unknown): string => Object.prototype.toString.call(value);

/** The members that toEqual compares: those that are not undefined. */
const keysOf = (value: object): string[] =>
  Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [key]));

/** toEqual's equality of primitives, lists, plain objects and bytes. With `subset`, toMatchObject's. */
function equals(actual: unknown, expected: unknown, subset = false): boolean {
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null)
    return Object.is(actual, expected);
  if (tagOf(actual) !== tagOf(expected)) return false;
  if (actual instanceof Uint8Array && expected instanceof Uint8Array) {
    // A Buffer is not equal to a Uint8Array, as in vitest.
    return (
      actual.constructor === expected.constructor &&
      actual.length === expected.length &&
      actual.every((byte, index) => byte === expected[index])
    );
  }
  if (Array.isArray(actual) && Array.isArray(expected)) {
    return (
      actual.length === expected.length && expected.every((member, index) => equals(actual[index], member, subset))
    );
  }
  if (tagOf(expected) !== '[object Object]') throw new Error(`mini-vitest: cannot compare ${tagOf(expected)}`);
  const mine = actual as Record<string, unknown>;
  const theirs = expected as Record<string, unknown>;
  // toMatchObject wants a member that is undefined there, too; toEqual takes it for absent.
  if (subset) return Object.keys(theirs).every((key) => key in mine && equals(mine[key], theirs[key], true));
  return [...new Set([...keysOf(mine), ...keysOf(theirs)])].every((key) => equals(mine[key], theirs[key]));
}

function contains(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(actual)) return actual.includes(expected);
  if (typeof actual === 'string' && typeof expected === 'string') return actual.includes(expected);
  throw new Error('mini-vitest: toContain is for a list, or for a string in a string');
}

function isGreater(actual: unknown, expected: unknown): boolean {
  if (typeof actual !== 'number' || typeof expected !== 'number')
    throw new Error('mini-vitest: toBeGreaterThan is for numbers');
  return actual > expected;
}

const MATCHERS = {
  toBe: (actual: unknown, expected: unknown) => Object.is(actual, expected),
  toEqual: (actual: unknown, expected: unknown) => equals(actual, expected),
  toMatchObject: (actual: unknown, expected: unknown) => equals(actual, expected, true),
  toBeUndefined: (actual: unknown) => actual === undefined,
  toContain: contains,
  toBeGreaterThan: isGreater,
};
type MatcherName = keyof typeof MATCHERS;
type Assertions = Record<MatcherName, (expected?: unknown) => void>;

function assertions(actual: unknown, message: string | undefined, wanted: boolean): Assertions {
  const made = Object.fromEntries(
    (Object.keys(MATCHERS) as MatcherName[]).map((name) => [
      name,
      (expected?: unknown): void => {
        if (MATCHERS[name](actual, expected) === wanted) return;
        throw new Error(
          `${message === undefined ? '' : `${message}: `}${show(actual)} ${wanted ? '' : 'not '}${name} ${show(expected)}`,
        );
      },
    ]),
  ) as Assertions;
  return new Proxy(made, {
    get(target, name): unknown {
      if (name === 'not' && wanted) return assertions(actual, message, false);
      if (!Object.hasOwn(target, name)) throw new Error(`mini-vitest: no matcher ${String(name)}`);
      return target[name as MatcherName];
    },
  });
}

export const expect = (actual: unknown, message?: string): Assertions & { readonly not: Assertions } =>
  assertions(actual, message, true) as Assertions & { readonly not: Assertions };

/** Runs what was registered, one after the other in that order, as vitest does within a file. */
export async function runTests(): Promise<MiniReport> {
  const failed: string[] = [];
  for (const { name, run } of tests) {
    try {
      await run();
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { passed: tests.length - failed.length, failed };
}
