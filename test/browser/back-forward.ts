/** A page with an open socket that is left and come back to. */
import type { Engine, EnginePage } from '../support/engines/engine.ts';
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

const page = (title: string, scripts: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,">${scripts}`;

/** Until the page that is shown has this title. */
async function shows(opened: EnginePage, title: string): Promise<void> {
  for (;;) {
    const found = await opened.run('return document.readyState === "complete" ? document.title : ""').catch(() => '');
    if (found === title) return;
  }
}

/**
 * @param files beside the page
 * @param tag what the page has before its own script
 * @returns the page's events and its socket's, and the socket's state, as the page has them afterwards
 */
export async function leaveAndReturn(
  engine: Engine,
  url: string,
  files: Readonly<Record<string, Content>>,
  tag: string,
): Promise<unknown> {
  const server = await serve(
    {
      ...files,
      'app.js': APP,
      'index.html': page('first', `${tag}<script src="/app.js"></script>`),
      'other.html': page('other', ''),
    },
    undefined,
    KEPT,
  );
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
