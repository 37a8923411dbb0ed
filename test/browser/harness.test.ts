import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBrowser } from './harness.ts';
import type { TestBrowser } from './harness.ts';

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

test('serves files beside the page and collects what goes wrong', async () => {
  const html =
    '<!doctype html><link rel="icon" href="data:,"><script>console.info("hello"); queueMicrotask(() => { throw new Error("broken"); });</script>';
  const { page, console: said, problems } = await browser.open({ html, files: { 'data.txt': 'content' } });
  expect(await page.evaluate(() => fetch('/data.txt').then((response) => response.text()))).toBe('content');
  expect(said).toContain('info: hello');
  expect(problems.join()).toContain('broken');
});

test('a page is a secure context unless it asks not to be', async () => {
  const secure = await browser.open({});
  expect(await secure.page.evaluate(() => [isSecureContext, typeof crypto.subtle])).toEqual([true, 'object']);
  const insecure = await browser.open({ secure: false });
  expect(await insecure.page.evaluate(() => [isSecureContext, typeof crypto.subtle])).toEqual([false, 'undefined']);
  expect([...secure.problems, ...insecure.problems]).toEqual([]);
});

test('other hosts cannot be reached', async () => {
  const { page, problems } = await browser.open({});
  await expect(page.evaluate(() => fetch('http://example.com/'))).rejects.toThrow('Failed to fetch');
  expect(problems.join()).toContain('ERR_NAME_NOT_RESOLVED');
});
