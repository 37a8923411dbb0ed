/**
 * Markup that stands before the members of `document`, in each browser: what element, when, under which names. Each cell is a
 * page whose tag pins a key that the server has not. It must be refused with 3770, or no socket may open at all: never a
 * native socket, never one that has lost its pin.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildScriptTag, POLYFILL } from '../../scripts/lib/script-tag.ts';
import { ENGINES } from '../support/engines/all.ts';
import type { Engine } from '../support/engines/engine.ts';
import { soaks } from '../support/soak.ts';
import { assertSealed } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import { cellFiles, CELLS_PAGE, runOf, WRONG_PIN } from './cells.ts';
import { serve } from './static-server.ts';

const PIN = `data-pq-server-keys="${WRONG_PIN}"`;
const FOREIGN = 'data-exclude="*://*" data-pq-exclude="*://*"';
const LINK = '<link rel="icon" href="data:,">';

const ELEMENTS: Readonly<Record<string, (name: string) => string>> = {
  img: (name) => `<img name="${name}" id="${name}" ${FOREIGN}>`,
  form: (name) => `<form name="${name}" id="${name}" ${FOREIGN}><input name="src" value="x"></form>`,
  embed: (name) => `<embed name="${name}" ${FOREIGN}>`,
  object: (name) => `<object name="${name}" id="${name}" ${FOREIGN}></object>`,
  iframe: (name) => `<iframe name="${name}" ${FOREIGN}></iframe>`,
  several: (name) => `<img name="${name}" ${FOREIGN}><form name="${name}"></form><img name="${name}">`,
};
const NAMES = {
  currentScript: ['currentScript'],
  'what loads a part': ['head', 'createElement', 'baseURI', 'documentElement', 'append', 'body'],
  'globals too': [
    ...['currentScript', 'Document', 'HTMLScriptElement', 'Node', 'Element', 'WebSocket', 'WorkerGlobalScope'],
    ...['importScripts', 'trustedTypes', 'crypto', 'location', 'URL', 'Promise'],
  ],
} as const;
const SRC = 'src="/polyfill.js"';
/** By when the script runs, the page around the clobbering markup, and what comes of it. */
const TIMES: Readonly<Record<string, readonly [page: (markup: string) => string, outcome: unknown]>> = {
  before: [(markup) => `${LINK}<body>${markup}<script ${SRC} ${PIN}></script>`, 3770],
  after: [(markup) => `${LINK}<script ${SRC} ${PIN}></script><body>${markup}`, 3770],
  deferred: [(markup) => `${LINK}<script defer ${SRC} ${PIN}></script><body>${markup}`, 3770],
  async: [(markup) => `${LINK}<script async ${SRC} ${PIN}></script><body>${markup}`, 3770],
  injected: [(markup) => `${LINK}<body>${markup}<script src="/inject.js"></script>`, 3770],
  module: [(markup) => `${LINK}<script type="module" ${SRC} ${PIN}></script><body>${markup}`, 'SecurityError'],
};
/** By the interface objects, as a page's own script that is no victim of its markup. */
const INJECT = `
  const script = Document.prototype.createElement.call(document, 'script');
  script.src = '/polyfill.js';
  script.setAttribute('data-pq-server-keys', '${WRONG_PIN}');
  Element.prototype.append.call(Object.getOwnPropertyDescriptor(Document.prototype, 'head').get.call(document), script);`;
const APP = (url: string): string => `
  addEventListener('load', async () => {
    const outcome = await new Promise((resolve) => {
      try {
        const socket = new WebSocket('${url}');
        socket.onopen = () => socket.send('said by a page');
        socket.onclose = ({ code }) => resolve(code);
      } catch (error) { resolve(error.name); }
    });
    parent.postMessage(outcome, '*');
  });`;

const cells = Object.entries(TIMES).flatMap(([time, [page, outcome]], t) =>
  Object.entries(ELEMENTS).flatMap(([element, markup], e) =>
    Object.entries(NAMES).map(([names, list], n) => ({
      id: `cell-${t}-${e}-${n}`,
      /** Of a third of the cells that has every time with every element, every time with every name, and every element with every name. */
      isOfThird: (t + e + n) % 3 === 0,
      title: `${time}, ${element}, ${names}`,
      html: `<!doctype html><meta charset="utf-8">${page(list.map(markup).join(''))}<script src="/app.js"></script>`,
      outcome,
    })),
  ),
);

/** Chromium meets all of them; another engine in the soak, and else a third. */
const ofEngine = (name: string): typeof cells =>
  soaks || name === 'Chromium' ? cells : cells.filter(({ isOfThird }) => isOfThird);

let scripts: Readonly<Record<string, string>>;
beforeAll(async () => {
  ({ files: scripts } = await buildScriptTag());
});

describe.each(ENGINES)('$name', ({ name: engineName, start }) => {
  const tried = ofEngine(engineName);
  let engine: Engine;
  beforeAll(async () => {
    engine = await start();
  });
  afterAll(() => engine?.close());

  test('no element, at no time, under no name, opens a native socket or takes a pin away', async () => {
    const { url, tap } = await startSecure({ identity: randomBytes(32) });
    const server = await serve({
      ...cellFiles(scripts, APP(url), cells),
      'inject.js': INJECT,
      'index.html': CELLS_PAGE,
    });
    const page = await engine.open(`http://127.0.0.1:${server.port}/`);
    onTestFinished(async () => {
      await page.close();
      await server.close();
    });
    const outcomes = (await page.run(`return ${runOf(tried)}`)) as Record<string, unknown>;
    expect(Object.fromEntries(tried.map(({ id, title }) => [title, outcomes[id]]))).toEqual(
      Object.fromEntries(tried.map(({ title, outcome }) => [title, outcome])),
    );
    assertSealed(tap, ['said by a page']);
  });

  test('an element is no class of streams where the engine has none, and is no hole', async () => {
    const markup = ['WebSocketStream', 'WebSocketError'].map((name) => `<img name="${name}">`).join('');
    const tags = '<script src="/polyfill.js"></script><script src="/pq-websocket.stream.min.js"></script>';
    const [before, after] = [`<body>${markup}${tags}`, `${tags}<body>${markup}`];
    const server = await serve({
      ...scripts,
      'polyfill.js': scripts[POLYFILL] ?? '',
      ...Object.fromEntries(
        Object.entries({ before, after, alone: `<body>${markup}<script src="/polyfill.js"></script>` }).map(
          ([name, body]) => [`${name}.html`, `<!doctype html><meta charset="utf-8">${LINK}${body}`],
        ),
      ),
    });
    onTestFinished(() => server.close());
    for (const name of ['before', 'after', 'alone']) {
      const page = await engine.open(`http://127.0.0.1:${server.port}/${name}.html`);
      const seen = await page.run(
        `return [WebSocket[Symbol.for('pq-websocket')].isProtected(), Object.hasOwn(window, 'WebSocketStream')]`,
      );
      await page.close();
      expect([name, seen]).toEqual([name, [true, engineName === 'Chromium']]);
    }
  });
});
