/** msw's browser setup in Chromium: its service worker, its interceptor in the page, and a real server behind it. */
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type * as Packed from 'pq-websocket/ws';
import type { TestBrowser } from '../browser/harness.ts';
import { AsyncQueue } from '../support/deferred.ts';

/**
 * msw asks for an update of its worker at each start and waits for nobody; where its own stop() has taken the registration away
 * meanwhile, Chromium rejects (W3C Service Workers, "Update": the registration is not found).
 */
const UPDATE_OF_A_WORKER_THAT_IS_GONE = /Failed to update a ServiceWorker .*: Not found/;

/** @param folder with msw and the packed package installed */
export async function checkInBrowser(browser: TestBrowser, folder: string, major: number): Promise<void> {
  const built = await build({
    entryPoints: [path.join(folder, 'browser-page.ts')],
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  const { WebSocketServer } = (await import(
    path.join(folder, '../node_modules/pq-websocket/dist/node/ws.js')
  )) as typeof Packed;
  const origin = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(origin as never, 'listening');
  const closes = new AsyncQueue<unknown>();
  origin.on('connection', (socket) => {
    socket.on('message', (data) => {
      socket.send(`echo ${data.toString()}`);
    });
    socket.on('close', (code, reason) => closes.push([code, reason.toString()]));
  });
  const dist = path.join(folder, '../node_modules/pq-websocket/dist');
  const files = {
    'page.js': built.outputFiles[0]?.text ?? '',
    'mockServiceWorker.js': await readFile(path.join(folder, 'node_modules/msw/lib/mockServiceWorker.js'), 'utf8'),
    'polyfill.js': await readFile(path.join(dist, 'pq-websocket.polyfill.min.js'), 'utf8'),
    // Loaded where both ends know v1's extensions.
    'pq-websocket.extensions.min.js': await readFile(path.join(dist, 'pq-websocket.extensions.min.js'), 'utf8'),
  };
  const url = `ws://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  try {
    for (const hasTag of [false, true]) {
      const page = await browser.open({
        html: `<!doctype html><html lang="en"><meta charset="utf-8"><title>msw</title><link rel="icon" href="data:,">${hasTag ? '<script src="/polyfill.js"></script>' : ''}<script src="/page.js"></script>`,
        files,
      });
      for (const useExtension of major === 2 ? [false] : [false, true]) {
        const outcome = (await page.page.evaluate(`run(${useExtension}, '${url}', ${hasTag})`)) as Record<
          string,
          unknown
        >;
        const { frames, ...rest } = outcome;
        assert.deepEqual(rest, {
          heard: ['hello', 'bye', 'to the origin: there?', 'from the origin: echo there?'],
          received: ['welcome', 'echo hello', 'echo there?'],
          closed: { code: 4000, reason: 'enough', wasClean: true },
          // After the script tag msw stands above the layer for who names the global class, and beneath it the origin takes sealed frames only.
          backends: hasTag ? [null, null] : ['webcrypto', 'noble'],
        });
        if (!hasTag) {
          assert.match(frames as string, /pq_websocket/);
          for (const secret of ['welcome', 'hello', 'enough'])
            assert.ok(!(frames as string).includes(secret), `${secret} in clear`);
        }
        // msw's own way to close the origin has no code.
        assert.deepEqual(await closes.next(), hasTag ? [1005, ''] : [4001, 'done']);
      }
      assert.deepEqual(
        page.problems.filter((problem) => !UPDATE_OF_A_WORKER_THAT_IS_GONE.test(problem)),
        [],
      );
      await page.close();
    }
  } finally {
    await new Promise((resolve) => {
      origin.close(resolve);
    });
  }
}
