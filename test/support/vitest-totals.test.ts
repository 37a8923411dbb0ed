/** What `npm test` says of vitest's tests when all is over. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readTotals } from '../../scripts/lib/vitest-totals.ts';

function totalsOf(testResults: readonly object[]): ReturnType<typeof readTotals> {
  const folder = mkdtempSync(path.join(tmpdir(), 'pq-websocket-totals-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const report = path.join(folder, 'report.json');
  writeFileSync(report, JSON.stringify({ testResults }));
  return readTotals(report, '/root');
}

test('who failed and why, in few lines', () => {
  const long = Array.from({ length: 100 }, (_, line) => `line ${line}`).join('\n');
  const { passed, failed, notes, failures } = totalsOf([
    {
      name: '/root/test/a.test.ts',
      status: 'failed',
      assertionResults: [
        { status: 'passed', fullName: 'one' },
        { status: 'failed', fullName: 'two', failureMessages: [long] },
        { status: 'skipped', fullName: 'three' },
      ],
    },
  ]);
  expect({ passed, failed, notes }).toEqual({
    passed: 1,
    failed: 1,
    notes: ['not run (skipped): test/a.test.ts: three'],
  });
  expect(failures).toHaveLength(1);
  const lines = failures[0]?.split('\n') ?? [];
  expect(lines.slice(0, 2)).toEqual(['failed: test/a.test.ts: two', '  line 0']);
  expect(lines).toHaveLength(13);
});

test('a file that does not load counts as one that failed, with its own words', () => {
  const file = { name: '/root/test/b.test.ts', status: 'failed', message: 'no such module', assertionResults: [] };
  expect(totalsOf([file])).toEqual({
    passed: 0,
    failed: 1,
    notes: [],
    failures: ['failed: test/b.test.ts\n  no such module'],
  });
});
