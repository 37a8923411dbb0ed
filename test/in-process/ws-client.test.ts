/** What our WebSocket of pq-websocket/ws has in common with npm ws's: every test here runs against both. */
import { once as nodeOnce } from 'node:events';
import { Agent, createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ClientOptions, ServerOptions, WebSocket } from 'ws';
import { AsyncQueue, once } from '../support/deferred.ts';
import type { Library } from '../support/ws-endpoints.ts';
import { LIBRARIES, startLibrary } from '../support/ws-endpoints.ts';

interface Pair {
  readonly client: WebSocket;
  readonly peer: WebSocket;
  readonly url: string;
}

async function pair(library: Library, client: ClientOptions = {}, server: ServerOptions = {}): Promise<Pair> {
  const { url, next } = await startLibrary(library, server);
  const socket = new library.WebSocket(url, client);
  const [accepted] = await Promise.all([next(), once(socket, 'open')]);
  return { client: socket, peer: accepted.socket, url };
}

/** All messages from now on, in order. */
function messagesOf(socket: WebSocket): AsyncQueue<[unknown, boolean]> {
  const queue = new AsyncQueue<[unknown, boolean]>();
  socket.on('message', (data, isBinary) => {
    queue.push([data, isBinary]);
  });
  return queue;
}

async function httpServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  // Without a listener for upgrades Node gives them to the request listener.
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function closeOf(socket: WebSocket): Promise<[number, string]> {
  return once<[number, Buffer]>(socket, 'close').then(([code, reason]) => [code, reason.toString()]);
}

describe.each(LIBRARIES)('%s', (_name, library) => {
  describe('as an emitter', () => {
    test('listeners: on, once, off, their aliases, counts, and `this`', async () => {
      const { client, peer } = await pair(library);
      const heard: unknown[] = [];
      const listener = function (this: unknown, data: unknown): void {
        heard.push(String(data), this === client);
      };
      expect(client.on('message', listener)).toBe(client);
      expect(client.once('message', listener).addListener('message', listener)).toBe(client);
      expect([
        client.listenerCount('message'),
        client.listeners('message').length,
        client.eventNames().includes('message'),
      ]).toEqual([3, 3, true]);
      peer.send('a');
      await nodeOnce(client, 'message');
      expect(heard).toEqual(['a', true, 'a', true, 'a', true]);
      client.removeAllListeners('message').on('message', listener).on('pong', listener);
      expect([
        client.off('message', listener).listenerCount('message'),
        client.removeListener('message', listener).listenerCount('message'),
      ]).toEqual([0, 0]);
      client.on('message', listener);
      expect(client.removeAllListeners('message').listenerCount('message')).toBe(0);
      expect(client.listenerCount('pong')).toBe(1);
      expect(client.removeAllListeners().eventNames()).toEqual([]);
    });

    test('emit reaches the listeners and nobody else', async () => {
      const { client, peer } = await pair(library);
      const received = messagesOf(peer);
      const heard: unknown[] = [];
      client.on('custom', (...values: unknown[]) => heard.push(...values));
      expect([client.emit('custom', 1, 2), client.emit('nobody')]).toEqual([true, false]);
      client.emit('message', Buffer.from('by hand'), false);
      client.send('sent');
      expect(String((await received.next())[0])).toBe('sent');
      expect([heard, received.size]).toEqual([[1, 2], 0]);
    });

    test('a property of the application stays on the socket, and its methods can be replaced', async () => {
      const { client } = await pair(library);
      const own = Object.assign(client, { isAlive: true, ping: () => 'replaced' });
      expect([own.isAlive, own.ping()]).toEqual([true, 'replaced']);
    });

    test('the standard style works on the same object', async () => {
      const { client, peer } = await pair(library);
      const heard: unknown[] = [];
      client.onmessage = ({ data, target }) => heard.push('onmessage', data, target === client);
      client.addEventListener('message', ({ data, type }) => heard.push(type, data), { once: true });
      const removed = (): number => heard.push('removed');
      client.addEventListener('message', removed);
      client.removeEventListener('message', removed);
      peer.send('a');
      peer.send('b');
      client.onclose = ({ code, reason, wasClean }) => heard.push(code, reason, wasClean);
      peer.close(4001, 'bye');
      await once(client, 'close');
      await new Promise(setImmediate);
      expect(heard).toEqual(['onmessage', 'a', true, 'message', 'a', 'onmessage', 'b', true, 4001, 'bye', true]);
    });

    test('constants and states', async () => {
      const { client } = await pair(library);
      const { CONNECTING, OPEN, CLOSING, CLOSED } = library.WebSocket;
      expect([CONNECTING, OPEN, CLOSING, CLOSED, client.OPEN, client.readyState]).toEqual([0, 1, 2, 3, 1, 1]);
      client.close();
      expect(client.readyState).toBe(2);
      await once(client, 'close');
      expect(client.readyState).toBe(3);
    });
  });

  describe('messages', () => {
    test('arrive as a Buffer, with whether they are binary', async () => {
      const { client, peer } = await pair(library);
      const received = messagesOf(client);
      const binary = Buffer.from([0, 255, 1]);
      for (const data of [
        'text é',
        binary,
        new Uint8Array(binary).buffer,
        new DataView(binary.buffer, binary.byteOffset, 2),
        '',
        new Uint8Array(0),
        42,
      ]) {
        peer.send(data as string);
      }
      const expected = [
        ['text é', false],
        [binary, true],
        [binary, true],
        [binary.subarray(0, 2), true],
        ['', false],
        ['', true],
        ['42', false],
      ] as const;
      for (const [data, isBinary] of expected)
        expect(await received.next()).toEqual([Buffer.from(data as string), isBinary]);
    });

    test('nothing is an empty binary message, and an object is refused', async () => {
      const { client, peer } = await pair(library);
      const received = messagesOf(peer);
      client.send(undefined as never);
      client.send(null as never);
      expect(() => {
        client.send({ an: 'object' } as never);
      }).toThrow(TypeError);
      client.send('end');
      const empty = [Buffer.alloc(0), true];
      expect([await received.next(), await received.next(), await received.next()]).toEqual([
        empty,
        empty,
        [Buffer.from('end'), false],
      ]);
    });

    test('send(data, { binary }) overrides the kind', async () => {
      const { client, peer } = await pair(library);
      const received = messagesOf(peer);
      client.send('text', { binary: true });
      client.send(Buffer.from('bytes'), { binary: false, compress: true }, () => undefined);
      expect([await received.next(), await received.next()]).toEqual([
        [Buffer.from('text'), true],
        [Buffer.from('bytes'), false],
      ]);
    });

    test.each(['nodebuffer', 'arraybuffer', 'fragments', 'blob'] as const)(
      'binaryType %s, in both styles',
      async (binaryType) => {
        const { client, peer } = await pair(library);
        const received = messagesOf(client);
        const dom = new AsyncQueue<unknown>();
        client.onmessage = ({ data }) => {
          dom.push(data);
        };
        client.binaryType = binaryType as 'nodebuffer';
        expect(client.binaryType).toBe(binaryType);
        peer.send(Buffer.from([1, 2, 3]));
        peer.send('text');
        const expected = { nodebuffer: Buffer, arraybuffer: ArrayBuffer, fragments: Array, blob: Blob }[binaryType];
        for (const data of [(await received.next())[0], await dom.next()]) {
          expect(data).toBeInstanceOf(expected);
          const bytes =
            data instanceof Blob
              ? await data.arrayBuffer()
              : Array.isArray(data)
                ? Buffer.concat(data)
                : (data as ArrayBuffer);
          expect([...new Uint8Array(bytes)]).toEqual([1, 2, 3]);
        }
        expect([await received.next(), await dom.next()]).toEqual([[Buffer.from('text'), false], 'text']);
      },
    );

    test('binaryType can change from message to message; what it does not know it ignores', async () => {
      const { client, peer } = await pair(library);
      const kinds: string[] = [];
      const next: ('arraybuffer' | 'nodebuffer' | 'fragments')[] = ['arraybuffer', 'fragments', 'nodebuffer'];
      client.on('message', (data: object) => {
        kinds.push(data.constructor.name);
        client.binaryType = next.shift() ?? ('nonsense' as 'nodebuffer');
        peer.send(Buffer.from([1]));
      });
      peer.send(Buffer.from([1]));
      await new Promise<void>((resolve) => client.on('message', () => kinds.length === 5 && resolve()));
      expect(kinds).toEqual(['Buffer', 'ArrayBuffer', 'Array', 'Buffer', 'Buffer']);
      expect(client.binaryType).toBe('nodebuffer');
    });

    test('send callbacks: without an error when sent, with one afterwards, never before send() returns', async () => {
      const { client, peer } = await pair(library);
      const order: string[] = [];
      const sent = new Promise<unknown>((resolve) => {
        client.send('a', (error) => {
          order.push('sent');
          resolve(error);
        });
      });
      order.push('returned');
      expect(await sent).toBeFalsy();
      client.close();
      const late = new Promise<unknown>((resolve) => {
        client.send('b', {}, (error) => {
          order.push('refused');
          resolve(error);
        });
      });
      order.push('returned');
      expect(await late).toBeInstanceOf(Error);
      expect(order).toEqual(['returned', 'sent', 'returned', 'refused']);
      await once(peer, 'close');
      expect(
        await new Promise((resolve) => {
          peer.send('c', resolve);
        }),
      ).toBeInstanceOf(Error);
    });
  });

  describe('control', () => {
    test('ping is answered, callbacks are called, and both ends hear of it', async () => {
      const { client, peer } = await pair(library);
      const pinged = once<[Buffer]>(peer, 'ping');
      const ponged = once<[Buffer]>(client, 'pong');
      expect(
        await new Promise((resolve) => {
          client.ping(resolve);
        }),
      ).toBeFalsy();
      expect([(await pinged)[0].length, (await ponged)[0].length]).toEqual([0, 0]);
      const unasked = once(client, 'pong');
      expect(
        await new Promise((resolve) => {
          peer.pong(undefined, false, resolve);
        }),
      ).toBeFalsy();
      await unasked;
    });

    test('autoPong: false leaves the answer to the application', async () => {
      const { client, peer } = await pair(library, { autoPong: false }, { autoPong: false });
      for (const [from, to] of [
        [client, peer],
        [peer, client],
      ] as const) {
        let pongs = 0;
        from.on('pong', () => (pongs += 1));
        const pinged = once(to, 'ping');
        from.ping();
        await pinged;
        to.send('after');
        await once(from, 'message');
        expect(pongs).toBe(0);
      }
    });

    test('pause holds messages and the sender back, resume goes on in order', async () => {
      const { client, peer } = await pair(library);
      const received = messagesOf(peer);
      peer.pause();
      expect([peer.isPaused, client.isPaused]).toEqual([true, false]);
      const chunk = Buffer.alloc(1024 * 1024);
      let sent = 0;
      for (let i = 0; i < 32; i += 1) client.send(Buffer.concat([Buffer.from([i]), chunk]), () => (sent += 1));
      client.ping();
      expect(client.bufferedAmount).toBeGreaterThan(16 * chunk.length);
      peer.send('from the paused end');
      await once(client, 'message');
      expect([received.size, sent < 32]).toEqual([0, true]);
      peer.resume();
      for (let i = 0; i < 32; i += 1) expect(((await received.next())[0] as Buffer)[0]).toBe(i);
      expect([peer.isPaused, sent, client.bufferedAmount]).toEqual([false, 32, 0]);
    });

    test('terminate: what was sent arrives, both ends see 1006', async () => {
      const { client, peer } = await pair(library);
      const received = messagesOf(peer);
      const closes = Promise.all([closeOf(client), closeOf(peer)]);
      client.send('last words');
      client.terminate();
      expect(await closes).toEqual([
        [1006, ''],
        [1006, ''],
      ]);
      expect([received.size, client.readyState]).toEqual([1, 3]);
      client.terminate();
      client.close();
    });
  });

  describe('close', () => {
    test.each([
      [[1000], [1000, '']],
      [
        [1001, 'away'],
        [1001, 'away'],
      ],
      [
        [3000, Buffer.from('grüße')],
        [3000, 'grüße'],
      ],
      [
        [4999, '\uFEFFmark'],
        [4999, '\uFEFFmark'],
      ],
      [
        [1013, 'x'.repeat(123)],
        [1013, 'x'.repeat(123)],
      ],
      [[], [1005, '']],
      [
        [undefined, 'ignored'],
        [1005, ''],
      ],
    ] as [[number?, (string | Buffer)?], unknown][])('%j', async (given, seen) => {
      for (const closer of ['client', 'peer'] as const) {
        const ends = await pair(library);
        const closes = Promise.all([closeOf(ends.client), closeOf(ends.peer)]);
        ends[closer].close(...given);
        expect(await closes).toEqual([seen, seen]);
      }
    });

    test('codes that nobody may send are refused, and so is a long reason, but not once it closes', async () => {
      const { client } = await pair(library);
      for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, '1000']) {
        expect(() => {
          client.close(code as number);
        }).toThrow(TypeError);
      }
      expect(() => {
        client.close(1000, 'x'.repeat(124));
      }).toThrow(RangeError);
      expect(client.readyState).toBe(1);
      client.close();
      expect(() => {
        client.close(1006);
      }).not.toThrow();
      await once(client, 'close');
      expect(() => {
        client.close(1006);
      }).not.toThrow();
    });

    test.each(['close', 'terminate'] as const)("%s before it is open: 'error', then 1006", async (method) => {
      const url = await httpServer(() => undefined);
      const client = new library.WebSocket(url);
      const order: unknown[] = [];
      client.on('error', (error) => order.push(error instanceof Error));
      const closed = closeOf(client);
      client[method]();
      expect([await closed, order]).toEqual([[1006, ''], [true]]);
    });
  });

  describe('connecting', () => {
    test('headers, origin, agent, auth and the subprotocols among the options', async () => {
      const { url, next } = await startLibrary(library);
      const agent = new Agent();
      let connections = 0;
      const { createConnection } = agent;
      agent.createConnection = function (this: Agent, ...values): ReturnType<typeof createConnection> {
        connections += 1;
        return createConnection.apply(this, values);
      };
      const client = new library.WebSocket(url.replace('//', '//user:pass@'), {
        agent,
        origin: 'http://origin.test',
        headers: { 'X-Own': 'yes' },
        protocols: ['chat'],
      } as ClientOptions);
      const [{ request }] = await Promise.all([next(), once(client, 'open')]);
      const { authorization, origin, 'x-own': own } = request.headers;
      expect({ authorization, origin, own, connections, protocol: client.protocol }).toEqual({
        authorization: `Basic ${Buffer.from('user:pass').toString('base64')}`,
        origin: 'http://origin.test',
        own: 'yes',
        connections: 1,
        protocol: 'chat',
      });
      const both = new library.WebSocket(url, ['superchat'], { headers: { 'X-Own': 'again' } });
      const [second] = await Promise.all([next(), once(both, 'open')]);
      expect([second.request.headers['x-own'], both.protocol]).toEqual(['again', 'superchat']);
    });

    test("'unexpected-response' gives the answer; without a listener it is an error", async () => {
      const url = await httpServer((_request, response) => {
        response.writeHead(401, { 'WWW-Authenticate': 'Basic' }).end('who are you?');
      });
      const client = new library.WebSocket(url);
      const [request, response] = await once<
        [{ destroy(): void }, { statusCode: number; headers: Record<string, string> }]
      >(client, 'unexpected-response');
      expect([response.statusCode, response.headers['www-authenticate']]).toEqual([401, 'Basic']);
      const failed = once(client, 'error');
      request.destroy();
      client.terminate();
      await failed;
      const other = new library.WebSocket(url);
      const closed = closeOf(other);
      const [error] = await once<[Error & { cause?: Error }]>(other, 'error');
      expect((error.cause ?? error).message).toBe('Unexpected server response: 401');
      expect(await closed).toEqual([1006, '']);
    });

    test("followRedirects, with 'redirect'", async () => {
      const { url, next } = await startLibrary(library);
      const first = await httpServer((_request, response) => {
        response.writeHead(302, { Location: `${url}/target` }).end();
      });
      const client = new library.WebSocket(first, { followRedirects: true, headers: { Cookie: 'a=b' } });
      const redirected = once<[string, object]>(client, 'redirect');
      const [{ request }] = await Promise.all([next(), once(client, 'open')]);
      expect((await redirected)[0]).toBe(`${url}/target`);
      expect(request.url).toBe('/target');
      const unheard = new library.WebSocket(first, { followRedirects: true, headers: { Cookie: 'a=b' } });
      const [second] = await Promise.all([next(), once(unheard, 'open')]);
      // ws drops credentials on the way to another host, unless somebody listens for it.
      expect(second.request.headers.cookie).toBeUndefined();
    });

    test('nobody there: ECONNREFUSED', async () => {
      const url = await httpServer(() => undefined);
      const client = new library.WebSocket(url.replace(/\d+$/, '1'));
      const closed = closeOf(client);
      const [error] = await once<[NodeJS.ErrnoException]>(client, 'error');
      expect(((error.cause as NodeJS.ErrnoException | undefined) ?? error).code).toBe('ECONNREFUSED');
      expect(await closed).toEqual([1006, '']);
    });

    test('_socket tells the addresses', async () => {
      const { client, peer, url } = await pair(library);
      const [near, far] = [client, peer].map((each) => (each as unknown as { _socket: Socket })._socket) as [
        Socket,
        Socket,
      ];
      expect([near.remoteAddress, String(near.remotePort), near.remoteFamily]).toEqual([
        '127.0.0.1',
        new URL(url).port,
        'IPv4',
      ]);
      expect([far.localPort, far.remotePort]).toEqual([near.remotePort, near.localPort]);
      expect([near.ref(), near.unref(), near.ref()].every((value) => value === near)).toBe(true);
    });
  });
});
