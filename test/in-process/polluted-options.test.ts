/** A process's polluted `Object.prototype` is nobody's option: every bag of a server, of `ws`'s client and of its methods. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer as PlainServer } from 'ws';
import { describe, expect, onTestFinished, test } from 'vitest';
import { pqExtension } from '../../src/msw.ts';
import { bunHandlers, selectSubprotocol, wrapServerSocket } from '../../src/server.ts';
import { secureServer, WebSocket, WebSocketServer } from '../../src/ws.ts';
import { pollute } from '../support/pollution.ts';
import { rawServer } from '../support/raw-peer.ts';

/** Each would change a connection, or throw because it is none of its kind. */
const POLLUTION: Readonly<Record<string, unknown>> = {
  profiles: ['yellowpages'],
  profile: 'yellowpages',
  identity: 'no key',
  attest: () => new Uint8Array(1),
  verifyAttestation: () => false,
  serverKeys: 'no key',
  clientKeys: () => false,
  kem: 'ml-kem-1024',
  kems: ['ml-kem-1024'],
  context: 'of somebody else',
  padding: 65_536,
  rekey: { records: 2 },
  records: 2,
  exchange: false,
  milliseconds: 1,
  heartbeat: { interval: 1, timeout: 1 },
  maxPayload: 1,
  maxQueuedBytes: 0,
  handshakeTimeout: 1,
  maxPendingHandshakes: 0,
  maxProofs: 0,
  native: true,
  fastOpen: true,
  verifyClient: () => false,
  handleProtocols: () => 'polluted',
  clientTracking: false,
  noServer: true,
  backlog: -1,
  WebSocket: class {},
  protocols: ['polluted'],
  request: 'no request',
  origin: { serverKeys: 'no key' },
  sign: () => new Uint8Array(1),
  binary: true,
  text: 'polluted',
  fin: false,
  backend: 'none',
};

/** A text and its echo, and what both ends know of the channel. */
async function conversation(server: WebSocketServer | PlainServer, port: number): Promise<unknown[]> {
  const accepted = once(server, 'connection');
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  const heard = once(socket, 'message');
  await once(socket, 'open');
  const [peer] = (await accepted) as [WebSocket];
  peer.on('message', (data, isBinary) => {
    peer.send(`${isBinary ? 'bytes' : 'text'} ${String(data)}`, {});
  });
  socket.send('said', {});
  const [data, isBinary] = (await heard) as [Buffer, boolean];
  const seen = [
    String(data),
    isBinary,
    socket.protocol,
    socket.pq.profile,
    socket.pq.kem,
    peer.pq.kem,
    server.clients?.size,
  ];
  const closed = once(socket, 'close');
  socket.close(4000);
  return [...seen, ((await closed) as [number])[0]];
}
const UNCHANGED = ['text said', false, '', 'v1', 'ml-kem-768', 'ml-kem-768', 1, 4000];

describe.each([
  ['WebSocketServer', (port: number) => new WebSocketServer({ port, host: '127.0.0.1' })],
  ['secureServer', (port: number) => secureServer(new PlainServer({ port, host: '127.0.0.1' }))],
] as const)('%s', (_, start) => {
  test.each([
    ['before it starts', true],
    ['after it has started', false],
  ])('polluted %s: nothing of a connection changes', async (_when, early) => {
    if (early) pollute(POLLUTION);
    const server = start(0);
    onTestFinished(() => {
      server.close();
    });
    await once(server, 'listening');
    if (!early) pollute(POLLUTION);
    expect(await conversation(server, (server.address() as AddressInfo).port)).toEqual(UNCHANGED);
  });
});

test('a server of the application', async () => {
  const http = createServer();
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  pollute(POLLUTION);
  const server = new WebSocketServer({ server: http });
  onTestFinished(() => {
    server.close();
    http.close();
  });
  expect(await conversation(server, (http.address() as AddressInfo).port)).toEqual(UNCHANGED);
});

test('wrapServerSocket, bunHandlers and the msw adapter read their own options alone', async () => {
  const plain = new PlainServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    plain.close();
  });
  await once(plain, 'listening');
  const before = bunHandlers(() => undefined).maxPayloadLength;
  pollute(POLLUTION);
  expect(bunHandlers(() => undefined, {}).maxPayloadLength).toBe(before);
  expect(() => pqExtension({})).not.toThrow();
  const wrapped = new Promise<string>((resolve) => {
    plain.on('connection', (transport) => {
      const socket = wrapServerSocket(transport, {});
      socket.on('message', (data) => {
        resolve(`${String(data)} ${socket.pq.profile}`);
      });
    });
  });
  const socket = new WebSocket(`ws://127.0.0.1:${(plain.address() as AddressInfo).port}/`);
  socket.on('open', () => {
    socket.send('said');
  });
  expect(await wrapped).toBe('said v1');
  socket.terminate();
});

test('an identity that is bytes stays bytes, whatever `sign` a prototype has', () => {
  pollute({ sign: () => new Uint8Array(1) });
  expect(() => new WebSocketServer({ noServer: true, identity: new Uint8Array(31) })).toThrow(RangeError);
  expect(() => new WebSocketServer({ noServer: true, identity: null as never })).toThrow(TypeError);
});

test('the headers of a request are its own', () => {
  pollute({ 'sec-websocket-protocol': 'polluted' });
  expect(selectSubprotocol({ headers: {} }, ['polluted'])).toBeUndefined();
  expect(selectSubprotocol({ headers: new Headers({ 'sec-websocket-protocol': 'chat' }) }, ['chat'])).toBe('chat');
});

test('a plain client is refused as ever', async () => {
  pollute(POLLUTION);
  const server = await rawServer();
  onTestFinished(() => server.close());
  const socket = new WebSocket(server.url, { handshakeTimeout: 5_000 });
  const { socket: peer } = await server.nextPeer();
  const closed = new Promise((resolve) => {
    socket.on('close', resolve);
  });
  socket.on('error', () => undefined);
  peer.send('welcome');
  await closed;
  expect(socket.pq.failure?.code).toBe('PQ_ERR_NOT_PQ_WEBSOCKET');
});
