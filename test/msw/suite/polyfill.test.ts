/** msw and the polyfill both put something into the global's place; whichever came first, the same test passes. */
import { ws } from 'msw';
import { setupServer } from 'msw/node';
import { describe, expect, test } from 'vitest';
import { PQWebSocket } from 'pq-websocket';
import { install } from 'pq-websocket/polyfill';
import { pqExtension, terminatePQ } from 'pq-websocket/msw';
import { inbox, MODES, next, URL_UNDER_TEST } from './support.ts';

const native = globalThis.WebSocket;
const isSecure = (): boolean => Symbol.for('pq-websocket') in globalThis.WebSocket;

describe.each(MODES)('%s', (mode) => {
  const link =
    mode === 'pqExtension' ? ws.link(URL_UNDER_TEST, { extensions: [pqExtension()] }) : ws.link(URL_UNDER_TEST);
  const channels: unknown[] = [];
  const server = setupServer(
    link.addEventListener('connection', (event) => {
      const { client, pq } =
        mode === 'pqExtension' ? (event as unknown as ReturnType<typeof terminatePQ>) : terminatePQ(event);
      channels.push(pq?.kem ?? null);
      client.send('welcome');
      client.addEventListener('message', ({ data }) => {
        client.send(`echo ${String(data)}`);
      });
    }),
  );

  async function exchange(socket: WebSocket): Promise<unknown[]> {
    const { until } = inbox(socket);
    await next(socket, 'open');
    socket.send('hello');
    const all = await until(2);
    socket.close();
    await next(socket, 'close');
    return all;
  }

  test('msw first, then the polyfill', async () => {
    server.listen();
    const { uninstall } = install();
    expect(await exchange(new WebSocket(URL_UNDER_TEST))).toEqual(['welcome', 'echo hello']);
    expect(await exchange(new PQWebSocket(URL_UNDER_TEST))).toEqual(['welcome', 'echo hello']);
    expect(channels.splice(0)).toEqual(['ml-kem-768', 'ml-kem-768']);
    // msw puts back what it found, which was no polyfill.
    server.close();
    expect(globalThis.WebSocket).toBe(native);
    expect(uninstall()).toBe(false);
    const again = install();
    expect(isSecure()).toBe(true);
    expect(again.uninstall()).toBe(true);
    expect(globalThis.WebSocket).toBe(native);
  });

  test('msw first, the polyfill taken away before it', async () => {
    server.listen();
    const { uninstall } = install();
    expect(uninstall()).toBe(true);
    expect(await exchange(new PQWebSocket(URL_UNDER_TEST))).toEqual(['welcome', 'echo hello']);
    expect(channels.splice(0)).toEqual(['ml-kem-768']);
    server.close();
    expect(globalThis.WebSocket).toBe(native);
  });

  test('the polyfill first, then msw, which then stands above the layer for those who name the global', async () => {
    const { uninstall } = install();
    const polyfilled = globalThis.WebSocket;
    server.listen();
    expect(await exchange(new WebSocket(URL_UNDER_TEST))).toEqual(['welcome', 'echo hello']);
    expect(await exchange(new PQWebSocket(URL_UNDER_TEST))).toEqual(['welcome', 'echo hello']);
    expect(channels.splice(0)).toEqual([null, 'ml-kem-768']);
    server.close();
    expect(globalThis.WebSocket).toBe(polyfilled);
    expect(uninstall()).toBe(true);
    expect(globalThis.WebSocket).toBe(native);
  });

  test('the polyfill first with a list that leaves the URL out: then a client in clear is refused as ever', async () => {
    const { uninstall } = install({ include: ({ pathname }) => pathname !== '/room' });
    server.listen();
    const socket = new WebSocket(URL_UNDER_TEST);
    await next(socket, 'open');
    socket.send('in clear');
    expect((await next<CloseEvent>(socket, 'close')).code).toBe(3768);
    expect(channels.splice(0)).toEqual(['ml-kem-768']);
    server.close();
    expect(uninstall()).toBe(true);
  });
});
