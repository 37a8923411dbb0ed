/** The client's constructor and what happens until it is open. */
import type { IncomingMessage } from 'node:http';
import { Agent, createServer, request } from 'node:http';
import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ClientOptions, WebSocket } from 'ws';
import { show } from '../show.ts';
import type { Stage } from '../stage.ts';
import { part } from '../scenario.ts';

/** The request that a connection comes with. */
async function requestOf(
  stage: Stage,
  ...values: [(string[] | string | ClientOptions)?, ClientOptions?]
): Promise<void> {
  const { url, server } = await stage.serve();
  const accepted = stage.event<[WebSocket, IncomingMessage]>(server, 'connection');
  const client = stage.connect(`${url}/path?query=1`, ...values);
  const [peer, { headers, url: target, httpVersion }] = await accepted;
  await stage.event(client, 'open');
  const { host: _host, 'sec-websocket-key': _key, 'sec-websocket-extensions': _extensions, ...others } = headers;
  stage.log('server', 'request', target, httpVersion, others);
  stage.log('client', 'protocol', client.protocol, peer.protocol, client.extensions);
}

export const connecting = part('connecting', {
  'addresses that are refused'(stage: Stage) {
    for (const address of [
      'nonsense',
      '',
      'ftp://host/',
      'ws://host/#fragment',
      'ws://',
      'ws://host:99999/',
      undefined,
      null,
      7,
      {},
      'ws+unix:',
    ]) {
      try {
        stage.connect(address as string);
        stage.log('client', `${show(address)} is taken`);
      } catch (error) {
        stage.log(
          'client',
          show(address),
          (error as Error).name,
          error instanceof SyntaxError ? (error.message.startsWith('Invalid URL') ? 'Invalid URL' : error.message) : '',
        );
      }
    }
  },

  'addresses that are taken'(stage: Stage) {
    for (const address of [
      'ws://127.0.0.1:1',
      'http://127.0.0.1:1/a',
      'https://127.0.0.1:1',
      'WSS://127.0.0.1:1/x?y#',
      new URL('ws://127.0.0.1:1/u'),
      new URL('http://127.0.0.1:1/u'),
      'ws://user:pass@127.0.0.1:1/',
      'ws+unix:/tmp/no-such-socket:/path?query',
    ]) {
      try {
        const client = stage.connect(address as string);
        client.on('error', () => undefined);
        stage.log('client', String(address), client.url);
      } catch (error) {
        stage.log('client', `${String(address)} throws`, (error as Error).name);
      }
    }
  },

  'subprotocols that are refused'(stage: Stage) {
    for (const protocols of [[''], ['a b'], ['a', 'a'], 'a,b', [1], [null], ['\u00e9'], ['a', 'A']]) {
      stage.tried('client', JSON.stringify(protocols), () => {
        stage.connect('ws://127.0.0.1:1', protocols as string[]).on('error', () => undefined);
      });
    }
  },

  async 'subprotocols, and where the options stand'(stage: Stage) {
    await requestOf(stage);
    await requestOf(stage, undefined);
    await requestOf(stage, 'one');
    await requestOf(stage, ['one', 'two']);
    await requestOf(stage, []);
    await requestOf(stage, { protocols: ['three', 'four'] } as ClientOptions);
    await requestOf(stage, { protocols: 'five' } as ClientOptions);
    await requestOf(stage, undefined, { protocols: ['six'] } as ClientOptions);
    await requestOf(stage, ['seven'], { protocols: ['eight'] } as ClientOptions);
    await requestOf(stage, ['nine'], { headers: { 'X-Own': 'yes' } });
  },

  async 'null for the subprotocols'(stage: Stage) {
    const { url } = await stage.serve();
    stage.tried('client', 'null', () => stage.connect(url, null as never).readyState);
  },

  async 'headers, origin, auth, protocolVersion'(stage: Stage) {
    await requestOf(stage, {
      headers: { 'X-Own': 'yes', Cookie: 'a=b', 'User-Agent': 'me' },
      origin: 'http://origin.test',
    });
    await requestOf(stage, { origin: 'http://origin.test', protocolVersion: 8 });
    await requestOf(stage, { auth: 'user:pass' } as ClientOptions);
    for (const protocolVersion of [7, 1000, '13']) {
      stage.tried('client', `version ${String(protocolVersion)}`, () => {
        stage.connect('ws://127.0.0.1:1', { protocolVersion: protocolVersion as number }).on('error', () => undefined);
      });
    }
  },

  async 'credentials in the address'(stage: Stage) {
    const { port, server } = await stage.serve();
    const accepted = stage.event<[WebSocket, IncomingMessage]>(server, 'connection');
    stage.connect(`ws://user:p%40ss@127.0.0.1:${port}`);
    stage.log('server', 'authorization', (await accepted)[1].headers.authorization);
  },

  async 'options of http.request that do not count'(stage: Stage) {
    await requestOf(stage, {
      host: 'elsewhere.test',
      port: 1,
      path: '/other',
      method: 'POST',
      protocol: 'x:',
      hostname: 'y',
      socketPath: '/z',
      timeout: 1,
    } as ClientOptions);
  },

  async 'agent, createConnection, lookup, finishRequest, generateMask'(stage: Stage) {
    const { url, port, server } = await stage.serve();
    const agent = new Agent();
    server.on('connection', (peer, { headers }) => {
      stage.log('server', 'late header', headers['x-late']);
      stage.follow('server', peer, 'message');
    });
    const client = stage.connect(url, { agent });
    await stage.event(client, 'open');
    stage.log('client', 'sockets of the agent', Object.keys(agent.sockets).length);
    const own = stage.connect('ws://127.0.0.1:1', {
      createConnection: ((options: { host?: string; port?: number }) => {
        stage.log('client', 'createConnection', options.host, options.port);
        return connect({ port, host: '127.0.0.1' });
      }) as never,
    });
    await stage.event(own, 'open');
    const named = stage.connect(`ws://some.name.test:${port}`, {
      lookup: ((name: string, _options: unknown, callback: (...values: unknown[]) => void) => {
        stage.log('client', 'lookup', name);
        callback(null, [{ address: '127.0.0.1', family: 4 }]);
      }) as never,
    } as ClientOptions);
    await stage.event(named, 'open');
    const finished = stage.connect(url, {
      finishRequest(clientRequest, websocket) {
        stage.log(
          'client',
          'finishRequest',
          typeof clientRequest.setHeader,
          websocket instanceof stage.WebSocket,
          websocket.readyState,
        );
        clientRequest.setHeader('x-late', 'yes');
        clientRequest.end();
      },
    });
    await stage.event(finished, 'open');
    let masks = 0;
    const masked = stage.connect(url, {
      generateMask: (mask: Buffer) => {
        masks += mask.length;
      },
    });
    await stage.event(masked, 'open');
    await stage.inTime<void>('the callback', (resolve) => {
      masked.send('masked', () => {
        resolve();
      });
    });
    masked.ping();
    await stage.event(masked, 'pong');
    stage.log('client', 'masks were asked for', masks > 0, masks % 4);
  },

  async 'a unix socket'(stage: Stage) {
    const folder = mkdtempSync(path.join(tmpdir(), 'ws-'));
    const http = createServer();
    await new Promise<void>((resolve) => {
      http.listen(path.join(folder, 'socket'), resolve);
    });
    const server = stage.own(new stage.WebSocketServer({ server: http }));
    stage.log('server', 'address', server.address());
    server.on('connection', (peer, { url }) => {
      stage.log('server', 'url', url);
      stage.follow('server', peer, 'message');
    });
    const client = stage.connect(`ws+unix:${folder}/socket:/path?query=1`);
    await stage.event(client, 'open');
    await stage.inTime<void>('the callback', (resolve) => {
      client.send('over a pipe', () => {
        resolve();
      });
    });
    client.ping();
    await stage.event(client, 'pong');
    stage.log('client', 'url', client.url);
    client.terminate();
    http.close();
  },

  async 'nobody there'(stage: Stage) {
    const client = stage.connect('ws://127.0.0.1:1');
    stage.watch('client', client);
    await stage.closed(client);
    stage.log('client', 'state', client.readyState, client.bufferedAmount);
  },

  async "the state in 'error' and 'close'"(stage: Stage) {
    const { url } = await stage.http();
    const watched = (who: string, client: WebSocket): Promise<unknown> => {
      for (const event of ['error', 'close']) {
        client.on(event, () => {
          stage.log(who, event, client.readyState);
          client.close();
          client.terminate();
        });
      }
      client.onerror = ({ target }): void => {
        stage.log(who, 'onerror', target.readyState);
        client.send('late', (error) => {
          stage.log(who, 'called back', error);
        });
      };
      return stage.closed(client);
    };
    await watched('nobody there', stage.connect('ws://127.0.0.1:1'));
    await watched('no upgrade', stage.connect(url));
    const given = stage.connect(url);
    const givenUp = watched('given up', given);
    given.close();
    await givenUp;
    await stage.settle();
  },

  async 'unexpected-response'(stage: Stage) {
    const { url } = await stage.http((_request, response) => {
      response.writeHead(401, { 'X-Own': 'yes' }).end('who are you?');
    });
    const unheard = stage.connect(url);
    stage.watch('unheard', unheard);
    await stage.closed(unheard);
    const heard = stage.connect(url);
    stage.watch('heard', heard);
    const body = stage.inTime<string>('the body', (resolve) => {
      heard.on('unexpected-response', (clientRequest, response) => {
        stage.log(
          'heard',
          'unexpected-response',
          typeof clientRequest.destroy,
          response.statusCode,
          response.headers['x-own'],
          heard.readyState,
        );
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          resolve(text);
        });
      });
    });
    stage.log('heard', 'body', await body);
    heard.close();
    await stage.closed(heard);
    const listener = (): void => {
      stage.log('removed', 'still heard');
    };
    const removed = stage.connect(url).on('unexpected-response', listener).off('unexpected-response', listener);
    stage.watch('removed', removed);
    await stage.closed(removed);
  },

  async "'upgrade', and its order"(stage: Stage) {
    const { url } = await stage.serve();
    const client = stage.connect(url);
    client.on('upgrade', (response) => {
      stage.log('client', 'upgrade', response.statusCode, response.headers['upgrade'], client.readyState);
    });
    stage.watch('client', client);
    await stage.event(client, 'open');
  },

  async redirects(stage: Stage) {
    const { url, server } = await stage.serve();
    server.on('connection', (_peer, { url: target, headers }) => {
      stage.log('server', 'connection', target, headers.cookie, headers['x-own']);
    });
    const { url: first } = await stage.http((incoming, response) => {
      if (incoming.url === '/loop') response.writeHead(302, { Location: '/loop' }).end();
      else if (incoming.url === '/bad') response.writeHead(302, { Location: 'ftp://nowhere/' }).end();
      else response.writeHead(307, { Location: `${url}/target` }).end();
    });
    const options = { followRedirects: true, headers: { Cookie: 'a=b', 'X-Own': 'yes' } };
    const client = stage.connect(first, options);
    await stage.event(client, 'open');
    stage.log('client', 'url', client.url === `${url}/target`);
    const heard = stage.connect(first, options);
    heard.on('redirect', (target: string, clientRequest: { setHeader(name: string, value: string): void }) => {
      stage.log('heard', 'redirect', target === `${url}/target`, typeof clientRequest.setHeader, heard.readyState);
    });
    await stage.event(heard, 'open');
    const not = stage.connect(first);
    stage.watch('not followed', not);
    await stage.closed(not);
    const loop = stage.connect(`${first}/loop`, { followRedirects: true, maxRedirects: 2 });
    loop.on('redirect', () => {
      stage.log('loop', 'redirect');
    });
    stage.watch('loop', loop);
    await stage.closed(loop);
    const bad = stage.connect(`${first}/bad`, { followRedirects: true });
    stage.watch('bad', bad);
    await stage.closed(bad);
  },

  async handshakeTimeout(stage: Stage) {
    const { url } = await stage.http(() => undefined);
    const client = stage.connect(url, { handshakeTimeout: 50 });
    stage.watch('client', client);
    await stage.closed(client);
  },

  async 'answers that are no upgrade'(stage: Stage) {
    for (const answer of [
      'Upgrade: nonsense\r\nSec-WebSocket-Accept: x',
      'Upgrade: websocket\r\nSec-WebSocket-Accept: wrong',
    ]) {
      const { http, url } = await stage.http();
      http.on('upgrade', (_request, socket) => {
        socket.end(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${answer}\r\n\r\n`);
      });
      const client = stage.connect(url);
      stage.watch('client', client);
      await stage.closed(client);
    }
    const { http, url } = await stage.http();
    http.on('upgrade', (_request, socket) => {
      socket.end('nonsense\r\n\r\n');
    });
    const client = stage.connect(url);
    client.on('error', (error) => {
      stage.log('client', 'error', (error as { code?: string }).code);
    });
    client.on('close', (code) => {
      stage.log('client', 'close', code);
    });
    await stage.closed(client);
  },

  async 'subprotocols that were not asked for, or not answered'(stage: Stage) {
    const { url } = await stage.serve({ handleProtocols: () => 'never-offered' });
    const other = stage.connect(url, ['chat']);
    stage.watch('other', other);
    await stage.closed(other);
    const { url: silent } = await stage.serve({ handleProtocols: () => false });
    const none = stage.connect(silent, ['chat']);
    stage.watch('none', none);
    await stage.closed(none);
  },

  async 'an AbortSignal'(stage: Stage) {
    const { url } = await stage.http(() => undefined);
    const controller = new AbortController();
    const client = stage.connect(url, { signal: controller.signal } as ClientOptions);
    stage.watch('client', client);
    controller.abort();
    await stage.closed(client);
  },

  'options that ws does not know'(stage: Stage) {
    stage.tried('client', 'unknown', () => {
      stage.connect('ws://127.0.0.1:1', { handshakeTimeOut: 5 } as ClientOptions).on('error', () => undefined);
    });
    stage.tried('client', 'perMessageDeflate: false', () => {
      stage.connect('ws://127.0.0.1:1', { perMessageDeflate: false }).on('error', () => undefined);
    });
    stage.tried('client', 'perMessageDeflate: true', () => {
      stage.connect('ws://127.0.0.1:1', { perMessageDeflate: true }).on('error', () => undefined);
    });
    stage.tried('client', 'TLS options', () => {
      stage
        .connect('ws://127.0.0.1:1', {
          allowPartialTrustChain: true,
          rejectUnauthorized: false,
          ca: [],
          servername: 'x',
          minVersion: 'TLSv1.3',
        } as ClientOptions)
        .on('error', () => undefined);
    });
  },

  async 'plain http on the same port'(stage: Stage) {
    const { port } = await stage.serve();
    await stage.inTime<void>('an answer', (resolve) => {
      request({ port, host: '127.0.0.1' }, (response) => {
        stage.log('client', 'answer', response.statusCode, response.headers['content-type']);
        response.resume().on('end', () => {
          resolve();
        });
      }).end();
    });
  },
});
