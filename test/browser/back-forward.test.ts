/** A page with an open socket that is left and come back to, in each browser: with the engine's own class, and with the script tag. */
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { buildScriptTag, POLYFILL } from '../../scripts/lib/script-tag.ts';
import { ENGINES } from '../engines/all.ts';
import type { Engine, EnginePage } from '../engines/engine.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import { serve } from './static-server.ts';
import type { Content } from './static-server.ts';

/** Keeps what happens to the page and to its socket, for as long as the page itself is kept. */
const APP = `
  var seen = [];
  for (const type of ['pagehide', 'pageshow']) addEventListener(type, ({ persisted }) => { seen.push([type, persisted]); });
  function connect(url) {
    const socket = new WebSocket(url);
    window.socket = socket;
    for (const type of ['error', 'close']) socket.addEventListener(type, ({ code }) => { seen.push([type, code ?? null, socket.readyState]); });
    return new Promise((resolve) => { socket.onopen = () => resolve(); });
  }
  /** Where the page was kept, its socket was not, which tells so. */
  async function back() {
    if (window.socket !== undefined) await new Promise((resolve) => { if (socket.readyState === 3 && seen.flat().includes('close')) resolve(); else socket.addEventListener('close', resolve); });
    return { seen, socket: window.socket === undefined ? null : socket.readyState };
  }`;

/** With no-store no browser keeps a page. */
const KEPT = { 'cache-control': 'no-cache' };

let files: Readonly<Record<string, Content>>;
beforeAll(async () => {
  const { files: built } = await buildScriptTag();
  files = { ...built, 'polyfill.js': built[POLYFILL] ?? '', 'app.js': APP };
});

const page = (title: string, scripts: string): string => `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,">${scripts}`;

async function plainServer(): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => { server.once('listening', resolve); });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Until the page that is shown has this title. */
async function shows(opened: EnginePage, title: string): Promise<void> {
  for (;;) {
    const found = await opened.run('return document.readyState === "complete" ? document.title : ""').catch(() => '');
    if (found === title) return;
  }
}

async function visit(engine: Engine, url: string, tag: string): Promise<unknown> {
  const server = await serve({ ...files, 'index.html': page('first', `${tag}<script src="/app.js"></script>`), 'other.html': page('other', '') }, undefined, KEPT);
  const opened = await engine.open(`http://127.0.0.1:${server.port}/`);
  try {
    await opened.run(`return connect(${JSON.stringify(url)})`);
    await opened.run('setTimeout(() => { location.href = "/other.html"; })');
    await shows(opened, 'other');
    await opened.run('setTimeout(() => { history.back(); })');
    await shows(opened, 'first');
    return await opened.run('return back()');
  } finally {
    await opened.close();
    await server.close();
  }
}

describe.each(ENGINES)('$name', ({ name, start }) => {
  test('a page that is come back to is the same with both', async () => {
    const engine = await start();
    onTestFinished(() => engine.close());
    const { url } = await startSecure();
    const native = await visit(engine, await plainServer(), '');
    const ours = await visit(engine, url, '<script src="/polyfill.js"></script>');
    // Firefox keeps no page with an open socket.
    expect(native).toEqual(name === 'Firefox' ? { seen: [['pageshow', false]], socket: null } : {
      seen: [['pageshow', false], ['pagehide', true], ['pageshow', true], ['error', null, 3], ['close', 1006, 3]],
      socket: 3,
    });
    expect(ours).toEqual(native);
  });
});
