/** The playground in Chromium: what each button does to the wire, and the failure that it gives. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildPlayground } from '../../scripts/lib/playground.ts';
import { axeViolations } from './axe.ts';
import { startBrowser } from './harness.ts';
import type { TestBrowser } from './harness.ts';

const SCREENSHOTS = path.join(import.meta.dirname, 'screenshots');
/** Of a static host that allows nothing else. */
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'none'";

let browser: TestBrowser;
let files: Readonly<Record<string, string>>;
beforeAll(async () => {
  await mkdir(SCREENSHOTS, { recursive: true });
  [browser, files] = await Promise.all([startBrowser(), buildPlayground()]);
});
afterAll(() => browser.close());

async function open(width = 1280, scheme: 'light' | 'dark' = 'light', secure = true): Promise<Page> {
  const { 'index.html': html = '', ...others } = files;
  const opened = await browser.open({ html, files: others, headers: { 'Content-Security-Policy': CSP }, secure });
  onTestFinished(async () => {
    expect(opened.problems).toEqual([]);
    await opened.close();
  });
  const { page } = opened;
  await page.setViewport({ width, height: 800 });
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: scheme },
    { name: 'prefers-reduced-motion', value: 'reduce' },
  ]);
  await page.waitForSelector('#verdict[data-state=ready]');
  return page;
}

interface Seen {
  readonly verdict: string;
  readonly client: string;
  readonly server: string;
  readonly fates: readonly string[];
}

async function press(page: Page, experiment: string): Promise<Seen> {
  // With the keyboard: a button that works by it works by a click.
  await page.focus(`button[data-experiment=${experiment}]`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#verdict[data-state=good], #verdict[data-state=found]');
  return page.evaluate(() => {
    const text = (selector: string): string => document.querySelector(selector)?.textContent ?? '';
    return {
      verdict: text('#verdict'),
      client: text('#client-log'),
      server: text('#server-log'),
      fates: [...document.querySelectorAll('#wire .fate')].map(({ textContent }) => textContent ?? ''),
    };
  });
}

test('the hellos are readable on the wire, and nothing that is said is', async () => {
  const page = await open();
  const { server, client, verdict } = await press(page, 'talk');
  expect(server).toContain('heard: Hello');
  expect(client).toContain('you said “Hello”');
  expect(verdict).toContain('both messages were read');
  const wire = await page.$$eval('#wire li', (rows) => rows.map(({ textContent }) => textContent ?? ''));
  expect(wire.filter((row) => row.includes('hello, readable'))).toHaveLength(2);
  // Both Finished, the message and the answer.
  expect(wire.filter((row) => row.includes('sealed')).length).toBeGreaterThanOrEqual(4);
  expect(wire.join('')).not.toContain('you said');
});

test.each([
  ['flip', ['changed'], 'PQ_ERR_RECORD'],
  ['drop', ['dropped'], 'PQ_ERR_RECORD'],
  ['replay', ['repeated'], 'PQ_ERR_RECORD'],
  ['reorder', ['held back'], 'PQ_ERR_RECORD'],
  ['cut', ['cut'], 'PQ_ERR_TRUNCATED'],
])('%s: %j on the wire, and %s at the end that finds it', async (experiment, fates, code) => {
  const page = await open();
  const seen = await press(page, experiment);
  expect(seen.fates).toEqual(fates);
  expect(seen.verdict).toContain(code);
  expect(seen.server).toContain(code);
  expect(seen.server).toContain('not clean');
  expect(seen.client).toContain('not clean');
  // What was meddled with was not delivered, and a replay was delivered once.
  expect(seen.server.split('heard: Hello')).toHaveLength(experiment === 'replay' ? 2 : 1);
  expect(seen.server).not.toContain('Are you there');
  // The next experiment begins with a new connection.
  const after = await press(page, 'talk');
  expect(after.client).toContain('you said “Hello”');
});

test('a changed hello: no two ends agree on a key', async () => {
  const page = await open();
  const { verdict, client, fates } = await press(page, 'flip-hello');
  expect(fates).toEqual(['changed']);
  expect(verdict).toMatch(/PQ_ERR_\w+/);
  expect(client).not.toContain('open:');
  expect(client).toMatch(/closed: 3768, not clean, PQ_ERR_RECORD/);
});

test('a close is sealed, and known to both', async () => {
  const page = await open();
  const { verdict, client, server } = await press(page, 'close');
  expect(verdict).toContain('each end knows');
  for (const log of [client, server]) expect(log).toContain('closed: 4000 “that is all”, clean');
  expect(await page.$eval('#wire', (wire) => wire.textContent)).not.toContain('that is all');
});

test('it works without crypto.subtle, and reaches nothing', async () => {
  const page = await open(1280, 'light', false);
  expect((await press(page, 'talk')).client).toContain('you said “Hello”');
});

test.for([
  [320, 'light'],
  [320, 'dark'],
  [1280, 'light'],
  [1280, 'dark'],
] as const)('at %i pixels, %s: axe finds nothing, and nothing is cut off', async ([width, scheme]) => {
  const page = await open(width, scheme);
  await press(page, 'talk');
  await press(page, 'flip');
  expect(await axeViolations(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  await page.screenshot({ path: path.join(SCREENSHOTS, `playground-${width}-${scheme}.png`), fullPage: width === 320 });
});
