/** In every supported Node: a whole conversation, and the backend that a label names is the backend that ran. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeBinary } from '../../scripts/lib/toolchain.ts';
import { executed } from '../support/executed.ts';
import type { RuntimeReport } from './backends-script.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LIMIT_MS = 60_000;

/** Each Node, and whether it has a WebSocket and an ML-KEM of its own. */
const NODES: readonly (readonly [major: number, hasGlobalWebSocket: boolean, hasMlKem: boolean])[] = [
  [20, false, false],
  [22, true, false],
  [24, true, true],
  [26, true, true],
];

describe.each(['esm', 'cjs'] as const)('bundled as %s', (format) => {
  let scratch: string;
  let bundle: string;
  beforeAll(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), 'pq-websocket-backends-'));
    bundle = path.join(scratch, format === 'esm' ? 'script.mjs' : 'script.cjs');
    const requires = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
    await build({
      entryPoints: [path.join(ROOT, 'test/node-versions/backends-script.ts')],
      absWorkingDir: ROOT,
      outfile: bundle,
      bundle: true,
      platform: 'node',
      conditions: ['node'],
      format,
      ...(format === 'esm' && { banner: { js: requires } }),
      target: 'node20',
      logLevel: 'silent',
    });
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  test.each(NODES)('Node %i', { timeout: 2 * LIMIT_MS }, async (major, hasGlobalWebSocket, hasMlKem) => {
    const { code, stdout, stderr } = await executed(
      nodeBinary(major),
      ['--disable-warning=ExperimentalWarning', bundle],
      LIMIT_MS,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout) as RuntimeReport;
    expect(report.node.startsWith(`v${major}.`)).toBe(true);
    expect({ hasGlobalWebSocket: report.hasGlobalWebSocket, hasMlKem: report.hasMlKem }).toEqual({
      hasGlobalWebSocket,
      hasMlKem,
    });
    // isomorphic-ws where there is no global class, and the global one where there is.
    expect(report.fromWs).toBe(!hasGlobalWebSocket);
    expect(report.echoed).toEqual([
      ['text', 'grüße, queued'],
      ['binary', 0],
      ['binary', 1],
      ['binary', 70_000],
    ]);
    expect(report.closes).toEqual([
      [4001, 'bye ✓', true],
      [4001, 'bye ✓'],
    ]);

    const sum = (counter: 'recordsSealed' | 'recordsOpened'): number =>
      report.ends.reduce((total, end) => total + end[counter], 0);
    for (const { backend, nativeKem } of report.ends)
      expect({ backend, nativeKem }).toEqual({ backend: 'node', nativeKem: hasMlKem });
    expect(sum('recordsSealed')).toBeGreaterThanOrEqual(10);
    expect(report.calls).toMatchObject({
      createCipheriv: sum('recordsSealed'),
      createDecipheriv: sum('recordsOpened'),
    });
    expect(report.calls.hkdfSync).toBeGreaterThan(0);
    // Once to find out whether it works, and once for the connection.
    const kem = hasMlKem ? 2 : 0;
    expect([report.calls.encapsulate, report.calls.decapsulate]).toEqual([kem, kem]);
  });
});
