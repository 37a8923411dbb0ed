/** Small things in which sockets and servers are to be as npm `ws`'s, and what nobody must see of them. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { install } from '../../src/polyfill.ts';
import { WebSocket, WebSocketServer } from '../../src/ws.ts';
import { once } from '../support/deferred.ts';
import { startSecure } from '../support/ws-endpoints.ts';

describe('the transport is cut', () => {
  test.each(['FIN', 'RST'])(
    'by %s: the socket is CLOSING at once, and no send fails that asked before',
    async (how) => {
      const { server, url, tap } = await startSecure();
      const failed: Error[] = [];
      server.on('connection', (socket) => {
        const send = (): void => {
          for (let i = 0; i < 3 && socket.readyState === socket.OPEN; i += 1) {
            socket.send('guarded', (error) => {
              if (error) failed.push(error);
            });
          }
          if (socket.readyState !== socket.CLOSED) setImmediate(send);
        };
        send();
      });
      const client = new WebSocket(url);
      await once(client, 'open');
      const [peer] = [...(server.clients ?? [])];
      const closed = once(peer as never, 'close');
      if (how === 'FIN') tap.connections.at(-1)?.cut();
      else client.terminate();
      await closed;
      expect(failed).toEqual([]);
    },
  );
});

test('AsyncLocalStorage is kept through handleUpgrade', async () => {
  const storage = new AsyncLocalStorage<string>();
  const wss = new WebSocketServer({ noServer: true });
  const server = createServer();
  const seen = new Promise((resolve) => {
    server.on('upgrade', (request, network, head) => {
      storage.run('this request', () => {
        wss.handleUpgrade(request, network, head, (socket) => {
          resolve(storage.getStore());
          socket.terminate();
        });
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.on('error', () => undefined);
  expect(await seen).toBe('this request');
});

test('an event shows nothing of its own to JSON', async () => {
  const { url } = await startSecure();
  const client = new WebSocket(url);
  const seen: string[] = [];
  for (const type of ['open', 'close'] as const) {
    client.addEventListener(type, (event) => seen.push(JSON.stringify(event), String(Object.keys(event).length)));
  }
  await once(client, 'open');
  client.close();
  await once(client, 'close');
  expect(seen).toEqual(['{}', '0', '{}', '0']);
});

test('a server shows neither its key nor its context', () => {
  const identity = new Uint8Array(32).fill(0xc7);
  const server = new WebSocketServer({ noServer: true, identity, context: 'bound into the key' });
  for (const text of [inspect(server, { depth: 9, showHidden: true }), JSON.stringify(server.options)]) {
    expect(text).not.toMatch(/199|c7, c7|bound into/);
  }
});

test('install() works where there is no global WebSocket, over npm ws, and leaves nothing behind', async () => {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
  Reflect.deleteProperty(globalThis, 'WebSocket');
  onTestFinished(() => {
    if (descriptor !== undefined) Object.defineProperty(globalThis, 'WebSocket', descriptor);
  });
  const { url, next } = await startSecure();
  const { uninstall } = install();
  const socket = new globalThis.WebSocket(url);
  await once(socket, 'open');
  socket.send('sealed');
  const { socket: peer } = await next();
  expect(String((await once(peer, 'message'))[0])).toBe('sealed');
  socket.close();
  uninstall();
  expect('WebSocket' in globalThis).toBe(false);
});
