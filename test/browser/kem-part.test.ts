/** The portable ML-KEM as a part of its own: who loads it, when, and what happens where it does not come. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildScriptTag, POLYFILL } from '../../scripts/lib/script-tag.ts';
import type { Engine, EnginePage } from '../support/engines/engine.ts';
import { startChromium, startFirefox } from '../support/engines/puppeteer.ts';
import { assertSealed } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import type { Tapped } from '../support/ws-endpoints.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const KEM = 'pq-websocket.kem.min.js';

/** What every context runs: one connection, and how it went. */
const TALK = `
  function talk(url, make) {
    return new Promise((resolve) => {
      const seen = [];
      const socket = make(url);
      socket.onopen = () => socket.send('from the page');
      socket.onmessage = ({ data }) => { seen.push(data, socket.pq.nativeKem); socket.close(4000, 'thank you'); };
      socket.onerror = () => seen.push('error');
      socket.onclose = ({ code, wasClean }) => {
        const { failure } = socket.pq;
        resolve([...seen, code, wasClean, ...(failure === null ? [] : [failure.code, failure.cause?.message])]);
      };
    });
  }
  const plain = (url) => new WebSocket(url);
`;
/** A worker of whatever kind answers each port that it is sent with what it saw. */
const ANSWERS = `${TALK}
  const before = [...Object.keys(globalThis[Symbol.for('pq-websocket parts')] ?? {})];
  onmessage = ({ data, ports: [port] }) => { talk(data, plain).then((seen) => port.postMessage([before, seen])); };
`;
const ASK = (worker: string, url: string): string => `
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => { port1.onmessage = ({ data }) => resolve(data); });
  (${worker}).postMessage(${JSON.stringify(url)}, [port2]);
  return answer;
`;
const SERVICE_WORKER = (url: string, options = '{}'): string => `
  const registration = await navigator.serviceWorker.register(${JSON.stringify(url)}, ${options});
  const worker = registration.installing ?? registration.active;
  await new Promise((resolve) => { if (worker.state === 'activated') resolve(); else worker.onstatechange = () => { if (worker.state === 'activated') resolve(); }; });
`;

/** Makes any engine one without ML-KEM of its own. */
const WITHOUT_KEM = 'delete SubtleCrypto.prototype.encapsulateKey;\n';
const PORTABLE = ['from the page', false, 4000, true];

interface Site {
  readonly origin: string;
  /** Paths, in the order in which they were asked for. */
  readonly requests: string[];
  /** What is not there for now. */
  readonly missing: Set<string>;
}

async function startSite(files: Readonly<Record<string, string>>): Promise<Site> {
  const requests: string[] = [];
  const missing = new Set<string>();
  const server = createServer(({ url = '/' }, response) => {
    const name = url === '/' ? 'index.html' : url.slice(1);
    requests.push(name);
    const content = missing.has(name) ? undefined : files[name];
    const type = name.endsWith('.html') ? 'text/html; charset=utf-8' : 'text/javascript; charset=utf-8';
    response.writeHead(content === undefined ? 404 : 200, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(content);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, missing };
}

const html = (scripts: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">${scripts}`;

/** The package as a bundler makes it: with `splitting` a chunk of each import(), else all in one. */
async function bundled(splitting: boolean, format: 'esm' | 'iife' = 'esm'): Promise<Record<string, string>> {
  const { outputFiles } = await build({
    stdin: {
      contents: "import { PQWebSocket } from './src/index.ts'; globalThis.PQWebSocket = PQWebSocket;",
      resolveDir: ROOT,
      sourcefile: 'app.js',
    },
    absWorkingDir: ROOT,
    outdir: 'out',
    entryNames: 'app',
    bundle: true,
    write: false,
    format,
    splitting,
    platform: 'browser',
    conditions: ['browser'],
    target: 'es2022',
    logLevel: 'silent',
  });
  return Object.fromEntries(outputFiles.map((file) => [path.basename(file.path), file.text]));
}

async function echo(): Promise<Tapped> {
  const running = await startSecure();
  running.server.on('connection', (socket) => {
    socket.on('message', (data) => {
      socket.send(data.toString());
    });
  });
  return running;
}

let scripts: Readonly<Record<string, string>>;
let split: Readonly<Record<string, string>>;
let kemChunk: string;
const engines: Partial<Record<Engine['name'], Engine>> = {};
beforeAll(async () => {
  [engines.Chromium, engines.Firefox, { files: scripts }, split] = await Promise.all([
    startChromium(),
    startFirefox(),
    buildScriptTag(),
    bundled(true),
  ]);
  kemChunk = Object.keys(split).find((name) => name.startsWith('kem-')) ?? 'no chunk';
});
afterAll(() => Promise.all(Object.values(engines).map((engine) => engine.close())));

describe.each([
  ['Chromium', true],
  ['Firefox', false],
] as const)('%s', (name, native) => {
  const whole = ['from the page', native, 4000, true];

  async function open(site: Site): Promise<EnginePage> {
    const page = await (engines[name] as Engine).open(`${site.origin}/`);
    onTestFinished(() => page.close());
    return page;
  }

  /** A page with the script tag. */
  async function tagged(attributes = ''): Promise<{ site: Site; page: EnginePage }> {
    const site = await startSite({
      ...scripts,
      'index.html': html(`<script src="/${POLYFILL}" ${attributes}></script><script src="/talk.js"></script>`),
      'talk.js': TALK,
      'worker.js': `importScripts('/${POLYFILL}');${ANSWERS}`,
    });
    return { site, page: await open(site) };
  }

  /** A page of modules. */
  async function modular(): Promise<{ site: Site; page: EnginePage }> {
    const site = await startSite({
      ...split,
      'index.html': html('<script src="/talk.js"></script><script type="module" src="/app.js"></script>'),
      'talk.js': TALK,
    });
    return { site, page: await open(site) };
  }

  test.each(['', 'data-fast-open'])(
    'the script tag %s: the part comes with the first connection where the engine needs it, once, and nowhere else',
    async (attributes) => {
      const { url, tap } = await echo();
      const { site, page } = await tagged(attributes);
      expect(site.requests).not.toContain(KEM);
      const seen = await page.run(`return [await talk('${url}', plain), await talk('${url}', plain)];`);
      expect(seen).toEqual([whole, whole]);
      expect(site.requests.filter((file) => file === KEM)).toHaveLength(native ? 0 : 1);
      expect(tap.connections.map(({ upgrade }) => upgrade.request.includes('pqws1.'))).toEqual(
        attributes === '' ? [false, false] : [true, true],
      );
      assertSealed(tap, ['from the page', 'thank you']);
    },
  );

  test('modules: the same, with the chunk of a bundler', async () => {
    const { url, tap } = await echo();
    const { site, page } = await modular();
    expect(site.requests).not.toContain(kemChunk);
    expect(
      await page.run(
        `return [await talk('${url}', (url) => new PQWebSocket(url)), await talk('${url}', (url) => new PQWebSocket(url, [], { fastOpen: true }))];`,
      ),
    ).toEqual([whole, whole]);
    expect(site.requests.filter((file) => file === kemChunk)).toHaveLength(native ? 0 : 1);
    assertSealed(tap, ['from the page', 'thank you']);
  });

  test('a dedicated worker with the script has the part while it starts', async () => {
    const { url, tap } = await echo();
    const { page } = await tagged();
    expect(await page.run(ASK("new Worker('/worker.js')", url))).toEqual([native ? [] : ['kem'], whole]);
    assertSealed(tap, ['from the page', 'thank you']);
  });

  test('a service worker too, which could not load it later', async () => {
    const { url, tap } = await echo();
    const { page } = await tagged();
    expect(await page.run(`${SERVICE_WORKER('/worker.js')}${ASK('worker', url)}`)).toEqual([
      native ? [] : ['kem'],
      whole,
    ]);
    assertSealed(tap, ['from the page', 'thank you']);
  });

  test.each([
    ['classic', 'iife'],
    ['module', 'esm'],
  ] as const)('a %s service worker that a bundler has made one file of needs no part', async (type, format) => {
    const { url, tap } = await echo();
    const { 'app.js': app } = await bundled(false, format);
    const site = await startSite({
      'index.html': html(''),
      'worker.js': `${WITHOUT_KEM}${app ?? ''}{${ANSWERS.replace('new WebSocket', 'new PQWebSocket')}}`,
    });
    const page = await open(site);
    expect(await page.run(`${SERVICE_WORKER('/worker.js', `{ type: '${type}' }`)}${ASK('worker', url)}`)).toEqual([
      [],
      PORTABLE,
    ]);
    expect(new Set(site.requests)).toEqual(new Set(['index.html', 'worker.js']));
    assertSealed(tap, ['from the page', 'thank you']);
  });

  test('a module service worker of a bundle that is split fails closed', async () => {
    const { url, tap } = await echo();
    const worker = `import './without-kem.js'; import './app.js';${ANSWERS.replace('new WebSocket', 'new PQWebSocket')}`;
    const site = await startSite({
      ...split,
      'index.html': html(''),
      'worker.js': worker,
      'without-kem.js': WITHOUT_KEM,
    });
    const page = await open(site);
    const [, seen] = (await page.run(`${SERVICE_WORKER('/worker.js', "{ type: 'module' }")}${ASK('worker', url)}`)) as [
      unknown,
      unknown[],
    ];
    expect(seen.slice(0, -1)).toEqual(['error', 1006, false, 'PQ_ERR_LOAD']);
    for (const { frames } of tap.connections) expect(frames.filter(({ opcode }) => opcode < 8)).toEqual([]);
  });

  test.each([false, true])(
    'fastOpen and close() in the same turn: nothing is opened, and the events are those of the native class (%s)',
    async (isTagged) => {
      const { url, tap } = await echo();
      const { page } = isTagged ? await tagged('data-fast-open') : await modular();
      const make = isTagged ? 'new WebSocket(url)' : 'new PQWebSocket(url, [], { fastOpen: true })';
      const events = await page.run(`
      const url = ${JSON.stringify(url)};
      const Native = WebSocket[Symbol.for('pq-websocket')]?.native ?? WebSocket;
      const record = (socket) => new Promise((resolve) => {
        const log = [];
        socket.close(4000, 'too early');
        log.push(socket.readyState);
        queueMicrotask(() => log.push('microtask'));
        for (const type of ['open', 'error', 'close']) socket.addEventListener(type, ({ type, code, reason, wasClean }) => {
          log.push([type, socket.readyState, code, reason, wasClean]);
          queueMicrotask(() => log.push('microtask of ' + type));
          if (type === 'close') setTimeout(() => resolve(log));
        });
      });
      return [await record(${make}), await record(new Native('ws://127.0.0.1:9/'))];
    `);
      const [ours, theirs] = events as [unknown[], unknown[]];
      expect(ours).toEqual(theirs);
      expect(ours).toContainEqual(['close', 3, 1006, '', false]);
      // What would have been the first connection never came: the next one is this.
      expect(await page.run(`return talk('${url}', (url) => ${make});`)).toEqual(whole);
      expect(tap.connections).toHaveLength(1);
    },
  );
});

describe('a part that does not come', () => {
  test.each([
    ['the script tag', ''],
    ['the script tag with fast open', 'data-fast-open'],
  ])('%s: the connection fails and says what is missing, and the next one tries again', async (_, attributes) => {
    const { url, tap } = await echo();
    const site = await startSite({
      ...scripts,
      'index.html': html(`<script src="/${POLYFILL}" ${attributes}></script><script src="/talk.js"></script>`),
      'talk.js': TALK,
    });
    site.missing.add(KEM);
    const page = await (engines.Firefox as Engine).open(`${site.origin}/`);
    onTestFinished(() => page.close());
    expect(await page.run(`return talk('${url}', plain);`)).toEqual([
      'error',
      1006,
      false,
      'PQ_ERR_LOAD',
      `pq-websocket: ${site.origin}/${KEM} could not be loaded`,
    ]);
    for (const { upgrade } of tap.connections) expect(upgrade.request).not.toContain('pqws1');
    expect(tap.connections).toHaveLength(attributes === '' ? 1 : 0);
    for (const { frames } of tap.connections) expect(frames.filter(({ opcode }) => opcode < 8)).toEqual([]);
    site.missing.clear();
    expect(await page.run(`return talk('${url}', plain);`)).toEqual(['from the page', false, 4000, true]);
    assertSealed(tap, ['from the page', 'thank you']);
  });

  test.each(['Chromium', 'Firefox'] as const)(
    'modules, in %s: the connection fails and says what is missing',
    async (name) => {
      const { url, tap } = await echo();
      const site = await startSite({
        ...split,
        // First: what the engine has is taken when the package loads.
        'index.html': html(
          '<script src="/without-kem.js"></script><script src="/talk.js"></script><script type="module" src="/app.js"></script>',
        ),
        'without-kem.js': WITHOUT_KEM,
        'talk.js': TALK,
      });
      site.missing.add(kemChunk);
      const page = await (engines[name] as Engine).open(`${site.origin}/`);
      onTestFinished(() => page.close());
      const attempt = (): Promise<unknown> => page.run(`return talk('${url}', (url) => new PQWebSocket(url));`);
      const seen = (await attempt()) as unknown[];
      expect(seen.slice(0, -1)).toEqual(['error', 1006, false, 'PQ_ERR_LOAD']);
      expect(seen.at(-1)).toContain('ML-KEM-768 could not be loaded');
      expect(seen.at(-1)).toContain(kemChunk);
      for (const { frames } of tap.connections) expect(frames.filter(({ opcode }) => opcode < 8)).toEqual([]);
      site.missing.clear();
      const asked = site.requests.length;
      const again = await attempt();
      // Firefox 153 remembers a module that could not be fetched for as long as the page lives (docs/runtimes.md).
      const isAskedAgain = site.requests.length > asked;
      expect(again).toEqual(isAskedAgain ? PORTABLE : seen);
    },
  );
});
