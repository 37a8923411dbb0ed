/** packages/devtools in Chromium's own developer tools: the extension is loaded, its panel opened, and used as people use it. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Frame, Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { InspectEvent } from '../../src/inspect.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import { axeViolations } from './axe.ts';
import { bundle } from './bundle.ts';
import { startBrowser } from './harness.ts';
import type { TestBrowser } from './harness.ts';

const EXTENSION = path.resolve(import.meta.dirname, '../../packages/devtools');
const SCREENSHOTS = path.join(import.meta.dirname, 'screenshots');
/** The front end's own modules. As text, in which Vite rewrites no import. */
const UI = `import('devtools://devtools/bundled/ui/legacy/legacy.js')`;
/** Its row of tabs, which hides those that it has no room for, is not ours to test. */
const VIEWS = `${UI}.then((ui) => ui.ViewManager.ViewManager.instance())`;
const HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">';
const MARKUP = '<img src=x onerror="document.title = 1"><b id="bold">bold</b>';

let browser: TestBrowser;
let bundled: string;
beforeAll(async () => {
  await mkdir(SCREENSHOTS, { recursive: true });
  [browser, bundled] = await Promise.all([startBrowser(EXTENSION), bundle('test/browser/devtools-page.ts')]);
});
afterAll(() => browser.close());

interface Opened {
  readonly page: Page;
  readonly tools: Page;
  readonly panel: Frame;
}

/** Opens a page, its developer tools, and in them the panel. */
async function open(html: string, files: Readonly<Record<string, string>> = {}): Promise<Opened> {
  const opened = await browser.open({ html: HEAD + html, files });
  onTestFinished(async () => {
    expect(opened.problems).toEqual([]);
    await opened.close();
  });
  const tools = await opened.page.openDevTools();
  const extension = await extensionOf(tools);
  // In a window of their own, the tools have room for all three columns.
  await tools.setViewport({ width: 1100, height: 560 });
  await tools.evaluate(`${UI}.then((ui) => ui.DockController.DockController.instance().setDockSide('undocked'))`);
  await tools.evaluate(`${VIEWS}.then((views) => views.showView(${JSON.stringify(`${extension}PQWebSocket`)}))`);
  const panel = await tools.waitForFrame((frame) => frame.url() === `${extension}/src/panel.html`);
  await panel.waitForSelector('#opted-in:not([hidden]), #opted-out:not([hidden])');
  return { page: opened.page, tools, panel };
}

/**
 * Waits until the developer tools have loaded the extension, and it has added its panel.
 * @returns the origin of its pages
 */
async function extensionOf(tools: Page): Promise<string> {
  const page = '/src/devtools.html';
  const frame = await tools.waitForFrame((each) => each.url().endsWith(page));
  const origin = frame.url().slice(0, -page.length);
  await tools.waitForFunction(`${VIEWS}.then((views) => views.hasView(${JSON.stringify(`${origin}PQWebSocket`)}))`);
  return origin;
}

/** A page that says text, markup and bytes to a server that says the same, and closes when asked. */
async function talking(): Promise<Opened> {
  const { server, url } = await startSecure();
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      socket.send(data as Uint8Array, { binary: isBinary });
    });
  });
  const app = `
    const socket = new WebSocket(${JSON.stringify(`${url}/chat`)});
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      socket.send('Hello from the page');
      socket.send(${JSON.stringify(MARKUP)});
      socket.send(Uint8Array.of(0, 255, 128, 0x70, 0x71));
    };
    let heard = 0;
    socket.onmessage = () => { heard += 1; if (heard === 3) document.title = 'heard'; };`;
  const opened = await open('<script src="/bundle.js"></script><script src="/app.js"></script>', {
    'bundle.js': bundled,
    'app.js': app,
  });
  await opened.panel.waitForFunction(() => document.querySelectorAll('#events .received + .kind + .size').length >= 4);
  return opened;
}

/** Events in the list, `direction kind size: summary` each. */
function lines(panel: Frame): Promise<string[]> {
  return panel.$$eval('#events [role=option]', (options) =>
    options.map((option) => {
      const text = (name: string): string => option.querySelector(`.${name}`)?.textContent ?? '';
      return `${text('direction')} ${text('kind')} ${text('size')}: ${text('summary')}`;
    }),
  );
}

const MESSAGES = [
  'sent text 19 B: Hello from the page',
  `sent text ${MARKUP.length} B: ${MARKUP}`,
  'sent binary 5 B: 00ff807071',
];
const ANSWERS = MESSAGES.map((line) => line.replace('sent', 'received'));

async function search(panel: Frame, text: string): Promise<string[]> {
  await panel.$eval('#search', (input) => {
    (input as HTMLInputElement).value = '';
  });
  await panel.type('#search', text);
  return lines(panel);
}

/** What a button, pressed by the keyboard, puts into the clipboard. */
async function copied({ tools, panel }: Opened, button: string): Promise<unknown> {
  await panel.evaluate(() => {
    window.addEventListener('copy', ({ clipboardData }) => {
      document.body.dataset['copied'] = clipboardData?.getData('text/plain') ?? '';
    });
  });
  await panel.focus(button);
  await tools.keyboard.press('Enter');
  const text = await panel.waitForFunction(() => document.body.dataset['copied']);
  return JSON.parse((await text.jsonValue()) ?? '');
}

test('it shows what was said, and what carried it; filters, search and copies go by it', async () => {
  const opened = await talking();
  const { page, tools, panel } = opened;
  await panel.select('#kind', 'messages');
  expect((await lines(panel)).sort()).toEqual([...MESSAGES, ...ANSWERS].sort());

  // The page's text is text: no element came of it, here or after it was chosen.
  await panel.select('#direction', 'sent');
  expect(await lines(panel)).toEqual(MESSAGES);
  await panel.focus('#events');
  for (const key of ['Home', 'ArrowDown'] as const) await tools.keyboard.press(key);
  expect(await panel.$eval('#events [aria-selected=true] .summary', (chosen) => chosen.textContent)).toBe(MARKUP);
  expect(await panel.$eval('#content', (content) => content.textContent)).toBe(MARKUP);
  expect(await panel.$$('img, b, #bold')).toEqual([]);
  expect(await panel.evaluate(() => document.title)).toBe('PQ WebSocket');

  // The same as the page's own inspector says of it.
  const events = (await page.evaluate(
    `JSON.parse(globalThis[Symbol.for('pq-websocket inspect')][0].read(0)).events`,
  )) as InspectEvent[];
  const sent = events.filter((event) => event.type === 'message').filter(({ direction }) => direction === 'sent');
  expect(await copied(opened, '#copy')).toEqual(sent[1]);
  expect(await copied(opened, '#copy-all')).toEqual(sent);
  const { record, batch } = sent[1] as (typeof sent)[number];
  const wire = await panel.$eval('#wire', (box) => box.textContent);
  expect(wire).toContain(`Sealed frame${record.bytes} bytes`);
  expect(wire).toContain(batch === undefined ? 'alone in its record' : `Batch${batch.index + 1} of ${batch.count}`);

  // Bytes come as hex first.
  await panel.focus('#events');
  await tools.keyboard.press('End');
  expect(await panel.$eval('#content', (content) => content.textContent)).toBe(
    `00000000  00 ff 80 70 71${' '.repeat(33)}  ...pq`,
  );
  await panel.focus('#views input[value=text]');
  await tools.keyboard.press('Space');
  expect(await panel.$eval('#content', (content) => content.textContent)).toBe('\0\u{FFFD}\u{FFFD}pq');

  await panel.select('#direction', '');
  expect(await search(panel, 'hello FROM')).toEqual([MESSAGES[0], ANSWERS[0]]);
  expect(await search(panel, 'ff 80')).toEqual([MESSAGES[2], ANSWERS[2]]);
  // Half of a byte and half of the next is no byte.
  expect(await search(panel, 'f807')).toEqual([]);
  await panel.select('#kind', 'binary');
  expect(await search(panel, 'q')).toEqual([MESSAGES[2], ANSWERS[2]]);

  await search(panel, '');
  for (const scheme of ['light', 'dark'] as const) await lookAt(tools, panel, scheme);
});

/** With everything filled: for axe, and for people (docs/pictures/devtools.png is the light one). */
async function lookAt(tools: Page, panel: Frame, value: 'light' | 'dark'): Promise<void> {
  await tools.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
  await panel.waitForFunction((scheme) => matchMedia(`(prefers-color-scheme: ${scheme})`).matches, {}, value);
  await panel.select('#kind', '');
  await panel.focus('#connections');
  await tools.keyboard.press('End');
  await panel.select('#kind', 'messages');
  await panel.focus('#events');
  await tools.keyboard.press('End');
  expect(await axeViolations(panel)).toEqual([]);
  await panel.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  await tools.screenshot({ path: path.join(SCREENSHOTS, `devtools-${value}.png`) });
}

test('sockets and their facts; a close; and a reload begins anew', async () => {
  const { page, tools, panel } = await talking();
  await panel.focus('#connections');
  await tools.keyboard.press('End');
  const facts = await panel.$eval('#facts', (box) => box.textContent);
  const pq = (await page.evaluate('({ ...socket.pq, url: socket.url })')) as { transcriptHash: string; url: string };
  expect(facts).toContain(`URL${pq.url}`);
  expect(facts).toContain('Stateopen');
  expect(facts).toContain('Messages3 sent, 3 received');
  expect(facts).toContain('KEMml-kem-768');
  expect(facts).toMatch(/Transcript hash[0-9a-f]{64}/);

  await page.evaluate(`socket.close(4000, 'that is all')`);
  await panel.waitForFunction(() => document.querySelector('#connections')?.textContent.includes('closed'));
  await panel.select('#kind', 'ends');
  expect(await lines(panel)).toContain('sent close : 4000 that is all');
  expect((await lines(panel)).at(-1)).toBe(' end : 4000 that is all, clean');

  await panel.select('#kind', 'messages');
  await page.reload();
  await panel.waitForFunction(() => document.querySelector('#connections')?.textContent.includes('open'));
  await panel.waitForFunction(() => document.querySelectorAll('#events [role=option]').length >= 6);
  expect((await lines(panel)).sort()).toEqual([...MESSAGES, ...ANSWERS].sort());

  await panel.focus('#keep');
  await tools.keyboard.press('Space');
  await page.reload();
  await panel.waitForFunction(() => document.querySelectorAll('#events [role=option]').length >= 12);
  expect((await lines(panel)).sort()).toEqual([...MESSAGES, ...MESSAGES, ...ANSWERS, ...ANSWERS].sort());
  expect(await panel.$$('#connections [role=option]')).toHaveLength(3);

  await panel.focus('#clear');
  await tools.keyboard.press('Enter');
  expect(await lines(panel)).toEqual([]);
  // The one that lives stays, with its facts; the one of the page that was left does not.
  const rest = await panel.$$eval('#connections [role=option]', (options) => options.map((each) => each.textContent));
  expect(rest).toEqual(['All sockets', expect.stringContaining('#1open')]);
});

test('a page that has not opted in is told how', async () => {
  const { panel } = await open('<h1>A page</h1>');
  const advice = await panel.$eval('#opted-out', (box) => (box as HTMLElement).innerText);
  expect(advice).toContain('This page has not opted in');
  expect(advice).toContain('data-pq-inspect');
  expect(advice).toContain("import 'pq-websocket/inspect'");
  expect(await panel.$('#opted-in:not([hidden])')).toBeNull();
  expect(await axeViolations(panel)).toEqual([]);
});

test('a page that lies is shown as text, and what has no known shape is left out', async () => {
  const base = { socket: 1, at: 0 };
  const events = [
    { ...base, type: 'start', role: 'client', url: MARKUP },
    { ...base, type: 'failure', code: MARKUP, message: MARKUP, origin: 'local' },
    { ...base, type: 'start', role: MARKUP },
    { ...base, type: 'constructor' },
    { ...base, type: 'end', code: '1000', reason: '', wasClean: true },
    { ...base, at: 1e300, type: 'hello', direction: 'sent', size: 1 },
    null,
  ];
  const { panel } = await open('<script src="/lies.js"></script>', {
    'lies.js': `
      const events = ${JSON.stringify(events)};
      globalThis[Symbol.for('pq-websocket inspect')] = [
        { version: 1, read: (after) => JSON.stringify({ next: 7, lost: 0, events: events.slice(after) }) },
        { version: 2, read: () => 'of another version' },
      ];`,
  });
  await panel.waitForFunction(() => document.querySelectorAll('#events [role=option]').length > 0);
  expect(await lines(panel)).toEqual([` start : a client begins: ${MARKUP}`, ` failure : ${MARKUP}: ${MARKUP}`]);
  expect(await panel.$eval('#status', (status) => status.textContent)).toContain('5 have a shape');
  expect(await panel.$$('img, b, #bold')).toEqual([]);
});

test('a page that makes up inspectors, connections and texts without end has a bounded part of the panel', async () => {
  const { panel } = await open('<script src="/lies.js"></script>', {
    'lies.js': `
      const start = (socket) => ({ socket, at: 0, type: 'start', role: 'client' });
      const said = { ...start(7), type: 'message', direction: 'sent', kind: 'text', size: 9e6, data: 'x'.repeat(9e6),
        record: { number: 0, generation: 0, epoch: 0, bytes: 9e6 } };
      const starts = Array.from({ length: 3000 }, (_, i) => start(i));
      const source = (all) => ({
        version: 1,
        read: (after) => JSON.stringify({ next: all.length, lost: 0, events: all.slice(after) }),
      });
      globalThis[Symbol.for('pq-websocket inspect')] = [
        source(starts), source([said]), ...Array.from({ length: 6 }, () => source([])),
        source(Array.from({ length: 20000 }, (_, i) => start(i))),
      ];`,
  });
  // Of the ninth nothing: 3,000 of the first, one of the second.
  await panel.waitForFunction(() => document.querySelector('#status')?.textContent.startsWith('3001 of 3001 events'));
  expect(await panel.$$('#connections [role=option]')).toHaveLength(1 + 1_000);
  expect((await lines(panel)).at(-1)).toBe('sent text 9000000 B: too long to be read from the page');
  expect(await panel.$eval('#status', (status) => status.textContent)).not.toMatch(/gone|shape|cannot be read/);
});

test("its version is the package's", () => {
  const versionIn = (file: string): unknown =>
    (JSON.parse(readFileSync(path.join(EXTENSION, file), 'utf8')) as { version: unknown }).version;
  expect(versionIn('manifest.json')).toBe(versionIn('../../package.json'));
  expect(versionIn('package.json')).toBe(versionIn('../../package.json'));
});
