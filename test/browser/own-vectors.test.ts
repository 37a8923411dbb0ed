/** src/protocol against our own vectors in Chromium, on both backends that a browser has. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleOwnVectors, readV1 } from '../support/own-vectors-bundle.ts';
import { startBrowser } from './harness.ts';
import type { TestBrowser } from './harness.ts';
import type { OwnVectorsReport } from './own-vectors-page.ts';

declare const runOwnVectors: () => Promise<OwnVectorsReport>;

const ENTRY = 'test/browser/own-vectors-page.ts';
const HTML =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,"><script src="/suite.js"></script>';

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

async function runSuite(v1Text: string): Promise<OwnVectorsReport & { problems: readonly string[] }> {
  const { page, problems } = await browser.open({
    html: HTML,
    files: { 'suite.js': await bundleOwnVectors(ENTRY, 'browser', v1Text) },
  });
  return { ...(await page.evaluate(() => runOwnVectors())), problems };
}

test('every vector holds on every backend', async () => {
  const { passed, failed, nativeKem, problems } = await runSuite(await readV1());
  console.log(`${browser.version}: ${passed} passed, ${failed.length} failed`);
  expect(failed).toEqual([]);
  expect(passed).toBeGreaterThan(500);
  expect(nativeKem).toEqual({ noble: false, webcrypto: true });
  expect(problems).toEqual([]);
});

test('every backend notices a vector that is wrong by one bit', async () => {
  const text = await readV1();
  const { th } = (JSON.parse(text) as { session: { th: string } }).session;
  const wrong = th.slice(0, -1) + (Number.parseInt(th.slice(-1), 16) ^ 1).toString(16);
  const { failed } = await runSuite(text.replaceAll(th, wrong));
  for (const backend of ['noble', 'webcrypto']) {
    const name = `${backend} > session > hellos, th and Finisheds, both ends: `;
    expect(failed.filter((line) => line.startsWith(name))).toHaveLength(1);
  }
});
