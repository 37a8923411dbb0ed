/** What our WebSocketServer has in common with npm ws's: every test here runs against both. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { WebSocketServer } from 'ws';
import { once } from '../support/deferred.ts';
import { LIBRARIES, refusedUpgrade, startLibrary, UPGRADE_HEADERS } from '../support/ws-endpoints.ts';

async function listening(): Promise<{ http: Server; port: number; url: string }> {
  const http = createServer((_request, response) => response.end('plain http'));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    http.close();
    http.closeAllConnections();
  });
  const { port } = http.address() as AddressInfo;
  return { http, port, url: `ws://127.0.0.1:${port}` };
}

function closed(server: WebSocketServer): Promise<Error | undefined> {
  return new Promise((resolve) => {
    server.close(resolve);
  });
}

describe.each(LIBRARIES)('%s', (_name, library) => {
  const { WebSocket, WebSocketServer: ServerClass } = library;

  describe('modes', () => {
    test('port: listens, tells its callback and its listeners, and answers plain requests with 426', async () => {
      const order: string[] = [];
      const server = new ServerClass({ port: 0, host: '127.0.0.1' }, () => order.push('callback'));
      server.on('listening', () => order.push('listening'));
      await once(server, 'listening');
      const { port, address } = server.address() as AddressInfo;
      expect([...order].sort()).toEqual(['callback', 'listening']);
      expect({ address, listens: port > 0 }).toEqual({ address: '127.0.0.1', listens: true });
      const answer = await refusedUpgrade(port, '/', { Connection: 'close', Upgrade: '' });
      expect([answer.status, answer.body, answer.headers['content-type']]).toEqual([
        426,
        'Upgrade Required',
        'text/plain',
      ]);
      expect(await closed(server)).toBeUndefined();
    });

    test('server: shares it with plain http, and leaves it running', async () => {
      const { http, port, url } = await listening();
      const server = new ServerClass({ server: http });
      expect(server.address()).toEqual(http.address());
      const accepted = once(server, 'connection');
      const client = new WebSocket(url);
      await once(client, 'open');
      const [socket] = (await accepted) as [InstanceType<typeof WebSocket>];
      expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
      socket.close(1000, 'done');
      expect((await once<[number, Buffer]>(client, 'close')).map(String)).toEqual(['1000', 'done']);
      expect(await closed(server)).toBeUndefined();
      expect(http.listening).toBe(true);
      expect(http.listenerCount('upgrade')).toBe(0);
    });

    test('noServer: handleUpgrade called by hand, several servers beside each other', async () => {
      const { http, url } = await listening();
      const servers = ['/one', '/two'].map((path) => [path, new ServerClass({ noServer: true })] as const);
      http.on('upgrade', (request, socket, head) => {
        for (const [path, server] of servers) {
          if (request.url !== path) continue;
          server.handleUpgrade(request, socket, head, (accepted, sameRequest) => {
            expect(sameRequest).toBe(request);
            server.emit('connection', accepted, request, 'extra');
          });
        }
      });
      for (const [path, server] of servers) {
        const accepted = once(server, 'connection');
        const client = new WebSocket(url + path);
        await once(client, 'open');
        const [socket, request, extra] = (await accepted) as [InstanceType<typeof WebSocket>, { url: string }, string];
        expect([request.url, extra, server.clients.has(socket), server.clients.size]).toEqual([path, 'extra', true, 1]);
        client.terminate();
        await once(socket, 'close');
        expect(server.clients.size).toBe(0);
      }
    });

    test.each([
      ['none', () => ({})],
      ['port and noServer', () => ({ port: 0, noServer: true })],
      ['port and server', () => ({ port: 0, server: createServer() })],
      ['server and noServer', () => ({ server: createServer(), noServer: true })],
    ])('needs exactly one of them: %s is a TypeError', (_title, options) => {
      expect(() => new ServerClass(options())).toThrow(TypeError);
    });

    test('null and false stand for an option that is not given', () => {
      const server = new ServerClass({
        port: null,
        server: null,
        noServer: true,
        path: null,
        verifyClient: null,
      } as never);
      expect(() => server.address()).toThrow('The server is operating in "noServer" mode');
      const attached = new ServerClass({ server: createServer(), noServer: false });
      expect(attached.address()).toBeNull();
    });

    test("'error' for a port that is taken", async () => {
      const { port } = await listening();
      const server = new ServerClass({ port, host: '127.0.0.1' });
      const [error] = await once<[NodeJS.ErrnoException]>(server, 'error');
      expect(error.code).toBe('EADDRINUSE');
    });
  });

  describe('which requests it takes', () => {
    test('path, which counts without the query and as it stands now', async () => {
      const { server, port, url, next } = await startLibrary(library, { path: '/chat' });
      expect((await refusedUpgrade(port, '/', {})).status).toBe(400);
      const client = new WebSocket(`${url}/chat?room=1`);
      expect((await next()).request.url).toBe('/chat?room=1');
      await once(client, 'open');
      server.options.path = '/other';
      expect((await refusedUpgrade(port, '/chat', {})).status).toBe(400);
    });

    test('shouldHandle, replaced on the instance', async () => {
      const { server, port, url, next } = await startLibrary(library);
      server.shouldHandle = (request) => request.url === '/mine';
      expect((await refusedUpgrade(port, '/', {})).status).toBe(400);
      const client = new WebSocket(`${url}/mine`);
      await Promise.all([once(client, 'open'), next()]);
    });

    test('a subclass that overrides shouldHandle and handleUpgrade', async () => {
      const seen: string[] = [];
      class Subclass extends ServerClass {
        override shouldHandle(request: IncomingMessage): boolean {
          return request.url === '/mine';
        }

        override handleUpgrade(
          ...[request, socket, head, callback]: Parameters<WebSocketServer['handleUpgrade']>
        ): void {
          seen.push(`upgrade ${request.url}`);
          super.handleUpgrade(request, socket, head, (accepted, sameRequest) => {
            seen.push(`accepted ${sameRequest.url}`);
            callback(accepted, sameRequest);
          });
        }
      }
      const { server, port, url, next } = await startLibrary({
        WebSocket,
        WebSocketServer: Subclass as unknown as typeof ServerClass,
      });
      expect(server).toBeInstanceOf(ServerClass);
      expect((await refusedUpgrade(port, '/', {})).status).toBe(400);
      const client = new WebSocket(`${url}/mine`);
      await Promise.all([once(client, 'open'), next()]);
      expect(seen).toEqual(['upgrade /', 'upgrade /mine', 'accepted /mine']);
    });

    test('verifyClient, synchronous: 401; it sees origin, secure and the request', async () => {
      const infos: unknown[] = [];
      const { port, url, next } = await startLibrary(library, {
        verifyClient: (info: { origin: string; secure: boolean; req: IncomingMessage }) => {
          infos.push([info.origin, info.secure, info.req.url]);
          return info.origin === 'http://good.test';
        },
      });
      const { status, body } = await refusedUpgrade(port, '/bad', { Origin: 'http://bad.test' });
      expect([status, body]).toEqual([401, 'Unauthorized']);
      const client = new WebSocket(`${url}/good`, { origin: 'http://good.test' });
      await Promise.all([once(client, 'open'), next()]);
      expect(infos).toEqual([
        ['http://bad.test', false, '/bad'],
        ['http://good.test', false, '/good'],
      ]);
    });

    test('verifyClient, asynchronous: with code, message and headers, and without', async () => {
      const verdicts = [[false, 429, 'slow down', { 'Retry-After': '7' }], [false], [true]] as const;
      let calls = 0;
      const { port, url, next } = await startLibrary(library, {
        verifyClient: (_info, done) => {
          const [accepted, code, message, headers] = verdicts[calls] as readonly [
            boolean,
            number?,
            string?,
            Record<string, string>?,
          ];
          calls += 1;
          setImmediate(() => {
            done(accepted, code, message, headers);
          });
        },
      });
      const first = await refusedUpgrade(port, '/', {});
      expect([first.status, first.body, first.headers['retry-after']]).toEqual([429, 'slow down', '7']);
      expect((await refusedUpgrade(port, '/', {})).status).toBe(401);
      const client = new WebSocket(url);
      await Promise.all([once(client, 'open'), next()]);
    });

    test("malformed upgrades are ws's to answer, until somebody listens for 'wsClientError'", async () => {
      const { server, port } = await startLibrary(library);
      expect((await refusedUpgrade(port, '/', {}, 'POST')).status).toBe(405);
      const version = await refusedUpgrade(port, '/', { 'Sec-WebSocket-Version': '1' });
      expect([version.status, version.headers['sec-websocket-version']]).toEqual([400, '13, 8']);
      const listener = (error: Error, socket: { end(text: string): void }, request: { url?: string }): void => {
        socket.end(`HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n${error.message} at ${request.url}`);
      };
      server.on('wsClientError', listener);
      const answered = await refusedUpgrade(port, '/x', { 'Sec-WebSocket-Key': 'bad' });
      expect([answered.status, answered.body]).toEqual([418, 'Missing or invalid Sec-WebSocket-Key header at /x']);
      server.off('wsClientError', listener);
      expect((await refusedUpgrade(port, '/', { 'Sec-WebSocket-Key': 'bad' })).status).toBe(400);
    });
  });

  describe('what it answers', () => {
    test('the first subprotocol that the client offers, at both ends', async () => {
      const { url, next } = await startLibrary(library);
      const client = new WebSocket(url, ['chat', 'superchat']);
      const [{ socket }] = await Promise.all([next(), once(client, 'open')]);
      expect([socket.protocol, client.protocol, socket.extensions, client.extensions]).toEqual([
        'chat',
        'chat',
        '',
        '',
      ]);
    });

    test('handleProtocols, also when set later on the options', async () => {
      const { server, url, next } = await startLibrary(library);
      const offers: unknown[] = [];
      server.options.handleProtocols = (protocols, request) => {
        offers.push([...protocols], request.url);
        return 'superchat';
      };
      const client = new WebSocket(`${url}/p`, ['chat', 'superchat']);
      const [{ socket }] = await Promise.all([next(), once(client, 'open')]);
      expect([socket.protocol, client.protocol]).toEqual(['superchat', 'superchat']);
      expect(offers).toEqual([['chat', 'superchat'], '/p']);
      server.options.handleProtocols = () => false;
      const refused = new WebSocket(url, 'chat');
      const [error] = await once<[Error & { cause?: Error }]>(refused, 'error');
      expect([error.message, error.cause?.message]).toContain('Server sent no subprotocol');
    });

    test("'headers' may add to them", async () => {
      const { server, url, next } = await startLibrary(library);
      server.on('headers', (headers, request) => headers.push(`X-Path: ${request.url}`));
      const client = new WebSocket(`${url}/h`);
      const [[response]] = await Promise.all([
        once<[{ headers: Record<string, string> }]>(client, 'upgrade'),
        once(client, 'open'),
        next(),
      ]);
      expect(response.headers['x-path']).toBe('/h');
    });
  });

  describe('close', () => {
    test('waits for the open clients of a server that is not its own, and tells them first', async () => {
      const { http, url } = await listening();
      const server = new ServerClass({ server: http });
      const accepted = once<[InstanceType<typeof WebSocket>]>(server, 'connection');
      const client = new WebSocket(url);
      await once(client, 'open');
      const [socket] = await accepted;
      const order: string[] = [];
      socket.on('message', (data: Buffer) => order.push(`message ${data.toString()}`));
      socket.on('close', () => order.push('socket'));
      const done = closed(server).then((error) => order.push(`server ${error?.message}`));
      expect([client.readyState, server.clients.size]).toEqual([1, 1]);
      client.send('still open');
      client.close();
      await done;
      expect(order).toEqual(['message still open', 'socket', 'server undefined']);
    });

    test('waits for its own http server and through it for the clients', async () => {
      const { server, url, next } = await startLibrary(library);
      const client = new WebSocket(url);
      const [{ socket }] = await Promise.all([next(), once(client, 'open')]);
      let isDone = false;
      const done = closed(server).then(() => (isDone = true));
      socket.on('message', (data) => {
        socket.send(data);
      });
      client.send('still open');
      await once(client, 'message');
      expect([isDone, client.readyState]).toEqual([false, 1]);
      client.close();
      await done;
    });

    test('does not wait without clientTracking', async () => {
      const { http, url } = await listening();
      const server = new ServerClass({ server: http, clientTracking: false });
      const accepted = once<[InstanceType<typeof WebSocket>]>(server, 'connection');
      const client = new WebSocket(url);
      await once(client, 'open');
      const [socket] = await accepted;
      expect(server.clients).toBeUndefined();
      expect(await closed(server)).toBeUndefined();
      expect(socket.readyState).toBe(1);
      client.terminate();
      await once(socket, 'close');
    });

    test('twice: while it closes both are told, afterwards it is an error', async () => {
      const server = new ServerClass({ noServer: true });
      let closes = 0;
      server.on('close', () => (closes += 1));
      expect(await Promise.all([closed(server), closed(server)])).toEqual([undefined, undefined]);
      expect(closes).toBe(1);
      expect((await closed(server))?.message).toBe('The server is not running');
      expect(closes).toBe(2);
    });

    test('refuses what is upgraded by hand afterwards', async () => {
      const { http, port } = await listening();
      const server = new ServerClass({ noServer: true });
      await closed(server);
      http.on('upgrade', (request, socket, head) => {
        server.handleUpgrade(request, socket, head, () => {
          expect.unreachable();
        });
      });
      expect((await refusedUpgrade(port, '/', UPGRADE_HEADERS)).status).toBe(503);
    });
  });
});
