import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDemo } from '../support/engines/demo.ts';
import type { RunningDemo } from '../support/engines/demo.ts';
import { axeViolations } from './axe.ts';
import { startBrowser } from './harness.ts';
import type { TestBrowser } from './harness.ts';

const SCREENSHOTS = path.join(import.meta.dirname, 'screenshots');
const UPLOAD_BYTES = 3 * 1_048_576 + 777;
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

let browser: TestBrowser;
let demo: RunningDemo | undefined;
let port: number;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pq-websocket-demo-test-'));
  await mkdir(SCREENSHOTS, { recursive: true });
  browser = await startBrowser();
  demo = await startDemo();
  port = demo.port;
});

afterAll(async () => {
  await browser?.close();
  if (demo !== undefined) expect(await demo.stop()).toEqual({ code: 0, signal: null });
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

interface DemoPage {
  readonly page: Page;
  readonly origin: string;
  readonly problems: string[];
  readonly requested: string[];
}

async function openDemo(
  viewport: Parameters<Page['setViewport']>[0],
  scheme: 'light' | 'dark',
  host = '127.0.0.1',
): Promise<DemoPage> {
  const page = await browser.browser.newPage();
  const problems: string[] = [];
  const requested: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warn') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => requested.push(request.url()));
  await page.setViewport(viewport);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  const origin = `http://${host}:${port}`;
  await page.goto(`${origin}/`);
  await page.waitForSelector('#state[data-state=open]');
  return { page, origin, problems, requested };
}

/** Types with the keyboard alone: the page need not be touched or clicked. */
async function say(page: Page, text: string): Promise<void> {
  await page.focus('#chat-text');
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
  await page.waitForFunction(
    (wanted) => [...document.querySelectorAll('#chat-log .mine .text')].some((item) => item.textContent === wanted),
    {},
    text,
  );
}

async function writeUpload(marker: string): Promise<string> {
  const file = path.join(folder, 'chosen.txt');
  const line = `${marker} a line of a file that a person chose\n`;
  await writeFile(file, line.repeat(Math.ceil(UPLOAD_BYTES / line.length)).slice(0, UPLOAD_BYTES));
  return file;
}

async function chooseFile(page: Page, file: string): Promise<void> {
  const input = await page.waitForSelector('input#file');
  if (!input) throw new Error('the page has no file input');
  await input.uploadFile(file);
}

interface TransferShown {
  verdict: string;
  here: string;
  there: string;
  progress: number;
}

async function transferShown(page: Page): Promise<TransferShown> {
  await page.waitForFunction(() => document.querySelector('#verdict')?.textContent !== '');
  return page.evaluate(() => ({
    verdict: document.querySelector('#verdict')?.textContent ?? '',
    here: document.querySelector('#hash-here')?.textContent ?? '',
    there: document.querySelector('#hash-there')?.textContent ?? '',
    progress: document.querySelector('progress')?.position ?? 0,
  }));
}

async function column(page: Page, name: 'said' | 'carried'): Promise<string[]> {
  return page.$$eval(`#wire-rows .${name}`, (cells) => cells.map((cell) => cell.textContent ?? ''));
}

test('chat, files both ways, and the two columns beside each other', async () => {
  const { page, origin, problems, requested } = await openDemo(DESKTOP, 'light');
  const marker = `marker-${randomBytes(8).toString('hex')}`;
  await say(page, `Hello, ${marker}`);
  await say(page, 'Grüße, 你好');

  await chooseFile(page, await writeUpload(marker));
  const sent = await transferShown(page);
  expect(sent).toEqual({
    verdict: '✓ The same file at both ends',
    here: sent.there,
    there: expect.stringMatching(/^[0-9a-f]{64}$/),
    progress: 1,
  });
  await page.screenshot({ path: path.join(SCREENSHOTS, 'demo-desktop-light.png') });

  await page.click('#sample');
  await page.waitForSelector('#save:not([hidden])');
  const received = await transferShown(page);
  expect(received.verdict).toBe(sent.verdict);
  expect(received.here).toBe(received.there);
  expect(received.here).not.toBe(sent.here);

  await page.waitForFunction(() => document.querySelector('#wire-rows')?.textContent?.includes('"file-done"') === true);
  const said = (await column(page, 'said')).join('\n');
  const carried = await column(page, 'carried');
  for (const plain of [marker, 'Grüße', '"file-done"', 'nobody on the wire']) {
    expect(said).toContain(plain);
    expect(carried.join('\n')).not.toContain(plain);
  }
  expect(carried.filter((cell) => cell.includes('ml_kem_768'))).toHaveLength(2);
  // Every other line is a sealed record: 12 bytes of nonce and more, as hex.
  expect(carried.filter((cell) => !/^Carried: (?:[0-9a-f]{2} ){12}[0-9a-f]{2}.*sealed/s.test(cell))).toHaveLength(2);
  expect(problems).toEqual([]);
  expect(requested.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith('data:'))).toEqual([]);
  await page.close();
});

test('both ends agree on the transcript and on an exported key', async () => {
  const { page } = await openDemo(DESKTOP, 'dark');
  await page.waitForFunction(() => document.querySelectorAll('#facts .equal, #facts .differs').length === 2);
  expect(await page.$$eval('#facts .equal', (marks) => marks.length)).toBe(2);
  const facts = (await page.$eval('#facts', (list) => list.textContent)) ?? '';
  expect(facts).toContain('ml-kem-768');
  expect(facts).toContain('AES-256-GCM');
  await page.screenshot({ path: path.join(SCREENSHOTS, 'demo-desktop-dark.png') });
  await page.close();
});

test.for([
  { who: 'this page', button: '#close-form button[type=submit]' },
  { who: 'the server', button: '#hang-up' },
])('a close by $who arrives as it was said, and the page reconnects', async ({ button }) => {
  const { page } = await openDemo(DESKTOP, 'light');
  const reason = `reason-${randomBytes(6).toString('hex')}`;
  await page.$eval('#close-reason', (input, value) => Object.assign(input, { value }), reason);
  await page.click(button);
  await page.waitForSelector('#state[data-state=closed]');
  expect(
    await page.$eval('#ended', (banner) => [banner.textContent, (banner as HTMLElement).dataset['clean']]),
  ).toEqual([`Closed with 4321 “${reason}”. The close was sealed, and both ends know it.`, 'true']);
  await page.waitForFunction(
    (wanted) => document.querySelector('#wire-rows')?.textContent?.includes(wanted) === true,
    {},
    reason,
  );
  expect((await column(page, 'carried')).join('\n')).not.toContain(reason);
  await page.click('#reconnect');
  await page.waitForSelector('#state[data-state=open]');
  await say(page, 'back again');
  await page.close();
});

test('two pages chat with each other', async () => {
  const first = await openDemo(DESKTOP, 'light');
  const second = await openDemo(DESKTOP, 'light');
  await second.page.waitForFunction(() => (document.querySelector('#present')?.textContent ?? '').includes(','));
  await first.page.bringToFront();
  await say(first.page, 'from the first page');
  await second.page.bringToFront();
  await second.page.waitForFunction(
    () => document.querySelector('#chat-log .theirs .text')?.textContent === 'from the first page',
  );
  await first.page.close();
  await second.page.close();
});

test.for(['light', 'dark'] as const)('fits a phone, %s, on plain http without crypto.subtle', async (scheme) => {
  const { page, problems } = await openDemo(PHONE, scheme, 'insecure.test');
  expect(await page.evaluate(() => typeof crypto.subtle)).toBe('undefined');
  await say(page, 'Hello from a phone');
  await chooseFile(page, await writeUpload('phone'));
  expect((await transferShown(page)).verdict).toBe('✓ The same file at both ends');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.width);
  const small = await page.$$eval(
    'button, label.button, input:not(.sr)',
    (controls) =>
      controls
        .map((control) => control.getBoundingClientRect())
        .filter(({ height, right }) => height < 32 || right > innerWidth).length,
  );
  expect(small).toBe(0);
  expect(problems).toEqual([]);
  await page.screenshot({ path: path.join(SCREENSHOTS, `demo-phone-${scheme}.png`), fullPage: true });
  await page.close();
});

test('everything can be reached with the Tab key, and shows where the focus is', async () => {
  const { page } = await openDemo(DESKTOP, 'light');
  const reached = new Set<string>();
  for (let presses = 0; presses < 24; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      // The file input itself is not visible; its label shows the focus.
      const shown = element?.id === 'file' ? document.querySelector('label[for=file]') : element;
      return { id: element?.id ?? '', outline: shown === null ? '' : getComputedStyle(shown).outlineStyle };
    });
    if (focused.id === '') continue;
    expect(focused).toEqual({ id: focused.id, outline: 'solid' });
    reached.add(focused.id);
  }
  expect([...reached].sort()).toEqual([
    'chat-log',
    'chat-text',
    'close-code',
    'close-reason',
    'file',
    'hang-up',
    'plain',
    'reconnect',
    'sample',
    'wire-scroll',
  ]);
  await page.close();
});

test('the hellos are what is seen first, and stay until somebody does something', async () => {
  const { page } = await openDemo(DESKTOP, 'light');
  await page.waitForFunction(() => document.querySelectorAll('#wire-rows > li').length > 4);
  const isInView = (): Promise<boolean[]> =>
    page.$$eval('#wire-rows .carried', (cells) => {
      const frame = document.querySelector('#wire-scroll')?.getBoundingClientRect() ?? new DOMRect();
      return cells
        .filter(({ textContent }) => textContent?.includes('ml_kem_768'))
        .map((cell) => cell.getBoundingClientRect())
        .map(({ top, bottom }) => top >= frame.top && bottom <= frame.bottom);
    });
  expect(await isInView()).toEqual([true, true]);
  for (let i = 0; i < 12; i += 1) await say(page, `one of several messages, number ${i}`);
  await page.waitForFunction(() => (document.querySelector('#wire-scroll')?.scrollTop ?? 0) > 0);
  await page.close();
});

test('a plain WebSocket beside it, on request alone: there the network reads along', async () => {
  const { page, problems } = await openDemo(DESKTOP, 'light');
  const [before, after] = ['said-before', 'said-after'].map((name) => `${name}-${randomBytes(6).toString('hex')}`) as [
    string,
    string,
  ];
  await say(page, before);
  await page.click('#plain');
  await page.waitForFunction(
    () => document.querySelector('#plain-note')?.textContent?.startsWith('Connected') === true,
  );
  await say(page, after);
  await page.waitForFunction(() => document.querySelectorAll('#plain-rows > li').length === 2);
  const carried = await page.$$eval('#plain-rows .carried', (cells) => cells.map(({ textContent }) => textContent));
  expect(carried).toEqual([expect.stringContaining(after), expect.stringContaining(after)]);
  expect((await column(page, 'carried')).join('\n')).not.toContain(after);
  expect(await axeViolations(page)).toEqual([]);
  await page.click('#plain');
  await page.waitForSelector('#plain[aria-pressed=false]');
  await say(page, before);
  expect(await page.$$('#plain-rows > li')).toHaveLength(2);
  expect(problems).toEqual([]);
  await page.close();
});

test('after a close nothing is left that does nothing, the focus is where one goes on, and then in the chat again', async () => {
  const { page } = await openDemo(DESKTOP, 'dark');
  await page.focus('#close-reason');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#state[data-state=closed]');
  const usable = await page.$$eval('input, button', (controls) =>
    controls.filter((control) => !(control as HTMLInputElement).disabled).map(({ id }) => id),
  );
  expect(usable.sort()).toEqual(['plain', 'reconnect']);
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('reconnect');
  expect(await axeViolations(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#state[data-state=open]');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('chat-text');
  await page.close();
});

test.for([
  [320, 'light'],
  [320, 'dark'],
  [1280, 'light'],
  [1280, 'dark'],
] as const)('axe finds nothing at %i pixels, %s, and nothing is cut off', async ([width, scheme]) => {
  const { page } = await openDemo({ width, height: 800 }, scheme);
  await say(page, 'a word that is so long that it has to be broken: '.padEnd(200, 'x'));
  await page.click('#sample');
  await page.waitForSelector('#save:not([hidden])');
  expect(await axeViolations(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  await page.close();
});

test('a page of another origin is turned away', async () => {
  const { page, origin } = await browser.open({});
  const outcome = await page.evaluate(
    (url) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url);
        socket.onopen = () => resolve('open');
        socket.onclose = () => resolve('closed');
      }),
    `ws://127.0.0.1:${port}/chat`,
  );
  expect({ outcome, sameOrigin: origin === `http://127.0.0.1:${port}` }).toEqual({
    outcome: 'closed',
    sameOrigin: false,
  });
});
