/** In each browser: the demo with a picture of it, the script tag, pages that are left and come back to, and pq-websocket/native. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildScriptTag, POLYFILL } from '../../scripts/lib/script-tag.ts';
import { ENGINES } from '../support/engines/all.ts';
import { startDemo, visitDemo } from '../support/engines/demo.ts';
import type { RunningDemo } from '../support/engines/demo.ts';
import type { Engine, EnginePage } from '../support/engines/engine.ts';
import { rawServer } from '../support/raw-peer.ts';
import { assertSealed } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import type { Tapped } from '../support/ws-endpoints.ts';
import { leaveAndReturn } from './back-forward.ts';
import { bundle } from './bundle.ts';
import type { NativeSeen } from './native-page.ts';
import { openBody } from './open-body.ts';
import { serve } from './static-server.ts';
import type { Content } from './static-server.ts';

const SCREENSHOTS = path.join(import.meta.dirname, 'screenshots');
/** Keeps what is written to the console; then the page's own script, which has never heard of this package. */
const APP = `
  function talk(url) {
    return new Promise((resolve) => {
      const seen = [];
      const socket = new WebSocket(url, ['chat']);
      socket.onopen = () => socket.send('from the page');
      socket.onmessage = ({ data }) => { seen.push(data); socket.close(4000, 'thank you'); };
      socket.onclose = ({ code, reason, wasClean }) => resolve([...seen, code, reason, wasClean]);
    });
  }`;
/** What comes of a socket: how its constructor fails, or its events. */
const MIXED = `
  function attempt(url) {
    return new Promise((resolve) => {
      const seen = [];
      try {
        const socket = new WebSocket(url);
        for (const type of ['open', 'error', 'close']) socket.addEventListener(type, () => { seen.push([type, socket.readyState]); });
        socket.onopen = () => socket.close();
        socket.onclose = () => resolve(seen);
        // Where no close follows: it would have by then.
        socket.onerror = () => setTimeout(resolve, 500, seen);
      } catch (error) {
        resolve([error.name, error instanceof DOMException]);
      }
    });
  }`;
const [cert, key] = ['cert', 'key'].map((part) =>
  readFileSync(path.join(import.meta.dirname, '../gateway/certificates', `one.${part}.pem`)),
) as [Buffer, Buffer];
const CERTIFICATE = { cert, key };
const CONSOLE =
  'var said = []; for (const kind of ["error", "warn"]) console[kind] = (...values) => { said.push(values.join(" ")); };';

let demo: RunningDemo;
let files: Readonly<Record<string, Content>>;
beforeAll(async () => {
  await mkdir(SCREENSHOTS, { recursive: true });
  const [started, { files: built }, native] = await Promise.all([
    startDemo(),
    buildScriptTag(),
    bundle('test/browser/native-page.ts', 'iife', ['native']),
  ]);
  demo = started;
  files = { ...built, 'polyfill.js': built[POLYFILL] ?? '', 'app.js': APP, 'console.js': CONSOLE, 'native.js': native };
});
afterAll(() => demo?.stop());

async function echo(): Promise<Tapped> {
  const running = await startSecure();
  running.server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
  });
  return running;
}

describe.each(ENGINES)('$name', ({ name, start }) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await start();
  });
  afterAll(() => engine?.close());

  async function open(body: string): Promise<EnginePage> {
    return openBody(engine, `<script src="/console.js"></script>${body}`, files);
  }

  const tagged = (attributes: string): Promise<EnginePage> =>
    open(`<script src="/polyfill.js" ${attributes}></script><script src="/app.js"></script>`);

  test('the demo: chat, a file, both ends agreeing, nothing of it on the wire', async () => {
    const text = `Hello from ${name}`;
    const seen = await visitDemo(engine, demo.port, text, path.join(SCREENSHOTS, `engine-${name.toLowerCase()}.png`));
    expect(seen).toMatchObject({ state: 'Connected and sealed', equal: 2, verdict: '✓ The same file at both ends' });
    expect(seen.chat).toContain(text);
    expect(seen.facts).toContain('ml-kem-768');
    expect(seen.said).toContain(text);
    expect(seen.carried).toContain('ml_kem_768');
    for (const plain of [text, '"file-done"']) expect(seen.carried).not.toContain(plain);
  });

  test('the script tag secures what names the global class', async () => {
    const { url, tap } = await echo();
    const page = await tagged('');
    expect(await page.run(`return talk('${url}')`)).toEqual(['from the page', 4000, 'thank you', true]);
    assertSealed(tap, ['from the page', 'thank you']);
    expect(await page.run('return said')).toEqual([]);
  });

  test.each([
    ['data-server-keys="sha256:12"', 'data-server-keys'],
    ['data-inclde="ws://x/*"', 'data-inclde'],
    ['data-handshake-timeout="soon"', 'data-handshake-timeout'],
  ])('%s: no socket opens, and the console names it', async (attribute, named) => {
    const server = await rawServer((peer) => {
      peer.send('welcome');
    });
    onTestFinished(() => server.close());
    const page = await tagged(attribute);
    expect(await page.run(`return talk('${server.url}').then(String, (error) => error.name)`)).toBe('SecurityError');
    const said = (await page.run('return said')) as string[];
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(`'${named}'`);
    // What would have been the first connection never came: the next one is this.
    const probe = await open('');
    await probe.run(
      `return new Promise((resolve) => { new WebSocket('${server.url}', ['probe']).onopen = () => resolve(); })`,
    );
    expect((await server.nextPeer()).socket.protocol).toBe('probe');
  });

  test('a page that is left with an open socket and come back to sees the same with either class', async () => {
    const plain = await rawServer();
    onTestFinished(() => plain.close());
    const { url } = await echo();
    const native = await leaveAndReturn(engine, plain.url, files, '');
    // Firefox keeps no page with an open socket.
    expect(native).toEqual(
      name === 'Firefox'
        ? { seen: [['pageshow', false]], socket: null }
        : {
            seen: [
              ['pageshow', false],
              ['pagehide', true],
              ['pageshow', true],
              ['error', null, 3],
              ['close', 1006, 3],
            ],
            socket: 3,
          },
    );
    expect(await leaveAndReturn(engine, url, files, '<script src="/polyfill.js"></script>')).toEqual(native);
  });

  test('mixed content: an https page that asks for ws:// gets the same with either class', async () => {
    const plain = await rawServer((peer) => {
      peer.send('welcome');
    });
    onTestFinished(() => plain.close());
    const { url } = await echo();
    const results: unknown[] = [];
    for (const [to, tag] of [
      [plain.url, ''],
      [url, '<script src="/polyfill.js"></script>'],
    ] as const) {
      const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">${tag}<script src="/mixed.js"></script>`;
      const server = await serve({ ...files, 'mixed.js': MIXED, 'index.html': html }, undefined, {}, CERTIFICATE);
      const page = await engine.open(`https://127.0.0.1:${server.port}/`);
      results.push(await page.run(`return [await attempt('${to}'), await attempt('ws://mixed.invalid/')]`));
      await page.close();
      await server.close();
    }
    if (name === 'WebKitGTK') {
      // It blocks loopback too, and fires error alone, while CONNECTING; WHATWG WebSockets, 4 has it CLOSED, and close after it.
      expect(results).toEqual([
        [[['error', 0]], [['error', 0]]],
        [
          [
            ['error', 3],
            ['close', 3],
          ],
          [
            ['error', 3],
            ['close', 3],
          ],
        ],
      ]);
    } else {
      const [native, ours] = results;
      expect(native).toEqual([
        [
          ['open', 1],
          ['close', 3],
        ],
        ['SecurityError', true],
      ]);
      expect(ours).toEqual(native);
    }
  });

  test('pq-websocket/native: the ML-KEM of the engine, or no connection and a failure that says so', async () => {
    const { url, tap } = await echo();
    const page = await open('<script src="/native.js"></script>');
    const seen = (await page.run(`return visit('${url}')`)) as NativeSeen;
    if (name === 'Chromium') {
      expect(seen).toEqual({
        nativeKem: true,
        heard: ['a secret of the page'],
        events: ['open', 'close'],
        close: [4000, 'enough', true],
      });
    } else {
      expect(seen).toMatchObject({
        heard: [],
        events: ['error', 'close'],
        close: [1006, '', false],
        failure: expect.stringContaining('this engine has no ML-KEM-768 of its own') as string,
      });
    }
    assertSealed(tap, ['a secret of the page', 'enough']);
  });
});
