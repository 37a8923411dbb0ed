/** The script tag in each browser, beside what else stands on pages: foreign attributes, policies, workers, and what changes the platform. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildScriptTag, POLYFILL } from '../../scripts/lib/script-tag.ts';
import { ENGINES } from '../support/engines/all.ts';
import type { Engine, EnginePage } from '../support/engines/engine.ts';
import { rawServer } from '../support/raw-peer.ts';
import { assertSealed } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import type { Tapped } from '../support/ws-endpoints.ts';
import { openBody } from './open-body.ts';

const NO_PIN = `sha256:${'0'.repeat(64)}`;
const read = (file: string): string =>
  readFileSync(path.resolve(import.meta.dirname, '../../node_modules', file), 'utf8');

/** The page's own script, which has never heard of this package. */
const TALK = `
  function talk(url) {
    return new Promise((resolve) => {
      const seen = [];
      let socket;
      try { socket = new WebSocket(url); } catch (error) { resolve([error.name]); return; }
      socket.onopen = () => socket.send('from the page');
      socket.onmessage = ({ data }) => { seen.push(data); socket.close(4000, 'thank you'); };
      socket.onclose = ({ code }) => resolve([...seen, code, socket.pq?.failure?.code ?? null]);
    });
  }`;
const SEALED = ['from the page', 4000, null];
const WORKER = `${TALK} onmessage = ({ data, ports: [port] }) => { talk(data).then((seen) => port.postMessage(seen)); };`;
/** Opens a socket while something useless stands in the place of whatever a page may replace. */
const REPLACED = `
  const RealPromise = Promise;
  const useless = class { constructor() { throw new Error('not the one that was there'); } static resolve() { throw new Error('not the one'); } static race(given) { return RealPromise.race(given); } };
  const throws = () => { throw new Error('not the one'); };
  function replace(owner, name, value, undo) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { ...descriptor, value });
    undo.push(() => Object.defineProperty(owner, name, descriptor));
  }
  function replaced(url) {
    const undo = [];
    for (const name of ['Promise', 'Map', 'Set', 'WeakMap', 'URL', 'Blob', 'DOMException', 'TextEncoder', 'TextDecoder', 'MessageChannel'])
      replace(globalThis, name, useless, undo);
    for (const name of ['queueMicrotask', 'setTimeout', 'clearTimeout', 'atob', 'btoa']) replace(globalThis, name, throws, undo);
    replace(Crypto.prototype, 'getRandomValues', throws, undo);
    for (const name of Object.getOwnPropertyNames(SubtleCrypto.prototype)) if (name !== 'constructor') replace(SubtleCrypto.prototype, name, throws, undo);
    return new RealPromise((resolve) => {
      const seen = [];
      const socket = new WebSocket(url);
      socket.onopen = () => socket.send('from the page');
      socket.onmessage = ({ data }) => { seen.push(data); socket.close(4000, 'thank you'); };
      socket.onclose = ({ code }) => { for (const act of undo) act(); resolve([...seen, code, socket.pq?.failure?.code ?? null]); };
    });
  }`;

let files: Readonly<Record<string, string>>;
beforeAll(async () => {
  const { files: built } = await buildScriptTag();
  files = {
    ...built,
    'polyfill.js': built[POLYFILL] ?? '',
    'talk.js': TALK,
    'replaced.js': REPLACED,
    'zone.js': read('zone.js/bundles/zone.umd.js'),
    'ses.js': read('ses/dist/ses.umd.js'),
    'lockdown.js': 'lockdown({ errorTaming: "unsafe", consoleTaming: "unsafe", overrideTaming: "severe" });',
  };
});

async function echo(options: object = {}): Promise<Tapped> {
  const running = await startSecure(options);
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

  async function open(
    body: string,
    headers: Readonly<Record<string, string>> = {},
    others: Readonly<Record<string, string>> = {},
  ): Promise<EnginePage> {
    return openBody(engine, body, { ...files, ...others }, headers);
  }
  const tag = (attributes = ''): string => `<script src="/polyfill.js" ${attributes}></script>`;
  const script = (name: string): string => `<script src="/${name}.js"></script>`;

  test('attributes of others are theirs', async () => {
    const { url, tap } = await echo();
    const page = await open(
      tag(
        'data-nscript="beforeInteractive" data-cfasync="false" data-turbo-track="reload" data-cookieconsent="ignore" data-domain-script="0-1"',
      ) + script('talk'),
    );
    expect(await page.run(`return talk('${url}')`)).toEqual(SEALED);
    assertSealed(tap, ['from the page']);
  });

  test.each([
    'data-server-key="sha256:0"',
    'data-serverkeys="sha256:0"',
    'data-sever-keys="sha256:0"',
    'data-pq-servers="x"',
    'data-pq="x"',
    'data-pq-server-keys="sha256:12"',
    `data-pq-server-keys="${NO_PIN}" data-server-keys="${NO_PIN}"`,
    'data-pq-include=""',
  ])('%s: what is nearly ours, or wrong, opens no socket', async (attribute) => {
    const page = await open(tag(attribute) + script('talk'));
    expect(await page.run(`return talk('ws://127.0.0.1:9/')`)).toEqual(['SecurityError']);
  });

  test('the prefix: a pin that the server has not is refused as one', async () => {
    const { url } = await echo({ identity: randomBytes(32) });
    const page = await open(tag(`data-pq-server-keys="${NO_PIN}"`) + script('talk'));
    expect(await page.run(`return talk('${url}')`)).toEqual([3770, 'PQ_ERR_SIGNATURE_INVALID']);
  });

  test.each([
    ['is not there', {}],
    ['is another one', { 'pq-websocket.ml-dsa.min.js': 'globalThis[Symbol.for("pq-websocket parts")]["ml-dsa"] = {}' }],
  ])('a part that %s: the connection fails, and says so of nobody else', async (what, others) => {
    const { url } = await echo({ identity: randomBytes(32) });
    const missing =
      what === 'is not there'
        ? { 'polyfill.js': (files['polyfill.js'] ?? '').replaceAll('.min.js`', '.gone.js`') }
        : {};
    const page = await open(tag(`data-pq-server-keys="${NO_PIN}"`) + script('talk'), {}, { ...others, ...missing });
    expect(await page.run(`return talk('${url}')`)).toEqual([1006, 'PQ_ERR_LOAD']);
  });

  test('Trusted Types: parts load by a policy of this name', async () => {
    const { url } = await echo({ identity: randomBytes(32) });
    const policy = "require-trusted-types-for 'script'; trusted-types pq-websocket";
    const page = await open(tag(`data-pq-server-keys="${NO_PIN}"`) + script('talk'), {
      'Content-Security-Policy': policy,
    });
    expect(await page.run(`return talk('${url}')`)).toEqual([3770, 'PQ_ERR_SIGNATURE_INVALID']);
  });

  test.each([
    ['a module worker that imports the script', 'module', ''],
    // Where the numbers in its path look like those of a line and a column.
    ['a module worker that imports it from a path with numbers', 'module', 'v:1:2/'],
    ['a worker that loads it from one', 'classic', 'v:1:2/'],
  ])('%s', async (_, type, folder) => {
    const { url, tap } = await echo();
    const there = Object.fromEntries(Object.entries(files).map(([file, content]) => [`${folder}${file}`, content]));
    const elsewhere = Object.fromEntries(Object.keys(files).map((file) => [file, '']));
    const load = type === 'module' ? `import '/${folder}polyfill.js';` : `importScripts('/${folder}polyfill.js');`;
    const page = await open('', {}, { ...elsewhere, ...there, 'worker.js': load + WORKER });
    const seen = await page.run(`
      const worker = new Worker('/worker.js', { type: '${type}' });
      const { port1, port2 } = new MessageChannel();
      return new Promise((resolve, reject) => {
        port1.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage('${url}', [port2]);
      });`);
    expect(seen).toEqual(SEALED);
    assertSealed(tap, ['from the page']);
  });

  test.each([
    ['zone.js before it', ['zone', 'polyfill']],
    ['zone.js after it', ['polyfill', 'zone']],
    ['SES lockdown before it', ['ses', 'lockdown', 'polyfill']],
    ['SES lockdown after it', ['polyfill', 'ses', 'lockdown']],
  ])('%s', async (_, scripts) => {
    const { url, tap } = await echo();
    const page = await open([...scripts, 'talk'].map(script).join(''));
    expect(await page.run(`return talk('${url}')`)).toEqual(SEALED);
    assertSealed(tap, ['from the page']);
  });

  test('a page that puts others in the place of what the platform has', async () => {
    const { url, tap } = await echo();
    const page = await open(tag() + script('replaced'));
    const seen = await page.run(`return replaced('${url}')`);
    expect(seen).toEqual(SEALED);
    assertSealed(tap, ['from the page']);
  });

  test.each([
    ['zone.js before it', ['zone', 'polyfill']],
    ['zone.js after it', ['polyfill', 'zone']],
    ['SES lockdown before it', ['ses', 'lockdown', 'polyfill']],
    ['SES lockdown after it', ['polyfill', 'ses', 'lockdown']],
  ])('%s', async (_, scripts) => {
    const { url, tap } = await echo();
    const page = await open([...scripts, 'talk'].map(script).join(''));
    // The runner's own script needs what was replaced.
    const seen = await page.run(
      `return new Promise((resolve) => { const port = document.createElement('div'); globalThis.done = resolve; talk('${url}').then(resolve); })`,
    );
    expect(seen).toEqual(SEALED);
    assertSealed(tap, ['from the page']);
  });

  test.each([
    ['get', 'Object.prototype.get = 1;'],
    ['hasOwn', 'Object.hasOwn = undefined;'],
  ])('what stops the script half-way leaves no socket: %s', async (_, pollution) => {
    const server = await rawServer();
    onTestFinished(() => server.close());
    const page = await open(`${script('pollute')}${tag()}${script('talk')}`, {}, { 'pollute.js': pollution });
    const seen = (await page.run(
      `try { new WebSocket('${server.url}'); return 'a socket of ' + ('pq' in WebSocket.prototype ? 'ours' : 'the platform'); } catch (error) { return 'none'; }`,
    )) as string;
    expect(seen).not.toContain('platform');
  });

  test('isProtected()', async () => {
    const ask = "return WebSocket[Symbol.for('pq-websocket')]?.isProtected() ?? null";
    expect(await (await open(tag())).run(ask)).toBe(true);
    expect(await (await open('')).run(ask)).toBe(null);
    expect(await (await open(tag('data-server-key="x"'))).run(ask)).toBe(false);
    const page = await open(tag('data-pq-exclude="ws://other.test/*"'));
    expect(
      await page.run(`const { isProtected } = WebSocket[Symbol.for('pq-websocket')];
        const before = [isProtected('ws://other.test/'), isProtected('ws://here.test/')];
        class Other {}
        globalThis.WebSocket = Other;
        return [...before, isProtected()];`),
    ).toEqual([false, true, false]);
  });

  test.runIf(name === 'Chromium')('the WebSocketStream of the platform is refused, or ours with its part', async () => {
    const { url, tap } = await echo();
    const alone = await open(tag());
    expect(
      await alone.run(`try { new WebSocketStream('${url}'); return 'one'; } catch ({ name }) { return name; }`),
    ).toBe('NotSupportedError');
    for (const order of [tag() + script('pq-websocket.stream.min'), script('pq-websocket.stream.min') + tag()]) {
      const page = await open(order);
      const seen = await page.run(`
        const stream = new WebSocketStream('${url}');
        const { readable, writable, protocol, extensions } = await stream.opened;
        const writer = writable.getWriter();
        await writer.write('from the page');
        await writer.write(new Uint8Array([1, 2]));
        const chunks = [];
        for await (const chunk of readable) { chunks.push(typeof chunk === 'string' ? chunk : chunk.constructor.name + chunk.byteLength); if (chunks.length === 2) break; }
        const { closeCode } = await stream.closed;
        return [chunks, protocol, extensions, closeCode, stream instanceof WebSocketStream, WebSocketStream.name, WebSocket[Symbol.for('pq-websocket')].isProtected()];`);
      expect(seen).toEqual([['from the page', 'ArrayBuffer2'], '', '', 1005, true, 'WebSocketStream', true]);
    }
    assertSealed(tap, ['from the page']);
  });

  test.runIf(name === 'Chromium')("a stream's back-pressure reaches the peer through the page", async () => {
    const { url, next } = await startSecure();
    const page = await open(tag() + script('pq-websocket.stream.min'));
    const opened = page.run(`
      globalThis.stream = new WebSocketStream('${url}');
      globalThis.info = await stream.opened;
      return null;`);
    const { socket: peer } = await next();
    await opened;
    const [CHUNK, TOTAL] = [65_536, 1_000];
    let left = 0;
    for (let i = 0; i < TOTAL; i += 1) {
      peer.send(new Uint8Array(CHUNK), () => {
        left += 1;
      });
    }
    for (let before = -1; before !== left;) {
      before = left;
      await page.run('for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve));');
    }
    expect(left).toBeLessThan(TOTAL);
    const read = await page.run(`
      let read = 0;
      for await (const chunk of info.readable) { read += chunk.byteLength; if (read === ${CHUNK * TOTAL}) break; }
      return read;`);
    expect(read).toBe(CHUNK * TOTAL);
  });
});
