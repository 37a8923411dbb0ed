/** What a socket runs over: the look-up of the class, options of npm `ws`, subprotocols, foreign transports. */
import { createRequire } from 'node:module';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket as PlainSocket } from 'ws';
import { PQWebSocket } from '../../src/index.ts';
import type { TransportOptions } from '../../src/index.ts';
import { TRANSPORT_OPTIONS } from '../../src/platform/ws-options.ts';
import { wrapServerSocket } from '../../src/server.ts';
import { BRAND } from '../../src/transport/choose.ts';
import { connect, observe, secureServer } from '../support/endpoints.ts';
import { IdleSocket, memoryNetwork, MemorySocket } from '../support/memory-transport.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  IdleSocket.made = [];
});

class OtherSocket extends IdleSocket {}

function branded(native: unknown): unknown {
  class Polyfilled extends EventTarget {}
  Object.defineProperty(Polyfilled, BRAND, { value: { native } });
  return Polyfilled;
}

function madeOver(given?: unknown): number {
  IdleSocket.made = [];
  new PQWebSocket('ws://host/', [], given === undefined ? {} : { WebSocket: given as typeof IdleSocket });
  return IdleSocket.made.length;
}

describe('the class underneath', () => {
  test('is the option, before the global', () => {
    vi.stubGlobal(
      'WebSocket',
      class {
        constructor() {
          throw new Error('the global');
        }
      },
    );
    expect(madeOver(OtherSocket)).toBe(1);
  });

  test('is the global of the moment when the socket is made', () => {
    vi.stubGlobal('WebSocket', IdleSocket);
    expect(madeOver()).toBe(1);
    vi.stubGlobal(
      'WebSocket',
      class {
        constructor() {
          throw new Error('installed later');
        }
      },
    );
    expect(() => madeOver()).toThrow('installed later');
  });

  test('is what a polyfill replaced, also behind a Proxy', () => {
    vi.stubGlobal('WebSocket', branded(IdleSocket));
    expect(madeOver()).toBe(1);
    vi.stubGlobal('WebSocket', new Proxy(branded(IdleSocket) as object, {}));
    expect(madeOver()).toBe(1);
    expect(madeOver(branded(IdleSocket))).toBe(1);
  });

  test('is never ours', () => {
    class Sub extends PQWebSocket {}
    for (const ours of [PQWebSocket, Sub, new Proxy(PQWebSocket, {}), branded(undefined)]) {
      expect(() => madeOver(ours)).toThrow(
        new TypeError("PQWebSocket: option 'WebSocket' must be a class to run over, got PQWebSocket itself"),
      );
    }
  });

  test('without a global it is isomorphic-ws, which on Node is npm ws', async () => {
    const isomorphic: unknown = createRequire(import.meta.url)('isomorphic-ws');
    expect(isomorphic).toBe(createRequire(import.meta.url)('ws'));
    for (const none of [undefined, PQWebSocket]) {
      vi.stubGlobal('WebSocket', none);
      const server = await secureServer();
      const client = connect(server.url);
      const peer = await server.nextPeer();
      client.socket.send('over ws');
      expect(await peer.seen.next()).toBe('over ws');
      expect(server.tap.connections[0]?.upgrade.request).not.toMatch(/permessage-deflate/);
    }
  });

  test('errors of its constructor pass through', () => {
    const Throwing = class {
      constructor() {
        throw new DOMException('blocked', 'SecurityError');
      }
    };
    expect(() => madeOver(Throwing)).toThrow(expect.objectContaining({ name: 'SecurityError' }));
  });
});

describe('options of npm ws', () => {
  test('reach it, and the server', async () => {
    const server = await secureServer();
    const client = connect(server.url, {
      headers: { authorization: 'Bearer x', 'x-a': '1' },
      origin: 'https://page.example',
    });
    const peer = await server.nextPeer();
    await client.seen.opened;
    expect(peer.request.headers).toMatchObject({
      authorization: 'Bearer x',
      'x-a': '1',
      origin: 'https://page.example',
    });
    expect(client.socket.extensions).toBe('');
  });

  test('with the option WebSocket they go to that class', () => {
    new PQWebSocket('ws://host/', 'a', { WebSocket: IdleSocket, headers: { a: 'b' } });
    expect(IdleSocket.made).toMatchObject([
      { protocols: ['a'], options: { headers: { a: 'b' }, perMessageDeflate: false } },
    ]);
  });

  test('are declared as they are accepted', () => {
    // A Record, so that the compiler counts the members too.
    const declared: Record<keyof TransportOptions, true> = {
      headers: true,
      origin: true,
      followRedirects: true,
      maxRedirects: true,
      protocolVersion: true,
      allowSynchronousEvents: true,
      autoPong: true,
      closeTimeout: true,
      maxBufferedChunks: true,
      maxFragments: true,
      maxPendingAutoPongs: true,
      generateMask: true,
      finishRequest: true,
      agent: true,
      auth: true,
      createConnection: true,
      family: true,
      hints: true,
      insecureHTTPParser: true,
      localAddress: true,
      localPort: true,
      lookup: true,
      maxHeaderSize: true,
      setHost: true,
      socketPath: true,
      timeout: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: true,
      ca: true,
      cert: true,
      key: true,
      pfx: true,
      crl: true,
      passphrase: true,
      rejectUnauthorized: true,
      servername: true,
      checkServerIdentity: true,
      ALPNProtocols: true,
      ciphers: true,
      dhparam: true,
      ecdhCurve: true,
      honorCipherOrder: true,
      minDHSize: true,
      minVersion: true,
      maxVersion: true,
      secureContext: true,
      secureOptions: true,
      secureProtocol: true,
      session: true,
      sessionIdContext: true,
      sigalgs: true,
      defaultPort: true,
      joinDuplicateHeaders: true,
      setDefaultHeaders: true,
      uniqueHeaders: true,
      allowHalfOpen: true,
      blockList: true,
      highWaterMark: true,
      keepAlive: true,
      keepAliveInitialDelay: true,
      noDelay: true,
      allowPartialTrustChain: true,
      clientCertEngine: true,
      enableTrace: true,
      privateKeyEngine: true,
      privateKeyIdentifier: true,
      pskCallback: true,
      requestOCSP: true,
      sessionTimeout: true,
      socket: true,
      ticketKeys: true,
    };
    expect(Object.keys(declared).sort()).toEqual([...TRANSPORT_OPTIONS].sort());
  });

  test.each(['perMessageDeflate', 'port', 'protocols', 'handshaketimeout'])('%s is refused', (name) => {
    expect(() => new PQWebSocket('ws://host/', [], { WebSocket: IdleSocket, [name]: true })).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(`'${name}'`) as string }),
    );
    expect(IdleSocket.made).toEqual([]);
  });
});

describe('subprotocols', () => {
  test.each([{}, { headers: { a: 'b' } }])(
    "are the application's own, seen from open on (%j)",
    async (options: object) => {
      const offered: string[][] = [];
      const server = await secureServer({
        ws: {
          handleProtocols: (protocols) => {
            offered.push([...protocols]);
            return 'second';
          },
        },
      });
      const client = connect(server.url, options, ['first', 'second']);
      expect(client.socket.protocol).toBe('');
      const peer = await server.nextPeer();
      await client.seen.opened;
      expect(offered).toEqual([['first', 'second']]);
      expect([client.socket.protocol, peer.socket.protocol]).toEqual(['second', 'second']);
      client.socket.close();
      await client.seen.closed;
      expect(client.socket.protocol).toBe('second');
    },
  );

  test('none', async () => {
    const server = await secureServer();
    const client = connect(server.url);
    const peer = await server.nextPeer();
    await client.seen.opened;
    expect([client.socket.protocol, peer.socket.protocol]).toEqual(['', '']);
    expect(server.tap.connections[0]?.upgrade.request).not.toMatch(/sec-websocket-protocol/i);
  });
});

describe('transports of other shapes', () => {
  test('messages that come as Blob, view or ArrayBuffer, whatever binaryType says, keep their order', async () => {
    const network = memoryNetwork();
    const socket = new PQWebSocket('ws://memory/', [], { WebSocket: network.WebSocket });
    const seen = observe(socket);
    const server = wrapServerSocket(await network.nextServerEnd());
    const client = network.clientEnd as MemorySocket;
    let count = 0;
    client.deliver = (data): void => {
      count += 1;
      const shapes = [new Blob([data as string]), Uint8Array.from(data as Uint8Array).buffer, data] as const;
      client.dispatchEvent(
        new MessageEvent('message', { data: typeof data === 'string' ? data : shapes[(count % 3) as 0 | 1 | 2] }),
      );
    };
    await seen.opened;
    // Above 16 KiB a message has a record of its own.
    for (let i = 0; i < 12; i += 1) server.send(new Uint8Array(20_000).fill(i));
    for (let i = 0; i < 12; i += 1) expect(new Uint8Array((await seen.next()) as ArrayBuffer)[0]).toBe(i);
    server.close(4000, 'end');
    expect(await seen.closed).toEqual({ code: 4000, reason: 'end', wasClean: true });
  });

  test("one that fails with 'error' alone and stays CONNECTING, as Node 22's own does", async () => {
    const network = memoryNetwork();
    const socket = new PQWebSocket('ws://host/', [], { WebSocket: network.WebSocket });
    const seen: unknown[] = [];
    socket.onerror = (): void => {
      seen.push(['error', socket.readyState]);
    };
    const closed = new Promise<CloseEvent>((resolve) => {
      socket.onclose = resolve;
    });
    // Before the memory network opens it.
    network.clientEnd?.dispatchEvent(new Event('error'));
    Object.defineProperty(network.clientEnd, 'open', { value: () => undefined });
    const { code, wasClean } = await closed;
    expect([seen, code, wasClean, socket.pq.failure?.code]).toEqual([[['error', 3]], 1006, false, 'PQ_ERR_TRANSPORT']);
  });

  test.each([
    ["CLOSED when made, as Chromium's own where a policy allows no connection", 3, 3],
    ["CONNECTING at 'error' and CLOSED then, as WebKit's own for a blocked port", 0, 3],
    ["CLOSING from then on, as Node 22's own after close()", 2, 2],
  ])("one that fails with 'error' alone: %s", async (_, made, then) => {
    const Blocked = class extends MemorySocket {
      override readyState = made;

      constructor() {
        super();
        setTimeout(() => {
          this.dispatchEvent(new Event('error'));
          this.readyState = then;
        });
      }
    };
    const socket = new PQWebSocket('ws://host:1/', [], { WebSocket: Blocked });
    const { log, closed } = observe(socket);
    expect(socket.readyState).toBe(0);
    expect([await closed, log, socket.pq.failure?.code]).toEqual([
      { code: 1006, reason: '', wasClean: false },
      ['error', 'close'],
      'PQ_ERR_TRANSPORT',
    ]);
  });

  test('a transport that is open already', async () => {
    const server = new MemorySocket();
    const client = new MemorySocket();
    Object.assign(server, { peer: client, readyState: 1 });
    Object.assign(client, { peer: server, readyState: 1 });
    const Opened = class {
      constructor() {
        return client;
      }
    } as unknown as new () => object;
    const serverSeen = observe(wrapServerSocket(server));
    const socket = new PQWebSocket('ws://memory/', [], { WebSocket: Opened });
    const seen = observe(socket);
    expect(socket.readyState).toBe(0);
    socket.send('x');
    await seen.opened;
    expect(await serverSeen.next()).toBe('x');
  });

  test('a transport without protocol, extensions, bufferedAmount, as runtimes at the edge have them', async () => {
    const network = memoryNetwork();
    const socket = new PQWebSocket('ws://memory/', [], { WebSocket: network.WebSocket });
    const seen = observe(socket);
    Object.assign(network.clientEnd as object, { protocol: null, extensions: undefined, bufferedAmount: undefined });
    const server = wrapServerSocket(await network.nextServerEnd());
    await seen.opened;
    expect(socket).toMatchObject({ protocol: '', extensions: '', bufferedAmount: 0 });
    server.close();
    expect(await seen.closed).toMatchObject({ wasClean: true });
  });

  test('the class of npm ws as the option, on a server with fragments for binaryType', async () => {
    const server = await secureServer({
      onPeer: ({ raw }) => {
        raw.binaryType = 'fragments';
      },
    });
    const client = connect(server.url, { WebSocket: PlainSocket });
    const peer = await server.nextPeer();
    client.socket.send(new Uint8Array(200_000).fill(5));
    expect(await peer.seen.next()).toEqual(new Uint8Array(200_000).fill(5).buffer);
  });
});
