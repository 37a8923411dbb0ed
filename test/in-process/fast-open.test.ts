/** Fast open over real connections: every client, every way to serve, and what neither may do (PROTOCOL.md 13). */
import { once as emitted } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { platform } from '#platform';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer as PlainServer } from 'ws';
import { nodeBackend } from '../../src/crypto/node/backend.ts';
import { PQWebSocket } from '../../src/index.ts';
import { fastOpenProtocols } from '../../src/protocol/v1/fast-open.ts';
import { plainHello } from '../support/plain-hello.ts';
import { selectSubprotocol, wrapServerSocket } from '../../src/server.ts';
import type { ServerSocket } from '../../src/server.ts';
import { WebSocket, WebSocketServer } from '../../src/ws.ts';
import { CountingBackend } from '../support/counting-backend.ts';
import { AsyncQueue, once } from '../support/deferred.ts';
import { connect, MODES, observe, secureServer, useMode } from '../support/endpoints.ts';
import type { Seen } from '../support/endpoints.ts';
import { memoryNetwork } from '../support/memory-transport.ts';
import { rawClient, rawServer } from '../support/raw-peer.ts';
import { assertSealed, OPCODE, startTap } from '../support/tap.ts';
import type { TapFrame } from '../support/tap.ts';
import { startSecure, uncaughtErrors, UPGRADE_HEADERS } from '../support/ws-endpoints.ts';

const SECRET = 'a message for nobody else';

interface AnyClient extends EventTarget {
  readonly readyState: number;
  readonly protocol: string;
  binaryType: string;
  readonly pq: { readonly failure: { readonly code: string } | null; readonly finished: Promise<void> };
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/** Every class that has the option. `PQWebSocket` runs over the platform's WebSocket, and with a `ws` option over that. */
const CLIENTS: readonly (readonly [string, (url: string, protocols: string[], fastOpen: boolean) => AnyClient])[] = [
  ['PQWebSocket', (url, protocols, fastOpen) => new PQWebSocket(url, protocols, { fastOpen })],
  [
    'PQWebSocket over ws',
    (url, protocols, fastOpen) => new PQWebSocket(url, protocols, { fastOpen, headers: { 'X-A': 'b' } }),
  ],
  // An 'error' that nobody listens for would be thrown.
  [
    'the ws client',
    (url, protocols, fastOpen) => new WebSocket(url, protocols, { fastOpen }).on('error', () => undefined),
  ],
];

/** A hello, and the subprotocols that carry it, without anybody who could go on. */
function offerOf(application: string[] = []): { hello: string; protocols: string[] } {
  const { encapsulationKey } = nodeBackend.generateKeyPair(crypto.getRandomValues(new Uint8Array(64))) as {
    encapsulationKey: Uint8Array;
  };
  const hello = plainHello(encapsulationKey);
  return { hello, protocols: fastOpenProtocols(application, hello) };
}

/** What every connection of this test computes with. */
function countingBackend(): CountingBackend {
  const counting = new CountingBackend(nodeBackend);
  const { backend } = platform;
  Object.assign(platform, { backend: () => counting });
  onTestFinished(() => {
    Object.assign(platform, { backend });
  });
  return counting;
}

describe.each(MODES)('with backend %s', (mode) => {
  useMode(mode);

  describe.each(CLIENTS)('%s', (_name, create) => {
    test.each([
      ['no subprotocols', [], ''],
      ['subprotocols', ['chat.v2', 'chat.v1'], 'chat.v2'],
    ])('%s: nobody sees the tokens, and all is sealed', async (_title, protocols, expected) => {
      const seenByServer: unknown[] = [];
      const look = (request: IncomingMessage): void => {
        seenByServer.push(request.headers['sec-websocket-protocol']);
      };
      const running = await startSecure({
        verifyClient: ({ req }: { req: IncomingMessage }) => {
          look(req);
          return true;
        },
        handleProtocols: (offered, request) => {
          look(request);
          expect([...offered]).toEqual(protocols);
          return protocols[0] ?? false;
        },
      });
      const client = create(running.url, protocols, true);
      const seen = observe(client);
      client.send(SECRET);
      const { socket, request } = await running.next();
      const [data] = await once<[Buffer]>(socket, 'message');
      look(request);
      expect(data.toString()).toBe(SECRET);
      await seen.opened;
      expect([client.protocol, socket.protocol]).toEqual([expected, expected]);
      const hidden = protocols.length > 0 ? protocols.join(', ') : undefined;
      expect(seenByServer).toEqual(Array(protocols.length > 0 ? 3 : 2).fill(hidden));
      expect(running.tap.connections[0]?.upgrade.response.match(/^Sec-WebSocket-Protocol: (.*)\r$/im)?.[1]).toBe(
        expected || 'pqws1',
      );
      client.close(4001, 'a reason for nobody else');
      expect(await seen.closed).toEqual({ code: 4001, reason: 'a reason for nobody else', wasClean: true });
      assertSealed(running.tap, [SECRET, 'a reason for nobody else']);
    });

    test('the first message leaves before the server has received more than the request', async () => {
      const running = await startSecure();
      // The relay keeps to itself whatever the client says after its request.
      running.tap.onFrame = ({ direction }) => (direction === 'client' ? 'drop' : 'forward');
      const client = create(running.url, [], true);
      const seen = observe(client);
      client.send(SECRET);
      const relay = await running.tap.nextConnection();
      const ofClient = (opcode: number) => (): TapFrame[] =>
        relay.frames.filter((frame) => frame.direction === 'client' && frame.opcode === opcode);
      const sealed = ofClient(OPCODE.binary);
      // Finished(client), and the message.
      await relay.frame(() => sealed().length === 2);
      await seen.opened;
      const { socket } = await running.next();
      expect(socket.pq.counters.recordsOpened).toBe(0);
      expect(ofClient(OPCODE.text)()).toHaveLength(1);
    });

    test('without it the first message waits for an answer to the text', async () => {
      const running = await startSecure();
      let hello: (() => void) | undefined;
      const arrived = new Promise<void>((resolve) => {
        hello = resolve;
      });
      running.tap.onFrame = ({ direction }) => {
        hello?.();
        return direction === 'client' ? 'drop' : 'forward';
      };
      const client = create(running.url, [], false);
      client.send(SECRET);
      await arrived;
      const relay = await running.tap.nextConnection();
      // What the client sends on its own is its hello: a ping of the relay's is answered after it, and nothing between.
      relay.inject('server', OPCODE.ping, new Uint8Array());
      await relay.frame(({ direction, opcode }) => direction === 'client' && opcode === OPCODE.pong);
      expect(relay.frames.map(({ direction, opcode }) => [direction, opcode])).toEqual([
        ['client', OPCODE.text],
        ['client', OPCODE.pong],
      ]);
    });
  });
});

describe('every way to serve', () => {
  interface Served {
    readonly url: string;
    readonly sockets: AsyncQueue<ServerSocket>;
  }

  async function listening(http: ReturnType<typeof createServer>): Promise<string> {
    http.listen(0, '127.0.0.1');
    await emitted(http, 'listening');
    const tap = await startTap((http.address() as AddressInfo).port);
    onTestFinished(async () => {
      await tap.close();
      http.close();
    });
    return tap.url;
  }

  const WAYS: Record<string, () => Promise<Served>> = {
    'an http server': async () => {
      const sockets = new AsyncQueue<ServerSocket>();
      const http = createServer();
      const server = new WebSocketServer({ server: http, path: '/chat' });
      server.on('connection', (socket) => {
        sockets.push(socket);
      });
      return { url: `${await listening(http)}/chat`, sockets };
    },
    noServer: async () => {
      const sockets = new AsyncQueue<ServerSocket>();
      const http = createServer();
      const server = new WebSocketServer({ noServer: true });
      http.on('upgrade', (request: IncomingMessage, network: Duplex, head: Buffer) => {
        // An application that judges a request takes its time.
        setImmediate(() => {
          server.handleUpgrade(request, network, head, (socket) => {
            sockets.push(socket);
          });
        });
      });
      return { url: await listening(http), sockets };
    },
    'a check that answers later': async () => {
      const sockets = new AsyncQueue<ServerSocket>();
      const http = createServer();
      const server = new WebSocketServer({
        server: http,
        verifyClient: (_info: unknown, done: (accepted: boolean) => void) => {
          setImmediate(done, true);
        },
      });
      server.on('connection', (socket) => {
        sockets.push(socket);
      });
      return { url: await listening(http), sockets };
    },
    'wrapServerSocket with the request': async () => {
      const sockets = new AsyncQueue<ServerSocket>();
      const http = createServer();
      const plain = new PlainServer({
        server: http,
        handleProtocols: (_offered, request) => selectSubprotocol(request, ['chat']) ?? false,
      });
      plain.on('connection', (socket, request) => {
        sockets.push(wrapServerSocket(socket, { request }));
      });
      return { url: await listening(http), sockets };
    },
  };

  test.each(Object.keys(WAYS))('%s: answered early', async (way) => {
    const { url, sockets } = await (WAYS[way] as () => Promise<Served>)();
    for (const application of [[], ['chat']]) {
      const { protocols } = offerOf(application);
      // This client never sends its hello as a message.
      const client = rawClient(url, { protocols });
      expect(await client.nextText()).toContain('ml_kem_768_ciphertext');
      expect((await client.nextBinary()).length).toBeGreaterThan(28);
      expect(client.socket.protocol).toBe(application[0] ?? 'pqws1');
      const socket = await sockets.next();
      expect(socket.protocol).toBe(application[0] ?? '');
      const real = connect(url, { fastOpen: true }, application);
      await real.seen.opened;
      const peer = await sockets.next();
      await peer.pq.finished;
      real.socket.send('x');
      expect((await once<[Buffer]>(peer as never, 'message'))[0].toString()).toBe('x');
      client.socket.terminate();
      real.socket.close();
      await real.seen.closed;
    }
  });

  test.each([
    ['none', [], ''],
    ['its own', ['chat'], 'chat'],
  ])('a server that knows nothing of it, the application offering %s', async (_title, protocols, expected) => {
    const server = await secureServer();
    const client = connect(server.url, { fastOpen: true }, protocols);
    const peer = await server.nextPeer();
    await Promise.all([client.seen.opened, peer.socket.pq.finished]);
    expect([client.socket.protocol, peer.socket.protocol]).toEqual([expected, expected]);
    const frames = (await server.tap.nextConnection()).frames.map(({ direction, opcode }) => `${direction} ${opcode}`);
    expect(frames.slice(0, 2)).toEqual(['client 1', 'server 1']);
  });

  test('a server that selects nothing fails the WebSocket itself', async () => {
    const server = await rawServer(undefined, { handleProtocols: () => false });
    onTestFinished(() => server.close());
    const { socket, seen } = connect(server.url, { fastOpen: true });
    expect(await seen.closed).toEqual({ code: 1006, reason: '', wasClean: false });
    expect(seen.log).toEqual(['error', 'close']);
    expect(socket.protocol).toBe('');
  });

  test('a request that the application refuses is not answered', async () => {
    const counting = countingBackend();
    const running = await startSecure({ verifyClient: () => false });
    const refused = rawClient(running.url, { protocols: offerOf().protocols });
    await expect(refused.opened).rejects.toThrow('401');
    expect(counting.operations).toEqual([]);
  });

  test('the response, the answer and what a listener sends at once are one write', async () => {
    const writes: Buffer[] = [];
    class Network extends Duplex {
      override _read(): void {
        // Nothing ever comes.
      }
      override _write(chunk: Buffer, _encoding: string, done: () => void): void {
        writes.push(Buffer.from(chunk));
        done();
      }
      override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
        writes.push(Buffer.concat(chunks.map(({ chunk }) => Buffer.from(chunk))));
        done();
      }
    }
    const { protocols } = offerOf();
    const server = new WebSocketServer({ noServer: true, grease: false });
    const network = new Network();
    onTestFinished(() => {
      network.destroy();
    });
    const headers = Object.fromEntries(
      Object.entries(UPGRADE_HEADERS).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const request = {
      method: 'GET',
      url: '/',
      headers: { ...headers, 'sec-websocket-protocol': protocols.join(', ') },
      socket: network,
    };
    server.handleUpgrade(request as unknown as IncomingMessage, network, Buffer.alloc(0), (socket) => {
      socket.send(SECRET);
    });
    expect(writes).toEqual([]);
    await new Promise(setImmediate);
    expect(writes).toHaveLength(1);
    const [all] = writes as [Buffer];
    expect(all.toString('latin1')).toMatch(
      /^HTTP\/1\.1 101 [^]*\r\nSec-WebSocket-Protocol: pqws1\r\n\r\n[^]*ml_kem_768_ciphertext/,
    );
    // Behind the head and the hello: a Finished of 31 bytes and a record with the message, each with its frame's two bytes.
    const afterHello = all.subarray(all.indexOf('"}') + 2);
    expect(afterHello.length).toBe(2 + 31 + 2 + 29 + SECRET.length);
  });
});

describe('the server refuses', () => {
  test.each([
    ['another text', (hello: string) => `${hello} `],
    ['a text that means the same', (hello: string) => hello.replace(':1,', ':1.0,')],
    ['the bytes as binary', (hello: string) => Buffer.from(hello)],
  ])('%s as the first message, with 3768', async (_title, first) => {
    const running = await startSecure();
    const { hello, protocols } = offerOf();
    const client = rawClient(running.url, { protocols });
    await client.opened;
    const { socket } = await running.next();
    const failed = once<[{ code: string }]>(socket, 'error');
    client.send(first(hello));
    expect(await client.closed).toEqual({ code: 3768, reason: 'fast open violated' });
    expect((await failed)[0].code).toBe('PQ_ERR_FAST_OPEN');
    await expect(socket.pq.finished).rejects.toBe(socket.pq.failure);
    expect(running.server.clients?.size).toBe(0);
  });

  test('a replayed request and hello: nothing is delivered, `finished` rejects', async () => {
    const running = await startSecure({ handshakeTimeout: 300 });
    const { hello, protocols } = offerOf();
    const replay = rawClient(running.url, { protocols });
    await replay.opened;
    const { socket } = await running.next();
    const messages: unknown[] = [];
    socket.on('message', (data) => messages.push(data));
    replay.send(hello);
    expect((await replay.closed).code).toBe(3769);
    await expect(socket.pq.finished).rejects.toMatchObject({ code: 'PQ_ERR_HANDSHAKE_TIMEOUT' });
    expect(messages).toEqual([]);
  });

  test('more pending ones than its limit: the oldest is closed with 1013', async () => {
    const running = await startSecure({ maxPendingHandshakes: 1 });
    const first = rawClient(running.url, { protocols: offerOf().protocols });
    await first.opened;
    const { socket } = await running.next();
    const second = rawClient(running.url, { protocols: offerOf().protocols });
    expect((await first.closed).code).toBe(1013);
    expect(socket.pq.failure?.code).toBe('PQ_ERR_OVERLOAD');
    await second.opened;
    expect(second.socket.readyState).toBe(1);
  });
});

describe('a token counts for nothing', () => {
  const token = (): string => offerOf().protocols[1] as string;
  const twice = token();

  /** A client that sends this header as it is, and what the server answers to its request. */
  async function upgrade(port: number, offered: string): Promise<IncomingMessage> {
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      headers: { ...UPGRADE_HEADERS, 'Sec-WebSocket-Protocol': offered },
    });
    request.end();
    const [response, network] = (await emitted(request, 'upgrade')) as [IncomingMessage, Duplex];
    network.destroy();
    return response;
  }

  test.each([
    ['malformed', ['pqws1', 'pqws1.e']],
    ['not a hello', ['pqws1', 'pqws1.e30']],
    ['two of them', ['pqws1', token(), token()]],
    ['alone beside chat', ['chat', token()]],
  ])('%s: the text is answered', async (_title, protocols) => {
    const running = await startSecure();
    const client = rawClient(running.url, { protocols });
    await client.opened;
    client.send(offerOf().hello);
    expect(await client.nextText()).toContain('ml_kem_768_ciphertext');
    const relay = await running.tap.nextConnection();
    expect(relay.frames[0]).toMatchObject({ direction: 'client', opcode: OPCODE.text });
  });

  test.each([
    ['the same twice', `pqws1, ${twice}, ${twice}`, 'pqws1'],
    ['pqws1 twice', `pqws1,pqws1,${twice}`, 'pqws1'],
    ['without pqws1', twice, undefined],
    ['beside chat', `chat, pqws1, ${twice}, ${twice}`, 'chat'],
  ])('%s: selected is what is there', async (_title, offered, selected) => {
    const running = await startSecure();
    const response = await upgrade(running.port, offered);
    expect(response.headers['sec-websocket-protocol']).toBe(selected);
  });
});

test("a subprotocol that the application's own listener puts into the response is not doubled", async () => {
  const running = await startSecure();
  running.server.on('headers', (headers) => {
    headers.push('Sec-WebSocket-Protocol: pqws1');
  });
  const { seen } = connect(running.url, { fastOpen: true });
  await seen.opened;
  expect(running.tap.connections[0]?.upgrade.response.match(/sec-websocket-protocol/gi)).toHaveLength(1);
});

test("an exception of the application's own function ends the connection", async () => {
  const errors = uncaughtErrors();
  const running = await startSecure({
    context: () => {
      throw new Error('a bug');
    },
  });
  const client = rawClient(running.url, { protocols: offerOf().protocols });
  expect((await client.closed).code).toBe(1006);
  expect(await errors.next()).toMatchObject({ message: 'a bug' });
});

describe.each(CLIENTS)('%s refuses', (_name, create) => {
  async function against(
    select: (offered: string[]) => string | false,
    application: string[],
  ): Promise<{ client: AnyClient; seen: Seen; received: unknown[] }> {
    const received: unknown[] = [];
    const server = await rawServer(
      (peer) => {
        peer.socket.on('message', (data) => received.push(data));
      },
      { handleProtocols: (offered) => select([...offered]) },
    );
    onTestFinished(() => server.close());
    const client = create(server.url, application, true);
    return { client, seen: observe(client), received };
  }

  test.each([
    ['pqws1 where the application offered its own', () => 'pqws1', ['chat']],
    ['a token', (offered: string[]) => offered.at(-1) as string, []],
    ['a token where the application offered its own', (offered: string[]) => offered.at(-1) as string, ['chat']],
  ])('%s: 3768, and says nothing', async (_title, select, application) => {
    const { client, seen, received } = await against(select, application);
    client.send(SECRET);
    expect(await seen.closed).toEqual({ code: 3768, reason: '', wasClean: false });
    expect(seen.log).toEqual(['error', 'close']);
    expect([client.pq.failure?.code, client.protocol]).toEqual(['PQ_ERR_FAST_OPEN', '']);
    expect(received).toEqual([]);
  });

  test.each(['pqws1', 'PQWS1', 'pqws1.e30'])("the application's %s, whether it asks for fast open or not", (name) => {
    for (const fastOpen of [true, false]) {
      expect(() => create('ws://127.0.0.1:1', ['chat', name], fastOpen)).toThrow(
        expect.objectContaining({ name: 'SyntaxError', message: 'Subprotocol 2 of 2 has a name of the secure layer.' }),
      );
    }
  });

  test('what is no boolean', () => {
    expect(() => create('ws://127.0.0.1:1', [], 1 as unknown as boolean)).toThrow(
      /option 'fastOpen' must be a boolean, got a number/,
    );
  });
});

test.each(['pqws1', 'PQWS1', 'PQWS1.x', 'pqws1.e30'])(
  "a server's application that selects %s selects nothing",
  async (name) => {
    const { url } = await startSecure({ handleProtocols: () => name });
    for (const offered of [['chat'], ['chat', name], ['pqws1', 'chat']]) {
      const { socket } = rawClient(url, { protocols: offered });
      socket.on('error', () => undefined);
      const [response] = await once<[IncomingMessage]>(socket, 'upgrade');
      expect(response.headers['sec-websocket-protocol']).toBeUndefined();
    }
  },
);

test('a constructor underneath that throws leaves no key pair behind', () => {
  const counting = countingBackend();
  const seen: unknown[] = [];
  class Refusing {
    constructor(_url: string, protocols?: string | string[]) {
      seen.push(...counting.live.values(), protocols?.length);
      throw new DOMException('blocked', 'SecurityError');
    }
  }
  expect(() => new PQWebSocket('ws://host/', ['chat'], { fastOpen: true, WebSocket: Refusing })).toThrow('blocked');
  expect(seen).toEqual(['key pair', 3]);
  expect(counting.live.size).toBe(0);
  expect(counting.buffers.every((buffer) => buffer.every((byte) => byte === 0))).toBe(true);
});

test('a server socket that opens only later is answered then', async () => {
  const network = memoryNetwork();
  const client = new PQWebSocket('ws://host/', [], { fastOpen: true, WebSocket: network.WebSocket });
  const end = await network.nextServerEnd();
  end.readyState = 0;
  const { hello, protocols } = offerOf();
  const headers = new Headers({ 'Sec-WebSocket-Protocol': protocols.join(', ') });
  const socket = wrapServerSocket(end, { request: { headers } });
  await new Promise(setImmediate);
  expect([socket.readyState, hello.length > 0]).toEqual([0, true]);
  expect(socket.pq.counters.recordsSealed).toBe(0);
  end.open();
  expect(socket.pq.counters.recordsSealed).toBe(1);
  client.close();
});

describe('selectSubprotocol', () => {
  const { protocols } = offerOf(['b', 'a']);
  test.each([
    ['a Headers object', new Headers({ 'Sec-WebSocket-Protocol': protocols.join(', ') })],
    ["Node's headers", { 'sec-websocket-protocol': protocols.join(',') }],
    ['a list', { 'sec-websocket-protocol': protocols }],
  ])('takes %s', (_title, headers) => {
    expect(selectSubprotocol({ headers }, ['a', 'b'])).toBe('b');
    expect(selectSubprotocol({ headers }, ['a'])).toBe('a');
    expect(selectSubprotocol({ headers }, ['c'])).toBeUndefined();
    expect(selectSubprotocol({ headers })).toBeUndefined();
  });

  test('gives pqws1 only to who offers it and nothing else', () => {
    expect(selectSubprotocol({ headers: { 'sec-websocket-protocol': offerOf().protocols.join(', ') } }, ['a'])).toBe(
      'pqws1',
    );
    expect(selectSubprotocol({ headers: {} }, ['a'])).toBeUndefined();
    expect(selectSubprotocol({ headers: new Headers() }, ['a'])).toBeUndefined();
  });

  test.each([undefined, null, {}, 'request', { headers: null }])('%j is no request', (request) => {
    expect(() => selectSubprotocol(request as never)).toThrow(
      /^selectSubprotocol: 'request' must be the upgrade request/,
    );
    if (request !== undefined) {
      const nothing = (): void => undefined;
      const socket = { readyState: 1, send: nothing, close: nothing, addEventListener: nothing };
      expect(() => wrapServerSocket(socket, { request: request as never })).toThrow(
        /^wrapServerSocket: 'request' must be/,
      );
    }
  });
});
