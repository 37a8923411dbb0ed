/** WebSocketServer: its modes, options, events and end. */
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ServerOptions, WebSocket, WebSocketServer } from 'ws';
import type { Stage } from '../stage.ts';
import { part } from '../scenario.ts';

function closed(stage: Stage, who: string, server: WebSocketServer): Promise<void> {
  return stage.inTime('the server to close', (resolve) => {
    server.close((error) => {
      stage.log(who, 'closed', error ?? 'no error');
      resolve();
    });
  });
}

export const server = part('server', {
  'where it listens'(stage: Stage) {
    const wrong: ServerOptions[] = [
      {},
      { port: 0, noServer: true },
      { port: 0, server: createServer() },
      { server: createServer(), noServer: true },
      { noServer: false },
    ];
    for (const options of wrong)
      stage.tried('server', Object.keys(options).join('+') || 'nothing', () => new stage.WebSocketServer(options));
    stage.tried('server', 'no options', () => new (stage.WebSocketServer as unknown as new () => unknown)());
    const given = {
      port: null,
      server: null,
      noServer: true,
      path: null,
      verifyClient: null,
      handleProtocols: null,
      backlog: null,
      host: null,
    } as unknown as ServerOptions;
    stage.tried('server', 'nulls', () => stage.own(new stage.WebSocketServer(given)).options.noServer);
    const http = createServer();
    const attached = stage.own(new stage.WebSocketServer({ server: http }));
    stage.log('server', 'address before it listens', attached.address());
    stage.log(
      'server',
      'listeners',
      http.listenerCount('upgrade'),
      http.listenerCount('listening'),
      http.listenerCount('error'),
    );
    attached.close();
    stage.log(
      'server',
      'listeners',
      http.listenerCount('upgrade'),
      http.listenerCount('listening'),
      http.listenerCount('error'),
    );
  },

  async 'port: callback, listening, address, end'(stage: Stage) {
    const server = stage.own(
      new stage.WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 5 }, () => {
        stage.log('server', 'callback');
      }),
    );
    stage.follow('server', server, 'listening', 'close', 'error');
    await stage.event(server, 'listening');
    const address = server.address() as { address: string; family: string; port: number };
    stage.log('server', 'address', address.address, address.family, address.port > 0);
    await closed(stage, 'server', server);
    stage.tried('server', 'address afterwards', () => server.address());
    await closed(stage, 'server', server);
  },

  async "'error' for a port that is taken"(stage: Stage) {
    const { port } = await stage.http();
    const server = stage.own(new stage.WebSocketServer({ port, host: '127.0.0.1' }));
    stage.log('server', 'error', ...(await stage.event(server, 'error')));
  },

  async 'server: shared, and left alone'(stage: Stage) {
    const { http, url } = await stage.http();
    const server = stage.own(new stage.WebSocketServer({ server: http, path: '/a' }));
    stage.follow('server', server, 'close');
    stage.log('server', 'address', JSON.stringify(server.address()) === JSON.stringify(http.address()));
    const accepted = stage.event<[WebSocket, IncomingMessage]>(server, 'connection');
    const client = stage.connect(`${url}/a?b`);
    await stage.event(client, 'open');
    const [peer, request] = await accepted;
    stage.log('server', 'request', request.url, server.clients.has(peer), server.clients.size);
    const done = closed(stage, 'server', server);
    stage.log('server', 'listening', http.listening, http.listenerCount('upgrade'), client.readyState);
    client.close();
    await done;
    stage.log('server', 'clients', server.clients.size, http.listening);
    stage.tried('server', 'address', () => server.address());
  },

  async 'noServer, by hand'(stage: Stage) {
    const { http, url } = await stage.http();
    const server = stage.own(new stage.WebSocketServer({ noServer: true }));
    stage.tried('server', 'address', () => server.address());
    http.on('upgrade', (request, socket, head) => {
      const result = server.handleUpgrade(request, socket, Buffer.from(head), (peer, sameRequest) => {
        stage.log('server', 'called back', peer.readyState, sameRequest === request, server.clients.has(peer));
        stage.watch('peer', peer);
        server.emit('connection', peer, request, 'extra');
      });
      stage.log('server', 'handleUpgrade returns', result);
    });
    server.on('connection', (...values: unknown[]) => {
      stage.log('server', 'connection', values.length, values[2]);
    });
    const client = stage.connect(url);
    await stage.event(client, 'open');
    await stage.inTime<void>('the callback', (resolve) => {
      client.send('hello', () => {
        resolve();
      });
    });
    client.close(4000);
    await stage.closed(client);
    await stage.settle();
    await closed(stage, 'server', server);
  },

  async 'one request twice'(stage: Stage) {
    const { http, url } = await stage.http();
    const server = stage.own(new stage.WebSocketServer({ noServer: true }));
    const done = stage.inTime<void>('the upgrade', (resolve) => {
      http.on('upgrade', (request, socket, head) => {
        server.handleUpgrade(request, socket, head, () => undefined);
        stage.tried('server', 'again', () => {
          server.handleUpgrade(request, socket, head, () => undefined);
        });
        resolve();
      });
    });
    stage.connect(url).on('error', () => undefined);
    await done;
  },

  async 'malformed upgrades, and wsClientError'(stage: Stage) {
    const { server, port } = await stage.serve();
    const ask = async (who: string): Promise<void> => {
      await stage.answer(who, port, '/', {}, 'POST');
      await stage.answer(who, port, '/', { Upgrade: 'h2c' });
      await stage.answer(who, port, '/', { 'Sec-WebSocket-Key': 'bad' });
      await stage.answer(who, port, '/', { 'Sec-WebSocket-Version': '1' });
      await stage.answer(who, port, '/', { 'Sec-WebSocket-Protocol': 'a,,b' });
    };
    await ask('unheard');
    const listener = (error: Error, socket: Duplex, request: IncomingMessage): void => {
      stage.log('server', 'wsClientError', error, request.method);
      socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    };
    server.on('wsClientError', listener);
    await ask('heard');
    server.off('wsClientError', listener);
    await stage.answer('removed', port, '/', { 'Sec-WebSocket-Key': 'bad' });
  },

  async 'path and shouldHandle'(stage: Stage) {
    const { server, port, url } = await stage.serve({ path: '/chat' });
    server.on('connection', (_peer, request) => {
      stage.log('server', 'connection', request.url);
    });
    await stage.answer('client', port, '/');
    await stage.answer('client', port, '/chat/');
    await stage.event(stage.connect(`${url}/chat?room=1`), 'open');
    server.options.path = '/other';
    await stage.answer('client', port, '/chat');
    await stage.event(stage.connect(`${url}/other`), 'open');
    stage.log(
      'server',
      'shouldHandle',
      server.shouldHandle({ url: '/other?x' } as IncomingMessage),
      server.shouldHandle({ url: '/chat' } as IncomingMessage),
    );
    server.shouldHandle = (request) => request.url === '/mine';
    await stage.answer('client', port, '/other');
    await stage.event(stage.connect(`${url}/mine`), 'open');
  },

  async 'verifyClient, synchronous'(stage: Stage) {
    const { server, port, url } = await stage.serve({
      verifyClient: (info: { origin: string; secure: boolean; req: IncomingMessage }) => {
        stage.log('server', 'info', info.origin, info.secure, info.req.url);
        return info.origin === 'http://good.test';
      },
    });
    server.on('connection', () => {
      stage.log('server', 'connection');
    });
    await stage.answer('client', port, '/bad', { Origin: 'http://bad.test' });
    await stage.answer('client', port, '/8', {
      'Sec-WebSocket-Version': '8',
      'Sec-WebSocket-Origin': 'http://bad.test',
    });
    await stage.event(stage.connect(`${url}/good`, { origin: 'http://good.test' }), 'open');
    server.options.verifyClient = () => true;
    await stage.event(stage.connect(`${url}/any`), 'open');
  },

  async 'verifyClient, asynchronous'(stage: Stage) {
    const verdicts: [boolean, number?, string?, Record<string, string>?][] = [
      [false, 429, 'slow down', { 'Retry-After': '7' }],
      [false],
      [false, 403],
      [true],
    ];
    const { server, port, url } = await stage.serve({
      verifyClient: (_info, done) => {
        const verdict = verdicts.shift() ?? [true];
        setImmediate(() => {
          done(...verdict);
        });
      },
    });
    server.on('connection', () => {
      stage.log('server', 'connection');
    });
    for (let i = 0; i < 3; i += 1) await stage.answer('client', port);
    await stage.event(stage.connect(url), 'open');
  },

  async handleProtocols(stage: Stage) {
    const { server, port, url } = await stage.serve();
    server.on('connection', (peer) => {
      stage.log('server', 'protocol', String(peer.protocol));
    });
    await stage.event(stage.connect(url, ['first', 'second']), 'open');
    server.options.handleProtocols = (protocols, request) => {
      stage.log('server', 'offered', protocols, request.url);
      return 'second';
    };
    const client = stage.connect(url, ['first', 'second']);
    await stage.event(client, 'open');
    stage.log('client', 'protocol', client.protocol);
    server.options.handleProtocols = (() => ['first']) as never;
    await stage.event(stage.connect(url, ['first', 'second']), 'open');
    server.options.handleProtocols = () => false;
    await stage.answer('client', port, '/', { 'Sec-WebSocket-Protocol': 'one, two' });
    await stage.event(stage.connect(url), 'open');
  },

  async "'headers'"(stage: Stage) {
    const { server, port, url } = await stage.serve();
    server.on('headers', (headers, request) => {
      stage.log(
        'server',
        'headers',
        headers.filter((line) => !line.startsWith('Sec-WebSocket-Accept')),
        request.url,
      );
      headers.push('X-Own: yes');
    });
    await stage.answer('client', port, '/path');
    const client = stage.connect(url);
    client.on('upgrade', ({ headers }) => {
      stage.log('client', 'upgrade', headers['x-own']);
    });
    await stage.event(client, 'open');
  },

  async 'clients and clientTracking'(stage: Stage) {
    const { server, url } = await stage.serve({ clientTracking: false });
    stage.log('untracked', 'clients', server.clients);
    await stage.event(stage.connect(url), 'open');
    const tracked = await stage.pair();
    stage.log('tracked', 'clients', tracked.server.clients.size, tracked.server.clients.has(tracked.peer));
    tracked.peer.on('close', () => {
      stage.log('tracked', 'in close', tracked.server.clients.size);
    });
    tracked.client.close();
    await stage.closed(tracked.client, tracked.peer);
    stage.log('tracked', 'afterwards', tracked.server.clients.size);
  },

  async "'connection', and what is sent in it"(stage: Stage) {
    const { server, url } = await stage.serve();
    server.on('connection', (...values: unknown[]) => {
      const peer = values[0] as WebSocket;
      stage.log(
        'server',
        'connection',
        values.length,
        peer.readyState,
        peer instanceof stage.WebSocket,
        server.clients.has(peer),
      );
      stage.watch('peer', peer);
      peer.send('first');
      peer.ping();
    });
    const client = stage.connect(url);
    stage.watch('client', client);
    await stage.event(client, 'ping');
    client.close(1000);
    await stage.closed(client);
    await stage.settle();
  },

  async "a 'connection' listener that throws"(stage: Stage) {
    const { server, url } = await stage.serve();
    server.once('connection', () => {
      throw new Error('in connection');
    });
    await stage.uncaught('server', 1, () => {
      stage.connect(url).on('error', () => undefined);
    });
    await stage.event(stage.connect(url), 'open');
    stage.log('server', 'goes on', server.listenerCount('connection'));
  },

  async 'close: with its own http server'(stage: Stage) {
    const { client, peer, server, port } = { ...(await stage.pair()), port: 0 };
    stage.follow('server', server, 'close');
    const done = Promise.all([closed(stage, 'server', server), closed(stage, 'server', server)]);
    stage.log('client', 'state', client.readyState, peer.readyState, port);
    client.send('still open');
    stage.log('peer', 'message', ...(await stage.event(peer, 'message')));
    client.close();
    await done;
    await closed(stage, 'server', server);
    stage.log('server', 'listeners', server.listenerCount('close'));
  },

  async 'close: noServer with clients, and twice'(stage: Stage) {
    const { http, url, port } = await stage.http();
    const server = stage.own(new stage.WebSocketServer({ noServer: true }));
    http.on('upgrade', (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (peer) => {
        server.emit('connection', peer, request);
      });
    });
    stage.follow('server', server, 'close');
    const accepted = stage.event<[WebSocket]>(server, 'connection');
    const client = stage.connect(url);
    await stage.event(client, 'open');
    const [peer] = await accepted;
    const done = closed(stage, 'server', server);
    server.close();
    await stage.settle();
    stage.log('server', 'clients', server.clients.size);
    await stage.answer('late', port);
    peer.close();
    await done;
    stage.log('server', 'clients', server.clients.size);
  },

  async 'close: without clients'(stage: Stage) {
    for (const options of [{ noServer: true }, { noServer: true, clientTracking: false }]) {
      const server = stage.own(new stage.WebSocketServer(options));
      stage.follow('server', server, 'close');
      const done = closed(stage, 'server', server);
      stage.log('server', 'close returned');
      await done;
      await closed(stage, 'server', server);
    }
  },

  async 'removeAllListeners() on the server'(stage: Stage) {
    const { server, url } = await stage.serve();
    server.on('connection', () => {
      stage.log('server', 'removed');
    });
    server.removeAllListeners();
    const accepted = stage.event<[WebSocket]>(server, 'connection');
    const client = stage.connect(url);
    await stage.event(client, 'open');
    const [peer] = await accepted;
    peer.removeAllListeners();
    stage.log('server', 'clients', server.clients.size);
    client.close();
    await stage.closed(client, peer);
    stage.log('server', 'clients', server.clients.size);
    await closed(stage, 'server', server);
  },

  async 'options are live'(stage: Stage) {
    const { server, url } = await stage.serve({ maxPayload: 10 });
    stage.log('server', 'maxPayload', server.options.maxPayload);
    server.options.maxPayload = 1000;
    server.options.autoPong = false;
    const accepted = stage.event<[WebSocket]>(server, 'connection');
    const client = stage.connect(url);
    stage.follow('client', client, 'pong');
    await stage.event(client, 'open');
    const [peer] = await accepted;
    stage.watch('peer', peer);
    client.ping();
    client.send(Buffer.alloc(500));
    await stage.flushed({ client, peer });
  },

  async perMessageDeflate(stage: Stage) {
    for (const perMessageDeflate of [false, true, { threshold: 1024 }]) {
      stage.tried(
        'server',
        JSON.stringify(perMessageDeflate),
        () =>
          typeof stage.own(new stage.WebSocketServer({ noServer: true, perMessageDeflate })).options.perMessageDeflate,
      );
    }
    const { server, url } = await stage.serve();
    // crossws does so around each upgrade.
    server.options.perMessageDeflate = false;
    const client = stage.connect(url);
    await stage.event(client, 'open');
    stage.log('client', 'extensions', client.extensions);
  },

  'an own class of sockets, and options that ws does not know'(stage: Stage) {
    stage.tried(
      'server',
      'WebSocket',
      () =>
        typeof stage.own(new stage.WebSocketServer({ noServer: true, WebSocket: class extends stage.WebSocket {} })),
    );
    stage.tried(
      'server',
      'unknown',
      () => typeof stage.own(new stage.WebSocketServer({ noServer: true, maxPayLoad: 5 } as ServerOptions)),
    );
  },

  async 'a client that is gone before the answer'(stage: Stage) {
    const { server, port } = await stage.serve({
      verifyClient: (_info, done) => {
        setTimeout(() => {
          done(true);
        }, 20);
      },
    });
    server.on('connection', () => {
      stage.log('server', 'connection');
    });
    const { connect } = await import('node:net');
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await stage.event(socket, 'connect');
    socket.end();
    socket.on('data', (data: Buffer) => {
      stage.log('client', 'data', data.toString().split('\r\n')[0]);
    });
    await stage.event(socket, 'close');
    stage.log('server', 'clients', server.clients.size);
  },
});
