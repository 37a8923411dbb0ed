import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedVectors } from '../support/shared-vectors.ts';
import { startBrowser } from './harness.ts';
import type { TestBrowser } from './harness.ts';

type FileMap = Record<string, string>;
type Report = { passed: number; failed: string[]; labels: string[] };
declare const runVectors: (files: FileMap) => Promise<Report>;

const ENTRY = 'test/vectors/third-party/run-browser.ts';
const folder = sharedVectors('third-party vectors in Chromium');

async function readVectors(from: string): Promise<FileMap> {
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  const files: FileMap = {};
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(from, file).split(path.sep).join('/');
    files[name] = await readFile(file, name.endsWith('.gz') ? 'base64' : 'utf8');
  }
  return files;
}

describe.skipIf(folder === undefined)('third-party vectors in Chromium', () => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  test('every backend gives what the vectors expect', async () => {
    const { page, problems } = await browser.open({ entry: ENTRY });
    const report = await page.evaluate((files) => runVectors(files), await readVectors(folder ?? ''));
    console.log(
      `${browser.version}: ${report.labels.join('; ')}: ${report.passed} passed, ${report.failed.length} failed`,
    );
    expect(report.failed).toEqual([]);
    expect(report.passed).toBeGreaterThan(1000);
    expect(report.labels.filter((label) => /\bnoble\b/.test(label))).not.toEqual([]);
    expect(report.labels.filter((label) => /\bwebcrypto\b/.test(label))).not.toEqual([]);
    expect(problems).toEqual([]);
  });
});
