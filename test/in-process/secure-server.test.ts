/** `secureServer`: what a library's own `ws` server does is sealed, and the server still decides what it decided. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer as PlainServer, WebSocket as PlainSocket } from 'ws';
import type { ServerOptions } from 'ws';
import { secureServer, WebSocket, WebSocketServer } from '../../src/ws.ts';
import type { SecureServerOptions, WsStyleWebSocket } from '../../src/ws.ts';
import { once } from '../support/deferred.ts';
import { assertSealed, startTap } from '../support/tap.ts';
import type { Tap } from '../support/tap.ts';
import { refusedUpgrade } from '../support/ws-endpoints.ts';

const SAID = 'what a library says';

interface Secured {
  readonly server: PlainServer;
  readonly tap: Tap;
}

async function start(options: ServerOptions = {}, secure: SecureServerOptions = {}): Promise<Secured> {
  const server = secureServer(new PlainServer({ port: 0, host: '127.0.0.1', ...options }), secure);
  await once(server, 'listening');
  const tap = await startTap((server.address() as AddressInfo).port);
  onTestFinished(async () => {
    for (const client of server.clients) client.terminate();
    server.close();
    await tap.close();
  });
  return { server, tap };
}

async function accept(server: PlainServer): Promise<WsStyleWebSocket> {
  const [socket] = await once<[WsStyleWebSocket]>(server, 'connection');
  return socket;
}

describe('a server of npm ws', () => {
  test('says nothing in clear, and knows its clients', async () => {
    const { server, tap } = await start();
    const client = new WebSocket(tap.url);
    const socket = await accept(server);
    expect([...server.clients]).toEqual([socket]);
    const heard = once(client, 'message');
    socket.send(SAID);
    expect(String((await heard)[0])).toBe(SAID);
    const closed = once(client, 'close');
    socket.close(4321, 'the reason of it');
    expect((await closed).map(String)).toEqual(['4321', 'the reason of it']);
    await once(socket, 'close');
    expect(server.clients.size).toBe(0);
    assertSealed(tap, [SAID, 'the reason of it']);
  });

  test("shows no socket before the secure handshake, and fails a plain client's", async () => {
    const { server, tap } = await start({}, { handshakeTimeout: 60_000 });
    const connections: unknown[] = [];
    server.on('connection', (socket) => connections.push(socket));
    const failed = once(server as never, 'handshakeFailed');
    const client = new PlainSocket(tap.url);
    await once(client, 'open');
    expect([connections.length, server.clients.size]).toEqual([0, 0]);
    client.send(SAID);
    await failed;
    expect([connections.length, server.clients.size]).toEqual([0, 0]);
  });

  test('still decides by path, verifyClient and handleProtocols, as they stand at each request', async () => {
    const { server, tap } = await start({ path: '/here' });
    server.options.verifyClient = ({ req }: { req: IncomingMessage }): boolean => req.headers['x-pass'] === 'yes';
    server.options.handleProtocols = (): string => 'second';
    expect((await refusedUpgrade(tap.port, '/there', {})).status).toBe(400);
    expect((await refusedUpgrade(tap.port, '/here', {})).status).toBe(401);
    const client = new WebSocket(`${tap.url}/here`, ['first', 'second'], { headers: { 'x-pass': 'yes' } });
    await once(client, 'open');
    expect(client.protocol).toBe('second');
  });

  test("emits 'headers' and 'wsClientError' itself", async () => {
    const { server, tap } = await start();
    server.on('headers', (headers) => headers.push('X-Said: by the application'));
    const client = new WebSocket(tap.url);
    const upgrade = once<[{ headers: Record<string, string> }]>(client, 'upgrade');
    expect((await upgrade)[0].headers['x-said']).toBe('by the application');
    server.once('wsClientError', (error, socket) => {
      socket.end(`HTTP/1.1 418 ${error.message}\r\nConnection: close\r\n\r\n`);
    });
    expect((await refusedUpgrade(tap.port, '/', { 'Sec-WebSocket-Version': '7' })).status).toBe(418);
    expect((await refusedUpgrade(tap.port, '/', { 'Sec-WebSocket-Version': '7' })).status).toBe(400);
  });

  test('takes the options of the secure layer, and maxPayload from the server', async () => {
    const { server, tap } = await start({ maxPayload: 10 }, { context: 'of both' });
    const stranger = new WebSocket(tap.url, { context: 'of another' });
    expect((await once<[{ code: string }]>(stranger, 'error'))[0].code).toMatch(/^PQ_ERR_/);
    const client = new WebSocket(tap.url, { context: 'of both' });
    const socket = await accept(server);
    socket.on('error', () => undefined);
    client.on('error', () => undefined);
    client.send('more than ten characters');
    expect((await once(socket, 'close'))[0]).toBe(3773);
  });
});

describe('close(callback) waits', () => {
  test('with a port, for the network server', async () => {
    const { server, tap } = await start();
    const client = new WebSocket(tap.url);
    const socket = await accept(server);
    const closed = new Promise((resolve) => {
      server.close(resolve);
    });
    await expect(fetch(`http://127.0.0.1:${tap.port}`)).rejects.toThrow();
    socket.close();
    await Promise.all([closed, once(client, 'close')]);
  });

  test('without, for the sockets, those in their handshake included', async () => {
    const http = createServer();
    const server = secureServer(new PlainServer({ noServer: true }));
    http.on('upgrade', (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (accepted) => server.emit('connection', accepted, request));
    });
    await new Promise<void>((resolve) => {
      http.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      http.close();
    });
    const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const client = new WebSocket(url);
    const [socket] = await once<[WsStyleWebSocket]>(server, 'connection');
    const pending = new PlainSocket(url);
    await once(pending, 'open');
    let isClosed = false;
    const closed = new Promise<void>((resolve) => {
      server.close(() => {
        isClosed = true;
        resolve();
      });
    });
    expect((await once(pending, 'close'))[0]).toBe(1001);
    expect(isClosed).toBe(false);
    socket.close();
    await Promise.all([closed, once(client, 'close')]);
    await new Promise((resolve) => {
      server.close(resolve);
    }).then((error) => {
      expect(error).toBeInstanceOf(Error);
    });
  });
});

describe('refused', () => {
  const plain = (options: ServerOptions = {}): PlainServer => new PlainServer({ noServer: true, ...options });

  test.each([
    ['nothing', (): unknown => secureServer(undefined as never), 'must be a WebSocketServer of npm ws'],
    ['an http server', (): unknown => secureServer(createServer() as never), 'must be a WebSocketServer of npm ws'],
    ['our own', (): unknown => secureServer(new WebSocketServer({ noServer: true })), 'secure already'],
    ['twice', (): unknown => secureServer(secureServer(plain())), 'secure already'],
    ['compression', (): unknown => secureServer(plain({ perMessageDeflate: true })), 'perMessageDeflate'],
    ['an option of the server', (): unknown => secureServer(plain(), { path: '/x' } as never), "'path'"],
    ['an unknown option', (): unknown => secureServer(plain(), { indentity: 'x' } as never), "'indentity'"],
  ])('%s', (_name, act, message) => {
    expect(act).toThrow(message);
  });
});
