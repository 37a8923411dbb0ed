/** yellowpages over real sockets: with the original at either end, both ways between our own ends, and beside v1. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer as PlainServer } from 'ws';
import type { WebSocket as PlainSocket } from 'ws';
import type { AttestationContext, PQWebSocketOptions } from '../../src/index.ts';
import { verifyNitro } from '../../packages/nitro/src/index.ts';
import { createTestEnclave, verifyNitroForTesting } from '../../packages/nitro/src/testing.ts';
import { wrapServerSocket } from '../../src/server.ts';
import type { ServerSocketOptions } from '../../src/server.ts';
import { WebSocket } from '../../src/ws.ts';
import { AsyncQueue, once } from '../support/deferred.ts';
import { connect, observe, secureServer, useMode } from '../support/endpoints.ts';
import type { Seen } from '../support/endpoints.ts';
import { originalRequest } from '../support/original-client.ts';
import { MOST_REQUEST_BYTES, originalServer } from '../support/original-server.ts';
import { rawClient, rawServer } from '../support/raw-peer.ts';
import { assertSealed, startTap } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';

const YELLOWPAGES: PQWebSocketOptions = { profile: 'yellowpages', verifyAttestation: false };
const ALONE: ServerSocketOptions = { profiles: ['yellowpages'] };
const BOTH: ServerSocketOptions = { profiles: ['v1', 'yellowpages'] };
const OVERHEAD = 28;

/** The closes that the original says, and one of the application's own. */
const CLOSES: readonly (readonly [number, string])[] = [
  [1000, ''],
  [1000, 'done'],
  [1008, 'bad request'],
  [1011, 'internal error'],
  [4000, 'timeout'],
  [4001, 'its own'],
  [4002, ''],
];

const utf8 = (data: unknown): string => Buffer.from(data as ArrayBuffer).toString();

/** The codes that the original says: it gives no reasons, and drops the connection behind its Close. */
const CODES = [1000, 1008, 1011, 4000, 4001, 4002];

describe('our client and the original server', () => {
  test.each(CODES)('one request, answered with %i alone', async (code) => {
    const server = await originalServer({ judge: () => code });
    const tap = await startTap(server.port);
    onTestFinished(() => tap.close());
    const { socket, seen } = connect(tap.url, YELLOWPAGES);
    socket.send('{"the request":"sealed"}');
    expect((await server.nextRequest()).toString()).toBe('{"the request":"sealed"}');
    // Whether this end's answer was written before the network went is chance: the code is what counts.
    expect(await seen.closed).toMatchObject({ code, reason: '' });
    expect(seen.log).toEqual(['open', 'close']);
    expect(socket.pq.failure).toBeNull();
    assertSealed(tap, ['{"the request":"sealed"}'], 'yellowpages');
  });

  test('the drop-in for npm ws sees the same close', async () => {
    const server = await originalServer({ judge: () => 1008 });
    const socket = new WebSocket(server.url, { profile: 'yellowpages', verifyAttestation: false });
    socket.send(Buffer.from('the request'));
    const [code, reason] = await once<[number, Buffer]>(socket, 'close');
    expect([code, reason.toString(), socket.pq.failure]).toEqual([1008, '', null]);
  });

  test.each([1008, 1011, 4000].flatMap((code) => (['connection', 'hello'] as const).map((at) => [code, at] as const)))(
    'it gives up with %i at the %s: the failure is its own, with its code',
    async (code, at) => {
      const server = await originalServer({ givesUp: { at, code } });
      const { socket, seen } = connect(server.url, YELLOWPAGES);
      socket.send('the request');
      expect(await seen.closed).toEqual({ code, reason: '', wasClean: false });
      expect(seen.log).toEqual(['error', 'close']);
      expect(socket.pq.failure).toMatchObject({ code: 'PQ_ERR_PEER', closeCode: code, origin: 'transport' });
    },
  );

  test('a ping ends the exchange, and this client sends none of its own', async () => {
    const server = await originalServer();
    const socket = new WebSocket(server.url, { profile: 'yellowpages', verifyAttestation: false });
    await once(socket, 'open');
    socket.ping();
    expect((await once<[number, Buffer]>(socket, 'close'))[0]).toBe(1008);
    // Ours by itself, though idle for longer than it would take.
    const tap = await startTap(server.port);
    onTestFinished(() => tap.close());
    const { socket: quiet, seen } = connect(tap.url, YELLOWPAGES);
    await seen.opened;
    quiet.send('the request');
    expect((await seen.closed).code).toBe(1000);
    const opcodes = tap.connections[0]?.frames.filter(({ direction }) => direction === 'client');
    expect(opcodes?.map(({ opcode }) => opcode).filter((opcode) => opcode === 9 || opcode === 10)).toEqual([]);
  });

  test('it wants an Origin, an X-Forwarded-For and a token', async () => {
    const demands = { origin: 'https://yellowpages.example', token: 'abc' };
    const server = await originalServer({ demands });
    const headers = { 'X-Forwarded-For': '192.0.2.1' };
    const { origin } = demands;
    const good = connect(`${server.url}/?token=abc`, { ...YELLOWPAGES, origin, headers });
    good.socket.send('the request');
    expect((await good.seen.closed).code).toBe(1000);
    for (const [url, options] of [
      [`${server.url}/?token=abc`, { origin }],
      [`${server.url}/?token=abc`, { headers }],
      [`${server.url}/?token=abd`, { origin, headers }],
      [server.url, { origin, headers }],
    ] as const) {
      const { socket, seen } = connect(url, { ...YELLOWPAGES, ...options });
      expect(await seen.closed).toEqual({ code: 1006, reason: '', wasClean: false });
      expect(socket.pq.failure?.code).toBe('PQ_ERR_TRANSPORT');
      expect(String(socket.pq.failure?.cause)).toContain('403');
    }
  });

  test('it answers a hello of v1 as its own, and the client of v1 says nothing to that', async () => {
    const server = await originalServer();
    const tap = await startTap(server.port);
    onTestFinished(() => tap.close());
    const { socket, seen } = connect(tap.url);
    socket.send('the secret message');
    expect(await server.nextHello()).toContain('"pq_websocket":1');
    expect(await seen.closed).toMatchObject({ code: 3768, wasClean: false });
    expect(socket.pq.failure).toMatchObject({ origin: 'local' });
    expect(seen.log).toEqual(['error', 'close']);
    expect(tap.connections).toHaveLength(1);
    const said = tap.connections[0]?.frames.filter(({ direction }) => direction === 'client');
    expect(said?.map(({ opcode }) => opcode)).toEqual([1, 8]);
  });

  test('a request of 16,500 bytes on the wire is taken, one of 16,501 is not', async () => {
    const server = await originalServer();
    for (const [size, code] of [
      [MOST_REQUEST_BYTES, 1000],
      [MOST_REQUEST_BYTES + 1, 1008],
    ] as const) {
      const { socket, seen } = connect(server.url, YELLOWPAGES);
      socket.send(new Uint8Array(size - OVERHEAD));
      expect(await seen.closed).toMatchObject({ code, reason: '' });
    }
  });

  test('frames from a server that says some arrive as binary, in order', async () => {
    const server = await originalServer({ says: ['eins', '', 'drei ✓'] });
    const { socket, seen } = connect(server.url, YELLOWPAGES);
    const said = [await seen.next(), await seen.next(), await seen.next()];
    expect(said.every((data) => data instanceof ArrayBuffer)).toBe(true);
    expect(said.map(utf8)).toEqual(['eins', '', 'drei ✓']);
    await socket.pq.finished;
    socket.close(4100, 'enough');
    // It answers no close, and goes.
    expect(await seen.closed).toMatchObject({ code: 1006, wasClean: false });
  });

  test('the wrong ciphertext opens, and proves nothing: the server cannot read the request', async () => {
    const server = await originalServer({
      ciphertext: (right) => right.map((byte, index) => (index === 0 ? byte ^ 1 : byte)),
    });
    const { socket, seen } = connect(server.url, YELLOWPAGES);
    socket.send('the request');
    expect(await seen.closed).toMatchObject({ code: 1008, reason: '' });
    expect(seen.log).toEqual(['open', 'close']);
    await expect(socket.pq.finished).rejects.toMatchObject({ code: 'PQ_ERR_UNPROVED' });
  });
});

describe('the original client and our servers', () => {
  type OnRequest = (seen: Seen, close: (code: number, reason: string) => void) => void;
  const answers: readonly (readonly [
    string,
    (options: ServerSocketOptions, onRequest: OnRequest) => Promise<string>,
  ])[] = [
    [
      'wrapServerSocket',
      async (options, onRequest): Promise<string> => {
        const server = await secureServer({
          channel: options,
          onPeer: ({ socket, seen }) => {
            onRequest(seen, (code, reason) => {
              socket.close(code, reason);
            });
          },
        });
        return server.url;
      },
    ],
    [
      'WebSocketServer',
      async (options, onRequest): Promise<string> => {
        const { server, url } = await startSecure(options);
        server.on('connection', (socket) => {
          onRequest(observe(socket), (code, reason) => {
            socket.close(code, reason);
          });
        });
        return url;
      },
    ],
  ];

  describe.each(answers)('%s', (_name, serve) => {
    test.each(CLOSES)('one request, answered with %i "%s" alone', async (code, reason) => {
      const seen = new AsyncQueue<Seen>();
      const url = await serve(ALONE, (peer, close) => {
        seen.push(peer);
        void peer.next().then(() => {
          close(code, reason);
        });
      });
      expect(await originalRequest(url, ['the request ✓'])).toEqual({ code, reason, wasClean: true, received: [] });
      const peer = await seen.next();
      expect(peer.messages.map(utf8)).toEqual(['the request ✓']);
      expect(await peer.closed).toMatchObject({ code, wasClean: true });
    });
  });

  test.each([
    ['alone', ALONE],
    ['beside v1', BOTH],
  ] as const)('%s: many frames, answered by as many', async (_profiles, options) => {
    const { server, url } = await startSecure(options);
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        socket.send(data.toString().toUpperCase());
      });
    });
    const requests = Array.from({ length: 20 }, (_, index) => `request ${index}`);
    const received = requests.map((request) => request.toUpperCase());
    expect(await originalRequest(url, requests, { close: 4001 })).toMatchObject({
      code: 4001,
      wasClean: true,
      received,
    });
  });

  test('a request above maxPayload is refused with 1008', async () => {
    const { server, url } = await startSecure({ ...ALONE, maxPayload: MOST_REQUEST_BYTES - OVERHEAD });
    const failures = new AsyncQueue<string | undefined>();
    server.on('connection', (socket) => {
      socket.on('error', (error) => {
        failures.push(error.code);
      });
      socket.on('message', () => {
        socket.close(1000);
      });
    });
    expect(await originalRequest(url, ['x'.repeat(MOST_REQUEST_BYTES - OVERHEAD)])).toMatchObject({ code: 1000 });
    expect(await originalRequest(url, ['x'.repeat(MOST_REQUEST_BYTES - OVERHEAD + 1)])).toMatchObject({
      code: 1008,
      reason: 'message too long',
    });
    expect(await failures.next()).toBe('PQ_ERR_MESSAGE_SIZE');
  });
});

describe.each(['node', 'noble', 'webcrypto', 'web'] as const)('our own ends, both ways (%s)', (mode) => {
  useMode(mode);

  test('messages of every size arrive whole and in order, and nothing shows on the wire', async () => {
    const { server, url, tap, next } = await startSecure(ALONE);
    server.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => {
        socket.send(data, { binary: isBinary });
      });
    });
    const { socket, seen } = connect(url, YELLOWPAGES);
    socket.send('queued before open');
    await next();
    expect(utf8(await seen.next())).toBe('queued before open');
    const sizes = [0, 1, 125, 126, 16_384, 65_536, 1_048_576];
    for (const size of sizes) socket.send(new Uint8Array(size).fill(size % 251));
    for (const size of sizes) {
      const back = new Uint8Array((await seen.next()) as ArrayBuffer);
      expect([back.length, back.every((byte) => byte === size % 251)]).toEqual([size, true]);
    }
    const { pq } = socket;
    expect([pq.profile, pq.kem, pq.cipher, pq.transcriptHash, pq.closeAnswered, pq.failure]).toEqual([
      'yellowpages',
      'ml-kem-768',
      'AES-256-GCM',
      null,
      null,
      null,
    ]);
    expect(typeof pq.nativeKem).toBe('boolean');
    expect(pq.handshakeMilliseconds).toBeGreaterThan(0);
    expect(pq.counters).toMatchObject({ recordsSealed: sizes.length + 1, recordsOpened: sizes.length + 1 });
    expect(() => pq.exportKey('label', 32)).toThrow('has no exporter');
    socket.close(4001, 'in the open');
    expect(await seen.closed).toMatchObject({ code: 4001, wasClean: true });
    expect(socket.bufferedAmount).toBe(0);
    assertSealed(tap, ['queued before open', new Uint8Array(126).fill(126)], 'yellowpages');
  });

  test('a close stands behind everything that was sent before it', async () => {
    const { url, next } = await startSecure(ALONE);
    const { socket, seen } = connect(url, YELLOWPAGES);
    await seen.opened;
    const peer = observe((await next()).socket);
    for (let index = 0; index < 50; index += 1) socket.send(`message ${index}`);
    socket.close(3000, 'bye');
    expect(await peer.closed).toEqual({ code: 3000, reason: 'bye', wasClean: true });
    expect(peer.messages.map(utf8)).toEqual(Array.from({ length: 50 }, (_, index) => `message ${index}`));
    expect((await seen.closed).code).toBe(3000);
  });
});

describe('two profiles', () => {
  test('are served on one port, each as what it is', async () => {
    const running = await startSecure(BOTH);
    running.server.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => {
        socket.send(`${socket.pq.profile} ${isBinary} ${data.toString()}`);
      });
    });
    const old = connect(running.url, YELLOWPAGES);
    const present = connect(running.url);
    for (const { socket } of [old, present]) socket.send('hello');
    expect(utf8(await old.seen.next())).toBe('yellowpages true hello');
    expect(await present.seen.next()).toBe('v1 false hello');
    for (const { socket } of [old, present]) socket.close(4001, 'bye');
    expect(await present.seen.closed).toEqual({ code: 4001, reason: 'bye', wasClean: true });
    expect(present.socket.pq.closeAnswered).toBe(true);
    expect(await old.seen.closed).toMatchObject({ code: 4001, wasClean: true });
  });

  test('a server that has sent before the first message says so in either', async () => {
    const server = await secureServer({
      channel: BOTH,
      onPeer: ({ socket }) => {
        socket.send('early');
      },
    });
    const old = connect(server.url, YELLOWPAGES);
    expect(utf8(await old.seen.next())).toBe('early');
    expect(await connect(server.url).seen.next()).toBe('early');
    expect((await originalRequest(server.url, ['one'], { close: 4001 })).received).toEqual(['early']);
  });

  test('a client of v1 gets nothing from a server of yellowpages alone, and does not fall back', async () => {
    const { url, tap, server } = await startSecure(ALONE);
    const { socket, seen } = connect(url);
    socket.send('the secret message');
    expect(await seen.closed).toEqual({ code: 1006, reason: '', wasClean: false });
    expect(seen.log).toEqual(['error', 'close']);
    expect(server.clients?.size).toBe(0);
    const [connection] = tap.connections;
    expect(tap.connections.length).toBe(1);
    // ClientHello, and the close that answers 1008: not one frame more.
    expect(connection?.frames.map(({ direction, opcode }) => [direction, opcode])).toEqual([
      ['client', 1],
      ['server', 8],
      ['client', 8],
    ]);
    expect(connection?.rawBytes('client').includes('the secret message')).toBe(false);
  });

  test('a client of yellowpages gets nothing from a server of v1, and does not fall back', async () => {
    const { url, tap } = await startSecure();
    const { socket, seen } = connect(url, YELLOWPAGES);
    socket.send('the secret message');
    expect(await seen.closed).toEqual({ code: 3768, reason: 'malformed hello', wasClean: false });
    expect(socket.pq.failure).toMatchObject({ code: 'PQ_ERR_PEER', origin: 'transport' });
    expect(seen.log).toEqual(['error', 'close']);
    expect(tap.connections.length).toBe(1);
    expect(
      tap.connections[0]?.frames.filter(({ direction }) => direction === 'client').map(({ opcode }) => opcode),
    ).toEqual([1, 8]);
    expect(tap.connections[0]?.rawBytes('client').includes('the secret message')).toBe(false);
  });

  test("a client refuses a ServerHello in v1's words", async () => {
    const server = await rawServer((peer) => {
      void peer.nextText().then(() => {
        peer.send('{"pq_websocket":1,"ml_kem_768_ciphertext":""}');
      });
    });
    onTestFinished(() => server.close());
    const { socket, seen } = connect(server.url, YELLOWPAGES);
    expect((await seen.closed).code).toBe(3768);
    expect(socket.pq.failure).toMatchObject({ code: 'PQ_ERR_VERSION', origin: 'local' });
  });

  test('what is no hello of yellowpages is judged as v1 by a server of both', async () => {
    const { url } = await startSecure(BOTH);
    for (const first of ['[]', 'hello', '{"pq_websocket":null}', '{"pq_websocket":1}', Uint8Array.of(1, 2, 3)]) {
      const peer = rawClient(url);
      await peer.opened;
      peer.send(first);
      expect([first, (await peer.closed).code]).toEqual([first, 3768]);
    }
    const old = rawClient(url);
    await old.opened;
    old.send('{}');
    expect((await old.closed).code).toBe(1008);
  });
});

describe('attestation', () => {
  const pcrs = { 0: 'ab'.repeat(48) };
  const enclave = createTestEnclave({ pcrs });
  const attest: ServerSocketOptions['attest'] = (_hash, { userData }) => enclave.attest(userData);
  const verify = verifyNitroForTesting({ root: enclave.rootPem, pcrs });

  test('a document that covers the ciphertext opens the connection', async () => {
    const { url } = await startSecure({ ...ALONE, attest });
    const contexts: AttestationContext[] = [];
    const { socket, seen } = connect(url, {
      profile: 'yellowpages',
      verifyAttestation: (document, context) => {
        contexts.push(context);
        return verify(document, context);
      },
    });
    await seen.opened;
    socket.close();
    const [context] = contexts;
    expect([context?.profile, context?.url, context?.transcriptHash]).toEqual(['yellowpages', `${url}/`, undefined]);
    expect(Buffer.from(utf8(context?.userData), 'base64').toString()).toMatch(
      /^\{"ml_kem_768_ciphertext_hash":"[A-Za-z0-9+/]{43}="\}$/,
    );
  });

  test('one of both profiles attests in both', async () => {
    const asked: unknown[] = [];
    const { url } = await startSecure({
      ...BOTH,
      attest: (hash, { profile, userData }) => {
        asked.push([profile, hash?.length]);
        return enclave.attest(userData);
      },
    });
    for (const profile of ['v1', 'yellowpages'] as const) {
      const { socket, seen } = connect(url, { profile, verifyAttestation: verify });
      await seen.opened;
      socket.close();
    }
    expect(asked).toEqual([
      ['v1', 32],
      ['yellowpages', undefined],
    ]);
  });

  test('a good document of another connection is refused, and nothing is sent', async () => {
    let relayed: Uint8Array | undefined;
    const { url, tap } = await startSecure({
      ...ALONE,
      attest: (_hash, { userData }) => (relayed ??= enclave.attest(userData)),
    });
    const first = connect(url, { profile: 'yellowpages', verifyAttestation: verify });
    await first.seen.opened;
    const second = connect(url, { profile: 'yellowpages', verifyAttestation: verify });
    second.socket.send('the request');
    expect(await second.seen.closed).toEqual({ code: 3770, reason: '', wasClean: false });
    expect(second.socket.pq.failure).toMatchObject({
      code: 'PQ_ERR_ATTESTATION_REFUSED',
      cause: { code: 'NITRO_ERR_USER_DATA' },
    });
    expect(
      tap.connections[1]?.frames.filter(({ direction }) => direction === 'client').map(({ opcode }) => opcode),
    ).toEqual([1, 8]);
    first.socket.close();
  });

  test('without a document, with one of no enclave, and with a verifier that gives false', async () => {
    const cases = [
      [{}, verify, 'PQ_ERR_ATTESTATION_MISSING'],
      [{ attest }, verifyNitro({ pcrs }), 'PQ_ERR_ATTESTATION_REFUSED'],
      [{ attest }, (() => false) as never, 'PQ_ERR_ATTESTATION_REFUSED'],
    ] as const;
    for (const [options, verifyAttestation, code] of cases) {
      const { url } = await startSecure({ ...ALONE, ...options });
      const { socket, seen } = connect(url, { profile: 'yellowpages', verifyAttestation });
      expect([(await seen.closed).code, socket.pq.failure?.code]).toEqual([3770, code]);
    }
  });

  test.each([
    [
      'throws',
      (): never => {
        throw new Error('no enclave');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no enclave'))],
    ['gives no bytes', () => new Uint8Array(0)],
    ['gives too many', () => new Uint8Array(65_536)],
  ])('a server whose attest %s says 1011 and no ServerHello', async (_name, broken) => {
    const failures = new AsyncQueue<string | undefined>();
    const server = await secureServer({
      channel: { ...ALONE, attest: broken },
      onPeer: ({ socket }) => {
        socket.on('error', ({ code }) => {
          failures.push(code);
        });
      },
    });
    const { socket, seen } = connect(server.url, YELLOWPAGES);
    expect(await seen.closed).toEqual({ code: 1011, reason: 'server could not prove its identity', wasClean: false });
    expect(socket.pq.failure).toMatchObject({ code: 'PQ_ERR_PEER', closeCode: 1011 });
    expect(await failures.next()).toBe('PQ_ERR_IDENTITY');
  });
});

describe('limits of time and number', () => {
  test.each([
    ['yellowpages alone', ALONE, 4000],
    ['both profiles', BOTH, 3769],
  ] as const)('a server of %s gives up a client that says nothing', async (_name, options, code) => {
    const { url } = await startSecure({ ...options, handshakeTimeout: 30 });
    const peer = rawClient(url);
    await peer.opened;
    expect(await peer.closed).toEqual({ code, reason: 'handshake timed out' });
  });

  test('a client gives up a server that says nothing, with 4000', async () => {
    const server = await rawServer();
    onTestFinished(() => server.close());
    // Time enough to open the transport, which is what it is to close.
    const { socket, seen } = connect(server.url, { ...YELLOWPAGES, handshakeTimeout: 400 });
    expect(await seen.closed).toMatchObject({ code: 4000, wasClean: false });
    expect(socket.pq.failure?.code).toBe('PQ_ERR_HANDSHAKE_TIMEOUT');
    expect((await (await server.nextPeer()).closed).code).toBe(4000);
  });

  test('a client gives up a transport that does not open', async () => {
    // The upgrade is never answered.
    const held = createServer(() => undefined).listen(0, '127.0.0.1');
    onTestFinished(() => {
      held.close();
    });
    await once(held, 'listening');
    const { socket, seen } = connect(`ws://127.0.0.1:${(held.address() as AddressInfo).port}`, {
      ...YELLOWPAGES,
      handshakeTimeout: 30,
    });
    expect(await seen.closed).toMatchObject({ wasClean: false });
    expect(socket.pq.failure?.code).toBe('PQ_ERR_HANDSHAKE_TIMEOUT');
  });

  test('an open connection is not pending, however silent its client is', async () => {
    const { server, url } = await startSecure({ ...ALONE, maxPendingHandshakes: 1 });
    const silent = connect(url, YELLOWPAGES);
    await silent.seen.opened;
    const second = connect(url, YELLOWPAGES);
    await second.seen.opened;
    expect([server.clients?.size, silent.socket.readyState]).toEqual([2, 1]);
    // Who has not said hello is: the oldest goes when a newcomer comes.
    const oldest = rawClient(url);
    await oldest.opened;
    const newcomer = connect(url, YELLOWPAGES);
    await newcomer.seen.opened;
    expect((await oldest.closed).code).toBe(1013);
    expect(silent.socket.readyState).toBe(1);
    for (const { socket } of [silent, second, newcomer]) socket.close();
  });
});

test('a close before open closes the transport, and nothing of what was queued leaves', async () => {
  const { url, tap } = await startSecure(ALONE);
  const { socket, seen } = connect(url, YELLOWPAGES);
  socket.send('the secret message');
  socket.close(4001, 'never mind');
  expect(await seen.closed).toMatchObject({ code: 1006, wasClean: false });
  expect(tap.connections.every((connection) => !connection.rawBytes('client').includes('never mind'))).toBe(true);
});

test('a server socket of the web platform, which takes no code below 3000 but 1000, closes all the same', async () => {
  const server = new PlainServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    server.close();
  });
  await once(server, 'listening');
  const accepted = once<[PlainSocket]>(server, 'connection');
  const raw = rawClient(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [plain] = await accepted;
  wrapServerSocket(webShaped(plain), ALONE);
  await raw.opened;
  raw.send('{}');
  expect((await raw.closed).code).toBe(1005);
});

/** Without what only npm `ws` has, and with the standard's close(). */
function webShaped(plain: PlainSocket): object {
  return {
    get readyState() {
      return plain.readyState;
    },
    set binaryType(type: 'arraybuffer') {
      plain.binaryType = type;
    },
    addEventListener: plain.addEventListener.bind(plain),
    send: plain.send.bind(plain),
    close(code?: number, reason?: string): void {
      if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999))
        throw new DOMException('code', 'InvalidAccessError');
      plain.close(code, reason);
    },
  };
}
