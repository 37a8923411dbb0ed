/** `npm run lint` refuses what ARCHITECTURE.md's rules refuse: shown on houses that break one rule each. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DEPCRUISE = path.join(ROOT, 'node_modules/.bin/depcruise');
const execute = promisify(execFile);

let folder = '';

beforeAll(() => {
  // Inside the checkout, where the TypeScript compiler is found.
  mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, '.cache', 'rooms-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function violations(files: Readonly<Record<string, string>>): Promise<{ rule: string; from: string }[]> {
  const house = mkdtempSync(path.join(folder, 'house-'));
  writeFileSync(path.join(house, 'package.json'), readFileSync(path.join(ROOT, 'package.json')));
  for (const name of ['.dependency-cruiser.mjs', 'tsconfig.json'])
    cpSync(path.join(ROOT, name), path.join(house, name));
  mkdirSync(path.join(house, 'packages'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(house, name)), { recursive: true });
    writeFileSync(path.join(house, name), text);
  }
  const args = [DEPCRUISE, 'src', 'packages', '--config', '.dependency-cruiser.mjs', '--output-type', 'json'];
  const { stdout } = await execute(process.execPath, args, { cwd: house, maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: unknown) => error as { stdout: string },
  );
  const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string }; from: string }[] } };
  return summary.violations.map(({ rule, from }) => ({ rule: rule.name, from }));
}

/** @returns the names of the rules that the house breaks */
async function broken(files: Readonly<Record<string, string>>): Promise<string[]> {
  return [...new Set((await violations(files)).map(({ rule }) => rule))];
}

test('a house whose arrows run to the right is in order', async () => {
  const files = {
    'src/index.ts': "export { socket } from './dom/socket.ts';\n",
    'src/dom/socket.ts': "import { seal } from '../protocol/seal.ts';\nexport const socket = seal;\n",
    'src/protocol/seal.ts':
      "import type { Bytes } from '../base/bytes.ts';\nexport const seal = (bytes: Bytes): Bytes => bytes;\n",
    'src/base/bytes.ts': 'export type Bytes = Uint8Array;\n',
  };
  expect(await broken(files)).toEqual([]);
});

const here = 'export const here = 1;\nexport type Here = 1;\n';

/** What is refused, in one house: a cruise for each would take a second each. Each has files of its own. */
const ARROWS = [
  ['base > protocol', 'src/base/a1.ts', 'src/protocol/b.ts', 'rooms-base'],
  ['protocol > platform', 'src/protocol/a2.ts', 'src/platform/b.ts', 'rooms-protocol'],
  ['crypto > protocol', 'src/crypto/a3.ts', 'src/protocol/b.ts', 'rooms-crypto'],
  ['connection > dom', 'src/connection/a4.ts', 'src/dom/b.ts', 'rooms-connection'],
  ['dom > an entry', 'src/dom/a5.ts', 'src/index.ts', 'rooms-dom'],
  [
    'protocol > an implementation of crypto',
    'src/protocol/a6.ts',
    'src/crypto/noble/b.ts',
    'protocol-takes-interfaces',
  ],
  ['dom > a cipher', 'src/dom/a7.ts', 'src/crypto/node/b.ts', 'no-cipher-above'],
  ["another package > the root's src", 'packages/cli/src/a8.ts', 'src/dom/b.ts', 'packages-by-entry'],
] as const;
const byType = (from: string): string => from.replace(/\.ts$/, '-by-type.ts');
const FORBIDDEN = ['node:fs', 'ws'];
const importer = (name: string): string => `src/protocol/takes-${name.replace(':', '-')}.ts`;
const CIRCLE = ['src/dom/circle-a.ts', 'src/dom/circle-b.ts'] as const;

function houseOfSins(): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [, from, to] of ARROWS) {
    const relative = path.relative(path.dirname(from), to);
    const specifier = relative.startsWith('.') ? relative : `./${relative}`;
    files[to] = here;
    files[from] = `import { here } from '${specifier}';\nexport const it = here;\n`;
    files[byType(from)] = `import type { Here } from '${specifier}';\nexport const it: Here = 1;\n`;
  }
  for (const name of FORBIDDEN) files[importer(name)] = `import * as it from '${name}';\nexport const its = it;\n`;
  files[CIRCLE[0]] = "import type { B } from './circle-b.ts';\nexport type A = B | 1;\n";
  files[CIRCLE[1]] = "import type { A } from './circle-a.ts';\nexport type B = A | 2;\n";
  return files;
}

let found: readonly { rule: string; from: string }[] = [];
beforeAll(async () => {
  found = await violations(houseOfSins());
});

/** @returns the files among these that break the rule */
const offenders = (rule: string, files: readonly string[]): string[] =>
  found.filter((each) => each.rule === rule && files.includes(each.from)).map((each) => each.from);

test.each(ARROWS)('%s is refused, as a value and as a type', (_arrow, from, _to, rule) => {
  const both = [from, byType(from)];
  expect(offenders(rule, both).sort()).toEqual([...both].sort());
});

test('a circle is refused, of types alone too', () => {
  expect(offenders('no-circular', CIRCLE)).not.toEqual([]);
});

test.each(FORBIDDEN)('protocol takes nothing from %s', (name) => {
  expect(offenders('sans-io', [importer(name)])).not.toEqual([]);
});

test('who breaks no rule is not accused in the house of those who do', () => {
  const innocent = new Set([...ARROWS.map(([, , to]) => to), ...FORBIDDEN.map(importer), ...CIRCLE]);
  expect(found.filter(({ rule, from }) => rule.startsWith('rooms-') && innocent.has(from))).toEqual([]);
});
