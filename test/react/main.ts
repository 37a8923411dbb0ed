/** `npm run react`: examples/react-vite from the packed tarball, built by Vite, in two tabs of a real browser, with a tap on the wire. */
import assert from 'node:assert/strict';
import { cp, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'puppeteer-core';
import { ensureTools, toolFolder } from '../../scripts/lib/locked-tools.ts';
import { run } from '../../scripts/lib/run.ts';
import { startBrowser } from '../browser/harness.ts';
import type { RunningServer } from '../packed/processes.ts';
import { startServer } from '../packed/processes.ts';
import { pack } from '../support/packed.ts';
import { assertSealed, startTap } from '../support/tap.ts';
import type { Tap } from '../support/tap.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SCREENSHOTS = path.join(ROOT, 'test/browser/screenshots');
const LIMIT_MS = 2 * 60_000;
const PACKAGES = ['react', 'react-dom', 'scheduler', 'vite', '@vitejs'];
/** What is said in the room, none of which may be on the wire. */
const SECRETS = ['marker-hello', 'marker-again', '"type":"line"', '"points":['];

async function prepare(app: string): Promise<string> {
  const room = path.join(app, 'room');
  const modules = path.join(room, 'node_modules');
  await cp(path.join(ROOT, 'examples/react-vite'), room, {
    recursive: true,
    filter: (file) => !/node_modules|dist$/.test(path.relative(ROOT, file)),
  });
  await mkdir(modules);
  for (const name of PACKAGES)
    await symlink(path.join(toolFolder('react'), 'node_modules', name), path.join(modules, name));
  await run(path.join(toolFolder('react'), 'node_modules/.bin/vite'), ['build', '--logLevel', 'warn'], {
    cwd: room,
    timeout: LIMIT_MS,
  });
  return room;
}

const startRoom = (room: string, port = 0): Promise<RunningServer> =>
  startServer(
    { command: 'env', args: [`PORT=${port}`, process.execPath, 'server.js'], cwd: room },
    /http:\/\/127\.0\.0\.1:(\d+)/,
  );

/** The page shows it, soon. Polled by a timer: a tab in the background has no animation frames. */
const shows = (page: Page, condition: string): Promise<unknown> =>
  page.waitForFunction(condition, { timeout: 30_000, polling: 100 });
const state = (page: Page, wanted: string): Promise<unknown> =>
  shows(page, `document.querySelector('.state').dataset.state === '${wanted}'`);
const hears = (page: Page, text: string): Promise<unknown> =>
  shows(page, `document.querySelector('.chat ol').innerText.includes('${text}')`);
const strokes = (page: Page, count: number): Promise<unknown> =>
  shows(page, `document.querySelector('canvas').dataset.strokes === '${count}'`);

async function say(page: Page, text: string): Promise<void> {
  await page.type('.chat input', text);
  await page.keyboard.press('Enter');
}

async function draw(page: Page): Promise<void> {
  const box = await (await page.$('canvas'))?.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width * 0.2, box.y + box.height * 0.6);
  await page.mouse.down();
  for (let i = 1; i <= 40; i += 1) {
    await page.mouse.move(
      box.x + box.width * (0.2 + 0.6 * (i / 40)),
      box.y + box.height * (0.5 + 0.25 * Math.sin(i / 5)),
    );
  }
  await page.mouse.up();
}

/** The space bar puts the pen down, arrow keys move it. */
async function drawByKeys(page: Page): Promise<void> {
  await page.focus('canvas');
  for (const key of [
    'ArrowUp',
    'ArrowUp',
    ' ',
    ...Array<string>(8).fill('ArrowRight'),
    ...Array<string>(5).fill('ArrowDown'),
    ' ',
  ] as const) {
    await page.keyboard.press(key as 'ArrowUp');
  }
}

async function readFacts(page: Page): Promise<Record<string, string>> {
  await page.focus('.badge');
  await page.keyboard.press('Enter');
  await shows(page, `document.querySelector('dialog').open && document.querySelectorAll('dl div').length >= 6`);
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('dl div')].map((row) => [
        row.children[0]?.textContent ?? '',
        row.children[1]?.textContent ?? '',
      ]),
    ),
  );
}

/** @returns the exit code */
export async function main(): Promise<number> {
  console.log(await ensureTools('react'));
  await mkdir(SCREENSHOTS, { recursive: true });
  const packed = await pack();
  const browser = await startBrowser();
  let server: RunningServer | undefined;
  let tap: Tap | undefined;
  try {
    const room = await prepare(await packed.install('app'));
    server = await startRoom(room);
    tap = await startTap(server.port);
    const problems: string[] = [];
    const open = async (name: string): Promise<Page> => {
      const page = await browser.browser.newPage();
      page.on('pageerror', (error) => problems.push(String(error)));
      await page.setViewport({ width: 1100, height: 720 });
      await page.goto(`http://127.0.0.1:${tap?.port}/?name=${name}`);
      await state(page, 'open');
      return page;
    };
    const ada = await open('Ada');
    const ben = await open('Ben');
    for (const page of [ada, ben]) await shows(page, `document.querySelectorAll('.people li').length === 2`);
    await say(ada, 'marker-hello');
    await hears(ben, 'marker-hello');
    await ada.bringToFront();
    await draw(ada);
    await drawByKeys(ada);
    for (const page of [ada, ben]) await strokes(page, 2);
    console.log('two tabs see each other: people, chat, a drawing by mouse and by keys');

    await ben.bringToFront();
    const facts = await readFacts(ben);
    assert.match(facts['Key agreement'] ?? '', /^ml-kem-768/);
    assert.match(facts['Cipher'] ?? '', /^AES-256-GCM, by webcrypto$/);
    assert.match(facts['Transcript'] ?? '', /^[0-9a-f]{64}$/);
    assert.match(facts['Records sealed'] ?? '', /^[1-9]\d* \([\d,]+ bytes\)$/);
    await ben.screenshot({ path: path.join(SCREENSHOTS, 'react-facts.png') });
    await ben.keyboard.press('Escape');
    await shows(ben, `!document.querySelector('dialog').open && document.activeElement.className === 'badge'`);
    console.log('the badge opens the facts by keyboard, and Escape closes them');

    await server.stop();
    await state(ada, 'lost');
    await shows(
      ada,
      `document.querySelector('.chat form button').disabled && document.querySelector('.badge').dataset.secure === 'false'`,
    );
    const port = server.port;
    server = await startRoom(room, port);
    for (const page of [ada, ben]) await state(page, 'open');
    for (const page of [ada, ben]) await shows(page, `document.querySelectorAll('.people li').length === 2`);
    await say(ben, 'marker-again');
    await hears(ada, 'marker-again');
    console.log('the server was killed and started again: both came back by themselves');

    await ada.bringToFront();
    await draw(ada);
    await ada.screenshot({ path: path.join(SCREENSHOTS, 'react-desktop.png') });
    await ada.setViewport({ width: 390, height: 780, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
    await ada.goto(`http://127.0.0.1:${tap.port}/?name=Ada`);
    await state(ada, 'open');
    assert.ok(
      await ada.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
      'no sideways scrolling on a phone',
    );
    await strokes(ada, 1);
    await ada.screenshot({ path: path.join(SCREENSHOTS, 'react-phone.png') });
    assertSealed(tap, SECRETS);
    assert.deepEqual(problems, []);
    console.log(
      `the tap saw ${tap.connections.length} connections and no word of theirs; screenshots are in ${path.relative(ROOT, SCREENSHOTS)}`,
    );
    return 0;
  } finally {
    await browser.close();
    await tap?.close();
    await server?.stop();
    await packed.remove();
  }
}
