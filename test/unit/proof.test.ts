/** proof/README.md leads from claims to queries to tests: each of the three is what the page says, and results.txt too. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');
const rows = [
  ...read('proof/README.md').matchAll(/^\| (.+?) \| \[(\S+\.pv)\]\(\S+\) \| ([a-z ]+) \| `(\S+)`: (.+?) \|$/gm),
].map(
  ([, claim, file, results, testFile, name]) => ({ claim, file, results, testFile, name }) as Record<string, string>,
);
const kept = new Map(
  [...read('proof/results.txt').matchAll(/^(\S+\.pv): ok in \d+ s; got: ([a-z ]+)$/gm)].map(([, file, got]) => [
    file,
    got,
  ]),
);

test('every file is named by the page, once', () => {
  const files = readdirSync(new URL('proof/', root)).filter((file) => file.endsWith('.pv'));
  expect(rows.map(({ file }) => file).sort()).toEqual(files.sort());
  expect(files.length).toBeGreaterThan(40);
});

describe.each(rows)('$file: $claim', ({ file = '', results, testFile = '', name }) => {
  test('its EXPECT notes are what the page says', () => {
    const expected = [...read(`proof/${file}`).matchAll(/EXPECT (\w+)/g)].map(([, result]) => result);
    expect(expected.join(' ')).toBe(results);
  });

  test('the last full run gave the same', () => {
    expect(kept.get(file)).toBe(results);
  });

  test('the test is there', () => {
    expect(read(`test/${testFile}`)).toContain(name);
  });
});
