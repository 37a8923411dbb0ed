/**
 * `npm run examples`: each example with a package.json of its own, as who downloads it runs it: `npm install && npm start`, with the
 * packed tarball in place of the published package, in Node and in two tabs of Chromium, with a tap on the wire.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import type { Page } from 'puppeteer-core';
import { run } from '../../scripts/lib/run.ts';
import { startBrowser } from '../browser/harness.ts';
import type { TestBrowser } from '../browser/harness.ts';
import { pack } from '../support/packed.ts';
import type { Packed } from '../support/packed.ts';
import { assertSealed, startTap } from '../support/tap.ts';
import type { Tap } from '../support/tap.ts';

const execute = promisify(execFile);
const EXAMPLES = path.resolve(import.meta.dirname, '../../examples');
const INSTALL_LIMIT_MS = 3 * 60_000;
const START_LIMIT_MS = 60_000;
const PAGE_LIMIT_MS = 30_000;
const ADDRESS = /(?:http|ws):\/\/(?:127\.0\.0\.1|localhost):(\d+)/;
const SAID = 'what is said in an example';

interface Installed {
  readonly folder: string;
  /** `npm start`, until it names its port. */
  start(): Promise<{ readonly port: number; stop(): Promise<void> }>;
}

async function install(packed: Packed, name: string): Promise<Installed> {
  const folder = path.join(packed.scratch, name);
  await cp(path.join(EXAMPLES, name), folder, {
    recursive: true,
    filter: (file) => path.basename(file) !== 'node_modules',
  });
  const manifest = path.join(folder, 'package.json');
  const text = await readFile(manifest, 'utf8');
  const replaced = text.replace(
    /"pq-websocket": "[^"]*"/,
    `"pq-websocket": ${JSON.stringify(`file:${packed.tarball}`)}`,
  );
  assert.notEqual(replaced, text, `${name} does not depend on pq-websocket`);
  await writeFile(manifest, replaced);
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'];
  await run('npm', args, { cwd: folder, timeout: INSTALL_LIMIT_MS });
  return { folder, start: () => start(folder) };
}

function start(folder: string): ReturnType<Installed['start']> {
  // npm starts a shell that starts the program: a group of their own ends as one.
  const child = spawn('npm', ['start'], {
    cwd: folder,
    detached: true,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL');
    await closed;
  };
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (why: string): void => {
      reject(new Error(`npm start ${why}:\n${output.slice(-2000)}`));
    };
    const timer = setTimeout(() => {
      fail('names no port');
      void stop();
    }, START_LIMIT_MS);
    void closed.then(() => {
      clearTimeout(timer);
      fail('ended');
    });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const port = ADDRESS.exec(stripVTControlCharacters(output))?.[1];
        if (port === undefined) return;
        clearTimeout(timer);
        resolve({ port: Number(port), stop });
      });
  });
}

/** Polled by a timer: a tab in the background has no animation frames. */
const shows = (page: Page, condition: string): Promise<unknown> =>
  page.waitForFunction(condition, { timeout: PAGE_LIMIT_MS, polling: 100 });

/** Vite's own socket, which reloads the page, is no part of the application. */
const chats = (tap: Tap): Pick<Tap, 'connections'> => ({
  connections: tap.connections.filter(({ upgrade }) => upgrade.request.startsWith('GET /chat ')),
});

async function nodeEcho({ folder, start: begin }: Installed): Promise<void> {
  const server = await begin();
  const tap = await startTap(server.port);
  try {
    const args = ['run', '--silent', 'say', '--', SAID, tap.url];
    const { stdout } = await execute('npm', args, { cwd: folder, timeout: START_LIMIT_MS });
    assert.match(stdout, new RegExp(`^${SAID} \\(ml-kem-768, `, 'm'));
    assertSealed(tap, [SAID]);
  } finally {
    await server.stop();
    await tap.close();
  }
}

/** @returns the tap's connections of the application, in the order in which they were made */
async function chat(
  { start: begin }: Installed,
  browser: TestBrowser,
  isOpen: string,
): Promise<Pick<Tap, 'connections'>> {
  const server = await begin();
  const tap = await startTap(server.port);
  try {
    const problems: string[] = [];
    const open = async (): Promise<Page> => {
      const page = await browser.browser.newPage();
      page.on('pageerror', (error) => problems.push(String(error)));
      await page.goto(`http://127.0.0.1:${tap.port}/`);
      await shows(page, `${isOpen}.test(document.querySelector('[role=status]').textContent)`);
      return page;
    };
    const one = await open();
    const two = await open();
    await one.bringToFront();
    await one.type('input', SAID);
    await one.keyboard.press('Enter');
    for (const page of [one, two])
      await shows(page, `document.querySelector('[role=log]').textContent === ${JSON.stringify(SAID)}`);
    assert.deepEqual(problems, []);
    assertSealed(chats(tap), [SAID]);
    await Promise.all([one, two].map((page) => page.close()));
    return chats(tap);
  } finally {
    await server.stop();
    await tap.close();
  }
}

/** Pages that show an example's code show what runs. */
async function shownInDocs(page: string, file: string): Promise<void> {
  const [shown, code] = await Promise.all([
    readFile(path.join(EXAMPLES, '../docs/frameworks', page), 'utf8'),
    readFile(path.join(EXAMPLES, file), 'utf8'),
  ]);
  const [, body = ''] = /(export function usePQWebSocket[^]*?\n\}\n)/.exec(code) ?? [];
  const bare = body.replaceAll(/ \/\/ .*$/gm, '');
  assert(bare !== '' && shown.includes(bare), `docs/frameworks/${page} does not show the hook of examples/${file}`);
}

/** @returns the exit code */
export async function main(): Promise<number> {
  await shownInDocs('react.md', 'react-hook/src/use-pq-websocket.js');
  await shownInDocs('vue.md', 'vue/client.js');
  const packed = await pack();
  const browser = await startBrowser();
  try {
    await nodeEcho(await install(packed, 'node-echo'));
    console.log('node-echo: npm install, npm start, npm run say');
    await chat(await install(packed, 'vite-chat'), browser, '/^sealed: ml-kem-768/');
    console.log('vite-chat: npm install, npm start, and two tabs hear each other');
    const { connections } = await chat(await install(packed, 'react-hook'), browser, '/^open$/');
    // StrictMode mounts each tab's hook twice: the first socket is closed, and only the second says anything.
    const spoke = connections.filter(({ frames }) => frames.length > 2);
    assert.equal(spoke.length, 2);
    assert(connections.length > spoke.length, 'StrictMode made no second socket, so nothing is shown');
    console.log(`react-hook: under StrictMode two tabs made ${connections.length} sockets, of which two spoke`);
    return 0;
  } finally {
    await browser.close();
    await packed.remove();
  }
}
