/** Each mutant of test/mutants is still killed, by the cases that killed it last or by another: `npm run mutants` is the whole. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';

test('no mutant survives but those of the checklist', { timeout: 240_000 }, () => {
  const run = path.resolve(import.meta.dirname, '../mutants/run.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [run, '--quick'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(Number(/^(\d+) mutants/m.exec(stdout)?.[1])).toBeGreaterThan(100);
});
