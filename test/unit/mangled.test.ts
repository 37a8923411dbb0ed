/** What the script tag's build shortens is nobody else's. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { MANGLED } from '../../scripts/lib/mangled.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

function sources(folder: string, prefix = ''): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name.startsWith(prefix))
    .map((name) => readFileSync(path.join(ROOT, folder, name), 'utf8').replaceAll(/\/\*[^]*?\*\//g, ''));
}

test.each([
  ['a platform object', sources('node_modules/typescript/lib', 'lib.').join('\n'), /\blib\b/],
  ['a public type', sources('src/api').join('\n'), /\binterface PQChannel\b/],
])('no member of %s', (_, text, proof) => {
  expect(text).toMatch(proof);
  const names = new Set(text.match(/[A-Za-z_$][\w$]*/g));
  expect(MANGLED.filter((name) => names.has(name) && isMember(name, text))).toEqual([]);
});

/** TypeScript's libraries speak in prose, too. */
function isMember(name: string, text: string): boolean {
  return new RegExp(`^\\s*(readonly |get |set )?${name}\\??\\s*[:(<]`, 'm').test(text);
}

test('no string of the sources', () => {
  const strings = new Set(
    [
      ...sources('src')
        .join('\n')
        .matchAll(/'(\w+)'/g),
    ].map(([, text]) => text),
  );
  expect(MANGLED.filter((name) => strings.has(name))).toEqual([]);
});
