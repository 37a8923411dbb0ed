import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What is used here of vitest's JSON report, which is Jest's. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  /** Lines that say which tests did not run. */
  readonly notes: readonly string[];
  /** Which tests failed, each with the first lines of why. */
  readonly failures: readonly string[];
}

const FAILURE_LINES = 12;

function failureOf(name: string, messages: readonly string[]): string {
  const lines = messages.join('\n').split('\n').slice(0, FAILURE_LINES);
  return [`failed: ${name}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

/** Sums vitest's report up. Without a report nothing has run: 0 and 0. */
export function readTotals(report: string, root: string): Totals {
  if (!existsSync(report)) return { passed: 0, failed: 0, notes: [], failures: [] };
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  const notes: string[] = [];
  const failures: string[] = [];
  let passed = 0;
  let failed = 0;
  for (const file of testResults) {
    const name = path.relative(root, file.name);
    const failedHere = file.assertionResults.filter((test) => test.status === 'failed').length;
    passed += file.assertionResults.filter((test) => test.status === 'passed').length;
    // A file that fails to load, or in a hook, has no failed test of its own.
    if (failedHere === 0 && file.status === 'failed') {
      failed += 1;
      failures.push(failureOf(name, [file.message ?? '']));
    } else failed += failedHere;
    for (const test of file.assertionResults) {
      if (test.status === 'failed') failures.push(failureOf(`${name}: ${test.fullName}`, test.failureMessages ?? []));
      if (test.status !== 'passed' && test.status !== 'failed')
        notes.push(`not run (${test.status}): ${name}: ${test.fullName}`);
    }
  }
  return { passed, failed, notes, failures };
}

export function addTotals(totals: readonly Totals[]): Omit<Totals, 'failures'> {
  return {
    passed: totals.reduce((sum, { passed }) => sum + passed, 0),
    failed: totals.reduce((sum, { failed }) => sum + failed, 0),
    notes: totals.flatMap(({ notes }) => notes),
  };
}
