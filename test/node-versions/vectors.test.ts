import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeBinary } from '../../scripts/lib/toolchain.ts';
import { executed } from '../support/executed.ts';
import { nativeBinding } from '../support/native.ts';
import { sharedVectors } from '../support/shared-vectors.ts';
import { times } from '../support/soak.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const ENTRY = path.join(ROOT, 'test/vectors/third-party/run-node.ts');
/**
 * Each Node, and 3 for every third vector: the oldest and the newest have all of them, as the Node that runs the tests has in the project
 * `vectors`. In the soak every Node has all.
 */
const NODES = [
  [20, 1],
  [22, times(1, 3)],
  [24, times(1, 3)],
  [26, 1],
] as const;
const LIMIT_MS = 240_000;

const folder = sharedVectors('third-party vectors in Node 20, 22, 24 and 26');

const isBuilt = nativeBinding('third-party vectors on it in every Node') !== undefined;

describe.skipIf(folder === undefined)('third-party vectors in every supported Node', () => {
  let scratch: string;
  let bundle: string;
  beforeAll(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), 'pq-websocket-runtime-'));
    bundle = path.join(scratch, 'vectors.mjs');
    await build({
      entryPoints: [ENTRY],
      absWorkingDir: ROOT,
      outfile: bundle,
      bundle: true,
      platform: 'node',
      conditions: ['node'],
      format: 'esm',
      target: 'node20',
      logLevel: 'silent',
    });
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  test.each(NODES)('Node %i', { timeout: LIMIT_MS + 10_000 }, async (major, step) => {
    const binary = nodeBinary(major);
    const version = await executed(binary, ['--version'], LIMIT_MS);
    expect(version.stdout.startsWith(`v${major}.`)).toBe(true);
    const { code, stdout, stderr } = await executed(
      binary,
      ['--disable-warning=ExperimentalWarning', bundle, folder ?? '', String(step)],
      LIMIT_MS,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(stdout) ?? [];
    expect(Number(passed)).toBeGreaterThan(4000 / step);
    expect(failed).toBe('0');
    const names = ['noble', 'node', 'webcrypto', ...(isBuilt ? ['native'] : [])];
    for (const backend of names) expect(stdout).toContain(`: ${backend}, `);
    console.log(stdout.trim());
  });
});
