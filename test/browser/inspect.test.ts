/** `data-pq-inspect` and `pq-websocket/inspect` in pages: who opts in sees all of it, and nobody else can turn it on. */
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildScriptTag, POLYFILL } from '../../scripts/lib/script-tag.ts';
import type { InspectEvent } from '../../src/inspect.ts';
import type { Engine } from '../support/engines/engine.ts';
import { startChromium } from '../support/engines/puppeteer.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import { bundle } from './bundle.ts';
import { serve } from './static-server.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const READ = `JSON.parse(globalThis[Symbol.for('pq-websocket inspect')]?.[0]?.read(0) ?? 'null')`;
const HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">';

let engine: Engine;
let files: Readonly<Record<string, string>>;
beforeAll(async () => {
  [engine, { files }] = await Promise.all([startChromium(), buildScriptTag()]);
});
afterAll(() => engine.close());

/** @param make what a page says to have a socket */
async function talk(page: string, more: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const { server, url } = await startSecure();
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      socket.send(data as Uint8Array, { binary: isBinary });
    });
  });
  const app = `
    globalThis.result = new Promise((resolve) => {
      const socket = new WebSocket(${JSON.stringify(url)});
      socket.onopen = () => socket.send('from the page');
      socket.onmessage = () => socket.close(4000, 'bye');
      socket.onclose = ({ code }) => resolve([code, socket.pq.failure?.code]);
    });`;
  const site = await serve({ ...files, ...more, 'app.js': app, 'index.html': HEAD + page });
  onTestFinished(() => site.close());
  const opened = await engine.open(`http://127.0.0.1:${site.port}/`);
  onTestFinished(() => opened.close());
  return opened.run(`const result = await globalThis.result; return { result, read: ${READ} };`);
}

const tag = (attributes: string): string => `<script src="/${POLYFILL}" ${attributes}></script>`;
const APP = '<script src="/app.js"></script>';

interface Seen {
  readonly result: unknown;
  readonly read: { readonly events: InspectEvent[] } | null;
}

function expectAll({ result, read }: Seen): void {
  expect(result).toEqual([4000, null]);
  const events = read?.events ?? [];
  // The very first connection is seen from its beginning, though the part was not there when it began.
  expect(events.map(({ type }) => type).filter((type) => type !== 'control')).toEqual([
    ...['start', 'hello', 'hello', 'accepted', 'open', 'message', 'message', 'close', 'close', 'end'],
  ]);
  expect(events.filter(({ type }) => type === 'message')).toMatchObject([
    { direction: 'sent', data: 'from the page', record: { number: 1 } },
    { direction: 'received', data: 'from the page', record: { number: 1 } },
  ]);
  expect(events.at(-1)).toMatchObject({ code: 4000, wasClean: true });
}

test('the attribute loads the part, and every connection is seen', async () => {
  expectAll((await talk(tag('data-pq-inspect') + APP)) as Seen);
});

test('so does the import', async () => {
  const page = '<script type="module" src="/module.js"></script><script type="module" src="/app.js"></script>';
  expectAll((await talk(page, { 'module.js': await bundle('test/browser/devtools-page.ts', 'esm') })) as Seen);
});

test('nothing else does: no message, event, global, storage entry, nor an attribute that says false', async () => {
  const tricks = `
    for (const name of ['pq-inspect', 'data-pq-inspect', 'pq-websocket inspect', 'inspect']) {
      localStorage.setItem(name, 'true');
      sessionStorage.setItem(name, 'true');
      document.cookie = name.replaceAll(' ', '-') + '=true';
      globalThis[name] = true;
      dispatchEvent(new Event(name));
      document.dispatchEvent(new CustomEvent(name, { detail: true }));
      postMessage({ type: name, inspect: true }, '*');
      document.documentElement.setAttribute('data-pq-inspect', '');
      document.querySelector('script').setAttribute('data-pq-inspect', '');
    }`;
  for (const attributes of ['', 'data-pq-inspect="false"']) {
    const page = `${tag(attributes)}<script src="/tricks.js"></script>${APP}`;
    const { result, read } = (await talk(page, { 'tricks.js': tricks })) as Seen;
    expect({ result, read }).toEqual({ result: [4000, null], read: null });
  }
});

test('where the part does not come, the connection says so and fails', async () => {
  const { result } = (await talk(tag('data-pq-inspect') + APP, { 'pq-websocket.inspect.min.js': 'void 0' })) as Seen;
  expect(result).toEqual([1006, 'PQ_ERR_LOAD']);
});

test('a bundle that does not import it has none of its code', async () => {
  const inputs = async (entry: string, conditions: string[]): Promise<string[]> => {
    const { metafile } = await build({
      entryPoints: [entry],
      absWorkingDir: ROOT,
      bundle: true,
      write: false,
      metafile: true,
      outdir: 'out',
      format: 'esm',
      platform: 'browser',
      conditions,
      logLevel: 'silent',
    });
    return Object.keys(metafile.inputs);
  };
  const own = ['src/connection/watch.ts', 'src/connection/inspector.ts', 'src/inspect.ts'];
  for (const entry of ['src/index.ts', 'src/polyfill.ts', 'src/stream.ts', 'src/server.ts', 'src/ws-browser.ts']) {
    const found = await inputs(entry, ['browser']);
    expect(found.filter((name) => own.includes(name))).toEqual([]);
  }
  expect(await inputs('src/polyfill-script.ts', ['browser', 'script-tag'])).not.toContain('src/connection/watch.ts');
  expect(await inputs('src/inspect.ts', ['browser'])).toEqual(expect.arrayContaining(own));
});
