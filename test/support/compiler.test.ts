/** What programs in one process find is what a `tsc` of their own finds, though they share what they parse. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shareCompilers } from '../../scripts/lib/compiler.ts';

const TSC = path.resolve(import.meta.dirname, '../../node_modules/typescript/bin/tsc');

/** A package whose types are of an ES module, and wrong in one place. */
const PACKAGE = {
  'package.json': '{ "name": "them", "version": "1.0.0", "type": "module", "types": "./index.d.ts" }',
  'index.d.ts': 'export declare const theirs: number;\nexport declare const wrong: Missing;\n',
};

/** Settings, files, and codes of errors that stand there on purpose. */
const PROJECTS: Record<string, readonly [options: object, files: Record<string, string>, codes: readonly string[]]> = {
  'types and strictness': [
    { module: 'esnext', moduleResolution: 'bundler' },
    { 'a.ts': "import { theirs } from 'them';\nexport const mine: string = theirs;\nexport const f = (x) => x;\n" },
    ['TS2322', 'TS7006', 'TS2304'],
  ],
  'the same, neither strict nor looking into libraries': [
    { module: 'esnext', moduleResolution: 'bundler', strict: false, skipLibCheck: true },
    { 'a.ts': "import { theirs } from 'them';\nexport const mine: string = theirs;\nexport const f = (x) => x;\n" },
    ['TS2322'],
  ],
  'an ES module that a CommonJS one requires, by the rules of Node': [
    { module: 'node16', moduleResolution: 'node16' },
    { 'a.cts': "import them = require('them');\nexport const mine: number = them.theirs;\n" },
    ['TS1471', 'TS2304'],
  ],
  'the same, by rules that know no such difference': [
    { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' },
    { 'a.ts': "import them = require('them');\nexport const mine: string = them.theirs;\n" },
    ['TS2322', 'TS2304'],
  ],
  syntax: [{ module: 'esnext', moduleResolution: 'bundler' }, { 'a.ts': 'const = 1;\n' }, ['TS1134']],
  'an option': [{ module: 'esnext', moduleResolution: 'node16' }, { 'a.ts': 'export {};\n' }, ['TS5110']],
  nothing: [{ module: 'esnext', moduleResolution: 'bundler' }, { 'a.ts': 'export const a = 1;\n' }, []],
};

const compilers = shareCompilers();
let root: string;

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pq-websocket-compiler-'));
  write(path.join(root, 'node_modules/them'), PACKAGE);
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

test.each(Object.entries(PROJECTS))('%s', async (name, [options, files, codes]) => {
  const folder = path.join(root, name);
  const compilerOptions = { target: 'es2022', lib: ['es5'], types: [], strict: true, noEmit: true, ...options };
  write(folder, { ...files, 'tsconfig.json': JSON.stringify({ compilerOptions, include: ['*'] }) });
  const { found } = compilers.check(folder);
  expect(new Set(found.match(/TS\d+/g))).toEqual(new Set(codes));
  expect(found).toBe(await tsc(folder));
});

function write(folder: string, files: Record<string, string>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
}

function tsc(folder: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [TSC, '-p', folder], { cwd: folder, timeout: 60_000 }, (_error, stdout) => {
      resolve(stdout);
    });
  });
}
