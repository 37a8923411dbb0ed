/** The constructor's second argument as an object of options, as Node's own class (undici) takes it. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import { IdleSocket } from '../support/memory-transport.ts';

const raw = PQWebSocket as unknown as new (...values: unknown[]) => WebSocket;

afterEach(() => {
  vi.unstubAllGlobals();
});

/** The upgrade request that a constructor's arguments make. */
async function requestOf(open: (url: string) => WebSocket): Promise<IncomingMessage> {
  const server = createServer();
  const asked = new Promise<IncomingMessage>((resolve) => {
    server.on('upgrade', (request, socket) => {
      socket.destroy();
      resolve(request);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  open(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return asked;
}

describe('over a class that takes a bag', () => {
  test.each<[string, object, string | undefined]>([
    ['protocols', { protocols: ['a', 'b'] }, 'a, b'],
    ['one protocol', { protocols: 'a' }, 'a'],
    ['nothing', {}, undefined],
    ['protocols that are undefined', { protocols: undefined }, undefined],
  ])('%s', async (_, bag, expected) => {
    const { headers } = await requestOf((url) => new raw(url, bag));
    expect(headers['sec-websocket-protocol']).toBe(expected);
  });

  test('what else it takes is handed down', async () => {
    const { headers } = await requestOf((url) => new raw(url, { protocols: ['a'], headers: { 'x-mine': 'yes' } }));
    expect([headers['x-mine'], headers['sec-websocket-protocol']]).toEqual(['yes', 'a']);
  });

  test('fast open stands beside its subprotocols', async () => {
    const { headers } = await requestOf((url) => new raw(url, { protocols: ['a'], headers: {} }, { fastOpen: true }));
    expect(headers['sec-websocket-protocol']).toMatch(/^a, pqws1, pqws1\./);
  });

  test.each([['serverKeys'], ['targetAddressSpace'], ['anything']])(
    "'%s', which it does not take, is refused by name",
    (name) => {
      expect(() => new raw('ws://127.0.0.1:1/', { [name]: 'x' })).toThrow(new RegExp(`^PQWebSocket: option '${name}'`));
    },
  );

  test.each<[string, unknown]>([
    ['no token', { protocols: ['a b'] }],
    ['repeated', { protocols: ['a', 'a'] }],
    ["the layer's own", { protocols: ['pqws1'] }],
  ])('its subprotocols are judged as any: %s', (_, bag) => {
    expect(() => new raw('ws://127.0.0.1:1/', bag)).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
  });
});

test('over npm ws it may have what that takes', async () => {
  vi.stubGlobal('WebSocket', undefined);
  const { headers } = await requestOf((url) => new raw(url, { protocols: ['a'], headers: { 'x-mine': 'yes' } }));
  expect([headers['x-mine'], headers['sec-websocket-protocol']]).toEqual(['yes', 'a']);
  expect(() => new raw('ws://127.0.0.1:1/', { dispatcher: {} })).toThrow("unknown option 'dispatcher'");
});

test('a class that takes it is asked without a connection, and only where there is a bag', () => {
  IdleSocket.made = [];
  new raw('ws://host/', ['a'], { WebSocket: IdleSocket });
  expect(IdleSocket.made).toHaveLength(1);
});
