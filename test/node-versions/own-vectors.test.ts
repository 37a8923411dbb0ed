/** src/protocol against our own vectors in every supported Node, on every backend. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeBinary } from '../../scripts/lib/toolchain.ts';
import { executed } from '../support/executed.ts';
import type { Executed } from '../support/executed.ts';
import { nativeBinding } from '../support/native.ts';
import { bundleOwnVectors, readV1 } from '../support/own-vectors-bundle.ts';
import { soaks } from '../support/soak.ts';

const ENTRY = 'test/node-versions/own-vectors-script.ts';
const LIMIT_MS = 120_000;

/**
 * Each Node, and whether it has an ML-KEM of its own. 24 in the soak alone: it runs the tests, and has run this very suite in the project
 * `vectors`.
 */
const NODES: readonly (readonly [major: number, hasMlKem: boolean])[] = [
  [20, false],
  [22, false],
  ...(soaks ? [[24, true] as const] : []),
  [26, true],
];

const isBuilt = nativeBinding('our own vectors on it in every Node') !== undefined;

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'pq-websocket-own-vectors-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function runSuite(major: number, v1Text: string): Promise<Executed> {
  const bundle = path.join(scratch, `suite-${major}.mjs`);
  await writeFile(bundle, await bundleOwnVectors(ENTRY, 'node', v1Text));
  return executed(nodeBinary(major), ['--disable-warning=ExperimentalWarning', bundle], LIMIT_MS);
}

const passedIn = new Map<number, number>();

test.each(NODES)('Node %i', { timeout: LIMIT_MS + 10_000 }, async (major, hasMlKem) => {
  const { code, stdout, stderr } = await runSuite(major, await readV1());
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(stdout) ?? [];
  expect(Number(passed)).toBeGreaterThan(500);
  expect(failed).toBe('0');
  const labels = stdout
    .split('\n')
    .filter((line) => line.startsWith(`Node ${major}.`))
    .map((line) => line.slice(line.indexOf(': ') + 2));
  const kem = hasMlKem ? 'native' : '@noble';
  expect(labels).toEqual([
    'noble, @noble ML-KEM',
    `node, ${kem} ML-KEM`,
    `webcrypto, ${kem} ML-KEM`,
    ...(isBuilt ? ['native, native ML-KEM'] : []),
  ]);
  passedIn.set(major, Number(passed));
  console.log(stdout.trim());
});

test('the same number of tests in each', () => {
  expect([...passedIn.keys()]).toEqual(NODES.map(([major]) => major));
  expect(new Set(passedIn.values()).size).toBe(1);
});

test('every backend notices a vector that is wrong by one bit', { timeout: LIMIT_MS + 10_000 }, async () => {
  const text = await readV1();
  const { th } = (JSON.parse(text) as { session: { th: string } }).session;
  const wrong = th.slice(0, -1) + (Number.parseInt(th.slice(-1), 16) ^ 1).toString(16);
  const { code, stdout, stderr } = await runSuite(26, text.replaceAll(th, wrong));
  expect(code).toBe(1);
  const failures = stderr.split('\n').filter((line) => line !== '');
  expect(stdout).toContain(`, ${failures.length} failed`);
  for (const backend of ['noble', 'node', 'webcrypto', ...(isBuilt ? ['native'] : [])]) {
    const name = `${backend} > session > hellos, th and Finisheds, both ends: `;
    expect(failures.filter((line) => line.startsWith(name))).toHaveLength(1);
  }
});
