/**
 * Sockets that a page opened, used, closed and dropped: the collector takes every one. 200 of them, or with PQ_SOCKETS as many as that says.
 */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildScriptTag, POLYFILL } from '../../scripts/lib/script-tag.ts';
import type { Engine } from '../support/engines/engine.ts';
import { startChromium } from '../support/engines/puppeteer.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import { serve } from './static-server.ts';

const SOCKETS = Number(process.env['PQ_SOCKETS'] ?? 200);

const APP = `
  let finalised = 0;
  const registry = new FinalizationRegistry(() => { finalised += 1; });
  function use(url, count) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      registry.register(socket, 0);
      socket.addEventListener('open', () => socket.send('said'));
      socket.onmessage = () => socket.close(4000);
      socket.onerror = () => reject(new Error(socket.pq.failure?.code));
      socket.onclose = ({ wasClean }) => resolve(wasClean);
    });
  }
  async function run(url, count) {
    let clean = 0;
    for (let done = 0; done < count; done += 4) for (const was of await Promise.all(Array.from({ length: 4 }, () => use(url)))) clean += was;
    return clean;
  }
  /** Until all are gone, or for long enough: the network's process lets go of a socket in its own time. */
  async function left(count) {
    for (const end = performance.now() + 10_000; finalised < count && performance.now() < end; ) {
      gc();
      await new Promise((resolve) => setTimeout(resolve));
    }
    return count - finalised;
  }`;

let engine: Engine;
beforeAll(async () => {
  engine = await startChromium(['--js-flags=--expose-gc']);
});
afterAll(() => engine?.close());

test(`${SOCKETS} sockets opened, used, closed and dropped are all finalised`, async () => {
  const { files } = await buildScriptTag();
  const { server: peers, url } = await startSecure();
  peers.on('connection', (socket) => {
    socket.on('message', (data) => {
      socket.send(data.toString());
    });
  });
  const server = await serve({
    ...files,
    'app.js': APP,
    'index.html': `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script src="/${POLYFILL}"></script><script src="/app.js"></script>`,
  });
  const page = await engine.open(`http://127.0.0.1:${server.port}/`);
  onTestFinished(async () => {
    await page.close();
    await server.close();
  });
  expect(await page.run(`return run('${url}', ${SOCKETS})`)).toBe(SOCKETS);
  expect(await page.run(`return left(${SOCKETS})`)).toBe(0);
});
