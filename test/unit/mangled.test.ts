/** What the builds for browsers shorten is nobody else's. */
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
  ['a public type', [...sources('src/api'), ...publicSources()].join('\n'), /\binterface PQChannel\b/],
])('no member of %s', (_, text, proof) => {
  expect(text).toMatch(proof);
  const names = new Set(text.match(/[A-Za-z_$][\w$]*/g));
  expect(MANGLED.filter((name) => names.has(name) && isMember(name, text))).toEqual([]);
});

/** The entries, with the types that they declare, and the files of those that they export from elsewhere. */
function publicSources(): string[] {
  const read = (file: string): string =>
    readFileSync(path.join(ROOT, 'src', file), 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
  const entries = ['index', 'server', 'polyfill', 'stream', 'msw', 'ws-browser', 'keys', 'kit', 'login'].map((name) =>
    read(`${name}.ts`),
  );
  const elsewhere = entries.flatMap((text) =>
    [...text.matchAll(/^export type \{[^}]*\} from '\.\/(\S+)';$/gm)].map(([, file]) => read(file as string)),
  );
  return [...entries, ...elsewhere];
}

/** TypeScript's libraries speak in prose, too. */
function isMember(name: string, text: string): boolean {
  return new RegExp(`^\\s*(readonly |get |set )?${name}\\??\\s*[:(<]`, 'm').test(text);
}

test('no export that import() is asked for: its name is not shortened', () => {
  const names = sources('src').flatMap((text) => [
    ...text.matchAll(/\(await import\([^)]*\)\)\.(\w+)|\{ (\w+) \}[^\n]*import\(/g),
  ]);
  expect(names.length).toBeGreaterThan(5);
  expect(names.map(([, a, b]) => a ?? b).filter((name) => MANGLED.includes(name ?? ''))).toEqual([]);
});

test('no export that a namespace is asked for, whose name is not shortened either', () => {
  const files = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const read = (file: string): string => readFileSync(path.join(ROOT, 'src', file), 'utf8');
  const reached = files.flatMap((file) =>
    [...read(file).matchAll(/^import \* as \w+ from '(\.[^']+)';$/gm)].map(([, to]) =>
      path.join(path.dirname(file), to as string),
    ),
  );
  const names = [...new Set(reached)].flatMap((file) =>
    [...read(file).matchAll(/^export (?:const|function|class) (\w+)/gm)].map(([, name]) => name as string),
  );
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => MANGLED.includes(name))).toEqual([]);
});

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
