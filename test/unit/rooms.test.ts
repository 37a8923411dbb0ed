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

test.each([
  ['base > protocol', 'src/base/a.ts', 'src/protocol/b.ts', 'rooms-base'],
  ['protocol > platform', 'src/protocol/a.ts', 'src/platform/b.ts', 'rooms-protocol'],
  ['crypto > protocol', 'src/crypto/a.ts', 'src/protocol/b.ts', 'rooms-crypto'],
  ['connection > dom', 'src/connection/a.ts', 'src/dom/b.ts', 'rooms-connection'],
  ['dom > an entry', 'src/dom/a.ts', 'src/index.ts', 'rooms-dom'],
  ['protocol > an implementation of crypto', 'src/protocol/a.ts', 'src/crypto/noble/b.ts', 'protocol-takes-interfaces'],
  ['dom > a cipher', 'src/dom/a.ts', 'src/crypto/node/b.ts', 'no-cipher-above'],
  ["another package > the root's src", 'packages/cli/src/a.ts', 'src/dom/b.ts', 'packages-by-entry'],
])('%s is refused, as a value and as a type', async (_arrow, from, to, rule) => {
  const relative = path.relative(path.dirname(from), to);
  const specifier = relative.startsWith('.') ? relative : `./${relative}`;
  const byType = from.replace('a.ts', 'by-type.ts');
  const files = {
    'src/keep.ts': here,
    [to]: here,
    [from]: `import { here } from '${specifier}';\nexport const it = here;\n`,
    [byType]: `import type { Here } from '${specifier}';\nexport const it: Here = 1;\n`,
  };
  const found = await violations(files);
  expect(found.filter((each) => each.rule === rule).map((each) => each.from)).toEqual([from, byType]);
});

test('a circle is refused, of types alone too', async () => {
  const files = {
    'src/dom/a.ts': "import type { B } from './b.ts';\nexport type A = B | 1;\n",
    'src/dom/b.ts': "import type { A } from './a.ts';\nexport type B = A | 2;\n",
  };
  expect(await broken(files)).toContain('no-circular');
});

test.each(['node:fs', 'ws'])('protocol takes nothing from %s', async (name) => {
  expect(await broken({ 'src/protocol/a.ts': `import * as it from '${name}';\nexport const its = it;\n` })).toContain(
    'sans-io',
  );
});
