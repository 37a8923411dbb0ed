/** The two files for pages without a bundler, in Chromium: each holds everything, loads nothing, and leaves the platform's class alone. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { BROWSER_MODULE, buildScriptTag, GLOBAL_SCRIPT } from '../../scripts/lib/script-tag.ts';
import { assertSealed } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import { startBrowser } from './harness.ts';
import type { TestBrowser } from './harness.ts';

type Talk = (url: string) => Promise<unknown[]>;
declare const talk: Talk;
declare const ready: Promise<void>;

const CSP = "default-src 'none'; script-src 'self'; connect-src ws:; img-src data:";
const TALK = `
  async function talk(url) {
    const socket = new PQWebSocket(url, ['chat']);
    const native = [WebSocket === before, /native code/.test(Function.prototype.toString.call(WebSocket))];
    const seen = await new Promise((resolve) => {
      const heard = [];
      socket.onopen = () => socket.send('from the page');
      socket.onmessage = ({ data }) => { heard.push(data); socket.close(4000, 'thank you'); };
      socket.onclose = ({ code, reason, wasClean }) => resolve([...heard, code, reason, wasClean]);
    });
    return [...native, PQWebSocket.name, new PQWebSocketError('PQ_ERR_LOAD') instanceof Error, ...seen];
  }`;
/** By kind: what the page loads, each a file of its own as the policy wants. */
const PAGES = {
  module: {
    html: '<script src="/before.js"></script><script type="module" src="/app.js"></script>',
    app: `import { PQWebSocket, PQWebSocketError } from '/${BROWSER_MODULE}';${TALK};globalThis.talk = talk;told();`,
  },
  script: {
    html: `<script src="/before.js"></script><script src="/${GLOBAL_SCRIPT}"></script><script src="/app.js"></script>`,
    app: `${TALK};told();`,
  },
} as const;

let browser: TestBrowser;
let built: Readonly<Record<string, string>>;
beforeAll(async () => {
  [browser, { files: built }] = await Promise.all([startBrowser(), buildScriptTag()]);
});
afterAll(() => browser.close());

describe.each(['module', 'script'] as const)('one file, as a %s', (kind) => {
  // Without crypto.subtle all that is portable is needed, and there is nothing to load it from.
  test.each([true, false])('talks, and asks for no other file (secure context: %s)', async (secure) => {
    const { server, url, tap } = await startSecure();
    server.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => {
        socket.send(data, { binary: isBinary });
      });
    });
    const { html, app } = PAGES[kind];
    const file = kind === 'module' ? BROWSER_MODULE : GLOBAL_SCRIPT;
    const opened = await browser.open({
      html: `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">${html}`,
      files: {
        [file]: built[file] ?? '',
        'before.js': 'const before = WebSocket; let told; const ready = new Promise((resolve) => { told = resolve; });',
        'app.js': app,
      },
      headers: { 'Content-Security-Policy': CSP },
      secure,
    });
    onTestFinished(() => opened.close());
    await opened.page.evaluate(() => ready);
    const native = [true, true, 'PQWebSocket', true];
    const echoed = ['from the page', 4000, 'thank you', true];
    expect(await opened.page.evaluate((to) => talk(to), url)).toEqual([...native, ...echoed]);
    assertSealed(tap, ['from the page', 'thank you']);
    const loaded = await opened.page.evaluate(() =>
      performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
    );
    expect(loaded.sort()).toEqual(['/app.js', '/before.js', `/${file}`].sort());
    expect(opened.problems).toEqual([]);
  });
});

test('the global script gives its names as the platform gives its own: writable, and not enumerable', async () => {
  const opened = await browser.open({
    html: `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,"><script src="/global.js"></script>`,
    files: { 'global.js': built[GLOBAL_SCRIPT] ?? '' },
  });
  onTestFinished(() => opened.close());
  const shapes = await opened.page.evaluate(() =>
    ['PQWebSocket', 'PQWebSocketError', 'WebSocket'].map((name) => {
      const { value, ...shape } = Object.getOwnPropertyDescriptor(globalThis, name) as PropertyDescriptor;
      return [typeof value, shape];
    }),
  );
  const shape = ['function', { writable: true, enumerable: false, configurable: true }];
  expect(shapes).toEqual([shape, shape, shape]);
});
