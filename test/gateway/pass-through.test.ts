/** A backend in Node behind the gateway: nobody can tell the difference. */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { once } from '../support/deferred.ts';
import { startBackend } from './backend.ts';
import { passThroughSuite } from './pass-through.ts';
import { openClient, startTestGateway } from './support.ts';

passThroughSuite('Node', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  return { direct: backend.url, gateway: gateway.url };
});

test('path, query, cookies, Origin and credentials reach the backend, and its headers the client', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const headers = {
    Cookie: 'a=1; b=2',
    Authorization: 'Bearer x',
    Origin: 'https://example.com',
    'X-Twice': 'y',
    Connection: 'X-Hop',
    'X-Real-IP': '6.6.6.6',
  };
  const answered: unknown[] = [];
  const client = await openClient(`${gateway.url}/some/path?q=%20a&r`, [], {
    headers: { ...headers, 'X-Forwarded-For': '6.6.6.6', Forwarded: 'for=6.6.6.6', Host: 'chat.example.com' },
    finishRequest: (request: {
      on: (event: string, listener: (answer: { headers: object }) => void) => void;
      end: () => void;
    }) => {
      request.on('upgrade', (answer) => answered.push(answer.headers));
      request.end();
    },
  });
  const { request } = await backend.next();
  expect(request.url).toBe('/some/path?q=%20a&r');
  expect(request.headers).toMatchObject({
    host: 'chat.example.com',
    cookie: 'a=1; b=2',
    authorization: 'Bearer x',
    origin: 'https://example.com',
    'x-twice': 'y',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'chat.example.com',
    'x-forwarded-proto': 'http',
    forwarded: 'for=127.0.0.1;host="chat.example.com";proto=http',
  });
  expect(request.headers['x-real-ip']).toBeUndefined();
  expect(request.headers['sec-websocket-extensions']).toBeUndefined();
  expect(answered).toMatchObject([{ 'set-cookie': ['seen=1'], 'x-backend': 'yes' }]);
  client.close();
  await once(client as never, 'close');
});

test('pings and pongs are counted as what they are', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const client = await openClient(`${gateway.url}/echo`);
  const { socket, log } = await backend.next();
  const pongs: string[] = [];
  client.on('pong', () => pongs.push('pong'));
  client.ping();
  await once(socket, 'ping');
  // What follows the backend's own answer to that ping comes behind it.
  client.send('marker');
  await once(client, 'message');
  expect(pongs).toEqual(['pong']);
  socket.pong('unasked');
  await once(client, 'pong');
  expect(pongs).toEqual(['pong', 'pong']);
  expect(log).toEqual(['ping', 'text marker']);
});

test('half-closed connections are cut ones, behind what had been sent', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  let network: Socket | undefined;
  const client = await openClient(`${gateway.url}/`, [], {
    createConnection: () => (network = connect(gateway.port, '127.0.0.1')),
  });
  const first = await backend.next();
  client.send('last words');
  await once(first.socket, 'message');
  network?.end();
  expect(await first.closed).toBe(1006);
  expect(first.log).toEqual(['text last words', 'close 1006 ']);

  const other = await openClient(`${gateway.url}/`);
  const second = await backend.next();
  const received: string[] = [];
  other.on('message', (data: Buffer) => received.push(data.toString()));
  second.socket.send('its last words');
  second.request.socket.end();
  expect((await once<[number]>(other, 'close'))[0]).toBe(1006);
  expect(received).toEqual(['its last words']);
});

test("the layer's own subprotocols stay with the gateway", async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const client = await openClient(`${gateway.url}/`, ['a', 'b'], { fastOpen: true });
  expect((await backend.next()).request.headers['sec-websocket-protocol']).toBe('a, b');
  expect(client.protocol).toBe('b');
  await openClient(`${gateway.url}/`, [], { fastOpen: true });
  expect((await backend.next()).request.headers['sec-websocket-protocol']).toBeUndefined();
});

test('what the client sent before its close reaches the backend, and its cut is a cut', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const closing = await openClient(`${gateway.url}/`);
  const first = await backend.next();
  for (let i = 0; i < 100; i++) closing.send(`${i}`);
  closing.close(4005, 'done');
  expect(await first.closed).toBe(4005);
  expect(first.log).toEqual([...Array.from({ length: 100 }, (_, i) => `text ${i}`), 'close 4005 done']);

  const cutting = await openClient(`${gateway.url}/`);
  const second = await backend.next();
  cutting.send('last');
  cutting.terminate();
  expect(await second.closed).toBe(1006);
  expect(second.log).toEqual(['text last', 'close 1006 ']);
});
