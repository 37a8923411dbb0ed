/** docs/nitro.md lists every check with its tests: it must not fall behind. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { VIOLATIONS } from './nitro-violations.ts';

const read = (file: string): string => readFileSync(path.resolve(import.meta.dirname, '../..', file), 'utf8');
const sorted = (items: Iterable<string>): string[] => [...new Set(items)].sort();

const rows = [...read('docs/nitro.md').matchAll(/^\| `(NITRO_ERR_\w+)` \| .+ \| (.+) \|$/gm)];
const codes = [...read('packages/nitro/src/nitro/errors.ts').matchAll(/^ {2}(NITRO_ERR_\w+):/gm)].map(
  ([, code]) => code as string,
);

it('names every code, and each code has its tests', () => {
  expect(codes.length).toBeGreaterThan(20);
  expect(sorted(rows.map(([, code]) => code as string))).toEqual(sorted(codes));
  expect(sorted(VIOLATIONS.map(({ code }) => code))).toEqual(sorted(codes));
});

it.each(rows.map(([, code, tests]) => [code as string, tests as string]))('names the tests of %s', (code, tests) => {
  const listed = [...tests.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);
  expect(sorted(listed)).toEqual(
    sorted(VIOLATIONS.filter((violation) => violation.code === code).map(({ name }) => name)),
  );
});
