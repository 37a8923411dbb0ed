/** What our WebSocketServer does beyond npm ws's: handshakes that are pending, limits, options, listeners that throw. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from '../../src/ws.ts';
import type { PQWebSocketError, WsStyleWebSocket } from '../../src/ws.ts';
import { once } from '../support/deferred.ts';
import { rawClient } from '../support/raw-peer.ts';
import { assertSealed, OPCODE } from '../support/tap.ts';
import type { TapFrame } from '../support/tap.ts';
import { startSecure, uncaughtErrors } from '../support/ws-endpoints.ts';

function closeOf(socket: WsStyleWebSocket): Promise<[number, string]> {
  return once<[number, Buffer]>(socket, 'close').then(([code, reason]) => [code, reason.toString()]);
}

async function open(url: string): Promise<WsStyleWebSocket> {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  return socket;
}

/** A client whose Finished never arrives: the server surfaces it and goes on waiting. */
async function unfinished(
  running: Awaited<ReturnType<typeof startSecure>>,
): Promise<{ client: WsStyleWebSocket; peer: WsStyleWebSocket }> {
  const isSealed = (frame: TapFrame): boolean => frame.direction === 'client' && frame.opcode === OPCODE.binary;
  running.tap.onFrame = (frame) => (isSealed(frame) ? 'drop' : 'forward');
  const client = await open(`${running.url}/unfinished`);
  const { socket } = await running.next();
  await running.tap.connections.at(-1)?.frame(isSealed);
  running.tap.onFrame = undefined;
  return { client, peer: socket };
}

describe('a socket is shown', () => {
  test("only once the server's Finished is sent", async () => {
    const { server, url, next } = await startSecure();
    const silent = rawClient(`${url}/silent`);
    await silent.opened;
    const shown: unknown[] = [];
    server.on('connection', (socket, request) => {
      shown.push(request.url, socket.readyState, socket.pq.counters.recordsSealed, server.clients?.has(socket));
    });
    const client = await open(`${url}/real`);
    const { socket } = await next();
    expect(shown).toEqual(['/real', 1, 1, true]);
    expect([...(server.clients ?? [])]).toEqual([socket]);
    await Promise.all([client.pq.finished, socket.pq.finished]);
  });

  test.each([
    ['malformed', '{"pq_websocket":1}'],
    ['binary', new Uint8Array(1200)],
  ])('never when its hello is %s', async (_title, hello) => {
    const { server, url, next } = await startSecure();
    const broken = rawClient(`${url}/broken`);
    await broken.opened;
    broken.send(hello);
    expect((await broken.closed).code).toBe(3768);
    await open(`${url}/real`);
    expect((await next()).request.url).toBe('/real');
    expect(server.clients?.size).toBe(1);
  });

  test('never when it goes before it has said anything', async () => {
    const { url, next } = await startSecure();
    const silent = rawClient(`${url}/silent`);
    await silent.opened;
    silent.socket.terminate();
    await silent.closed;
    await open(`${url}/real`);
    expect((await next()).request.url).toBe('/real');
  });

  test('and is in clients until it closes, whatever listeners the application removes', async () => {
    const { server, url, next } = await startSecure();
    const client = await open(url);
    const { socket } = await next();
    socket.removeAllListeners();
    server.removeAllListeners();
    const gone = once(socket, 'close');
    client.close();
    await gone;
    expect(server.clients?.size).toBe(0);
  });
});

describe('close() ends handshakes that are under way with 1001', () => {
  test('with its own server', async () => {
    const { server, url, next } = await startSecure();
    const silent = [rawClient(url), rawClient(url)];
    await Promise.all(silent.map((each) => each.opened));
    const client = await open(url);
    const { socket } = await next();
    const done = new Promise((resolve) => {
      server.close(resolve);
    });
    expect((await Promise.all(silent.map((each) => each.closed))).map(({ code }) => code)).toEqual([1001, 1001]);
    expect([client.readyState, socket.readyState]).toEqual([1, 1]);
    client.close();
    expect(await done).toBeUndefined();
  });

  test("with the application's server, waiting for them", async () => {
    const http = createServer();
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    onTestFinished(() => {
      http.close();
    });
    const server = new WebSocketServer({ server: http });
    const silent = rawClient(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
    await silent.opened;
    const order: string[] = [];
    const client = silent.closed.then(({ code }) => order.push(`client ${code}`));
    await new Promise<unknown>((resolve) => {
      server.close(resolve);
    }).then(() => order.push('server'));
    await client;
    expect(order.sort()).toEqual(['client 1001', 'server']);
  });
});

describe('maxPendingHandshakes', () => {
  test('the oldest is closed with 1013, the newcomer proceeds, and who has finished does not count', async () => {
    const { url, next } = await startSecure({ maxPendingHandshakes: 2 });
    const first = rawClient(url);
    await first.opened;
    const second = rawClient(url);
    await second.opened;
    const client = await open(url);
    expect((await first.closed).code).toBe(1013);
    const { socket } = await next();
    await socket.pq.finished;
    const third = rawClient(url);
    await third.opened;
    expect([second.socket.readyState, client.readyState]).toEqual([1, 1]);
    const fourth = rawClient(url);
    await fourth.opened;
    expect((await second.closed).code).toBe(1013);
    expect([third.socket.readyState, fourth.socket.readyState, client.readyState]).toEqual([1, 1, 1]);
  });

  test('counts a socket that is shown and whose client has not proved itself', async () => {
    const running = await startSecure({ maxPendingHandshakes: 1 });
    const { client, peer } = await unfinished(running);
    const failed = once<[PQWebSocketError]>(peer, 'error');
    const closes = Promise.all([closeOf(client), closeOf(peer)]);
    const newcomer = await open(running.url);
    expect((await failed)[0].code).toBe('PQ_ERR_OVERLOAD');
    expect(await closes).toEqual([
      [1013, ''],
      [1013, ''],
    ]);
    await expect(peer.pq.finished).rejects.toBe(peer.pq.failure);
    await (
      await running.next()
    ).socket.pq.finished;
    expect(newcomer.readyState).toBe(1);
  });
});

describe('handshakeTimeout', () => {
  test('closes who says nothing with 3769', async () => {
    const { url } = await startSecure({ handshakeTimeout: 50 });
    expect(await rawClient(url).closed).toEqual({ code: 3769, reason: 'handshake timed out' });
  });

  test('closes who is shown and does not prove itself with 3769', async () => {
    const running = await startSecure({ handshakeTimeout: 300 });
    const { client, peer } = await unfinished(running);
    const failed = once<[PQWebSocketError]>(peer, 'error');
    expect(await Promise.all([closeOf(client), closeOf(peer)])).toEqual([
      [3769, ''],
      [3769, ''],
    ]);
    expect((await failed)[0].code).toBe('PQ_ERR_HANDSHAKE_TIMEOUT');
    expect(running.server.clients?.size).toBe(0);
  });
});

describe('maxPayload', () => {
  test.each([
    ['text', (length: number) => 'é'.repeat(length / 2)],
    ['binary', (length: number) => new Uint8Array(length)],
  ])('counts the bytes of %s that the application says: the limit passes, two more are 3773', async (_kind, make) => {
    const { url, next } = await startSecure({ maxPayload: 1000 });
    const client = await open(url);
    const { socket } = await next();
    client.send(make(1000));
    expect((await once<[Buffer]>(socket, 'message'))[0].length).toBe(1000);
    const failed = once<[PQWebSocketError]>(socket, 'error');
    client.send(make(1002));
    expect(await Promise.all([closeOf(client), closeOf(socket)])).toEqual([
      [3773, ''],
      [3773, ''],
    ]);
    expect((await failed)[0].code).toBe('PQ_ERR_MESSAGE_SIZE');
  });

  test('one byte more is too long', async () => {
    const { url, next } = await startSecure({ maxPayload: 1000 });
    const client = await open(url);
    const { socket } = await next();
    const failed = once<[PQWebSocketError]>(socket, 'error');
    client.send(new Uint8Array(1001));
    expect(await Promise.all([closeOf(client), closeOf(socket)])).toEqual([
      [3773, ''],
      [3773, ''],
    ]);
    expect((await failed)[0].code).toBe('PQ_ERR_MESSAGE_SIZE');
  });

  // 2^32 is 0 for ws, and what we add to the limit for it must not become one.
  test.each([0, 2 ** 32, Number.MAX_SAFE_INTEGER])('%d is no limit for some MiB', async (maxPayload) => {
    const { url, next } = await startSecure({ maxPayload });
    const client = new WebSocket(url, { maxPayload });
    const { socket } = await next();
    client.send(new Uint8Array(3_000_000));
    const [data] = await once<[Buffer]>(socket, 'message');
    expect(data.length).toBe(3_000_000);
    socket.send(data);
    expect((await once<[Buffer]>(client, 'message'))[0].length).toBe(3_000_000);
  });
});

describe('options', () => {
  const construct = (options: object) => () => new WebSocketServer({ noServer: true, ...options });

  test('perMessageDeflate is refused with the reason', () => {
    expect(construct({ perMessageDeflate: true })).toThrow(/'perMessageDeflate' is not supported: .*compress/);
    expect(construct({ perMessageDeflate: {} })).toThrow(TypeError);
    expect(construct({ perMessageDeflate: false })).not.toThrow();
  });

  test('a class of sockets is refused with the reason', () => {
    expect(construct({ WebSocket: class {} })).toThrow(/'WebSocket' is not supported: all sockets .* secure/);
  });

  test.each(['handshakeTimeOut', 'serverKey'])('unknown %s is a TypeError that names it', (name) => {
    expect(construct({ [name]: 1 })).toThrow(new TypeError(`WebSocketServer: unknown option '${name}'`));
  });

  test.each([
    [{ maxPendingHandshakes: 0 }, RangeError, "'maxPendingHandshakes'"],
    [{ handshakeTimeout: '10' }, TypeError, "'handshakeTimeout'"],
    [{ context: '' }, RangeError, "'context'"],
  ])('%j is refused by name', (options, error, name) => {
    expect(construct(options)).toThrow(error);
    expect(construct(options)).toThrow(name);
  });

  test('context, a function of the request, is bound into the key', async () => {
    const { url, next } = await startSecure({ context: (request) => `room ${request.url}` });
    const client = new WebSocket(`${url}/7`, { context: 'room /7' });
    const [{ socket }] = await Promise.all([next(), once(client, 'open')]);
    await socket.pq.finished;
    const other = new WebSocket(`${url}/8`, { context: 'room /7' });
    const [error] = await once<[PQWebSocketError]>(other, 'error');
    expect([error.code, other.pq.failure?.closeCode]).toEqual(['PQ_ERR_RECORD', 3768]);
  });

  test('a context function that throws or gives nothing of use ends its own connection only', async () => {
    const errors = uncaughtErrors();
    const { url, next } = await startSecure({
      context: (request) => {
        if (request.url === '/throws') throw new Error('no such room');
        return request.url === '/empty' ? '' : 'fine';
      },
    });
    for (const [path, message] of [
      ['/throws', 'no such room'],
      ['/empty', "'context' must not be empty"],
    ]) {
      expect((await rawClient(`${url}${path}`).closed).code).toBe(1006);
      expect(String(await errors.next())).toContain(message);
    }
    const client = new WebSocket(url, { context: 'fine' });
    await Promise.all([next(), once(client, 'open')]);
  });
});

describe('a listener that throws', () => {
  test("is uncaught, and neither its connection nor the server's others feel it", async () => {
    const errors = uncaughtErrors();
    const { server, url, next, tap } = await startSecure();
    server.once('connection', () => {
      throw new Error('in connection');
    });
    const client = await open(url);
    const { socket } = await next();
    expect(await errors.next()).toEqual(new Error('in connection'));
    const dom: unknown[] = [];
    socket.addEventListener('message', ({ data }: MessageEvent) => {
      dom.push(data);
      if (data === 'message 2') socket.send('answer 2');
      throw new Error(`in DOM message ${String(data)}`);
    });
    const heard: string[] = [];
    socket.on('message', (data) => {
      heard.push(data.toString());
      throw new Error(`in message ${data.toString()}`);
    });
    // In one turn: they share a record.
    client.send('message 1');
    client.send('message 2');
    expect(String((await once(client, 'message'))[0])).toBe('answer 2');
    expect([heard, dom]).toEqual([
      ['message 1', 'message 2'],
      ['message 1', 'message 2'],
    ]);
    // As the standard says, and not ws: a DOM listener that throws does not keep the others from hearing.
    for (const style of ['DOM message message 1', 'message message 1', 'DOM message message 2', 'message message 2']) {
      expect(await errors.next()).toEqual(new Error(`in ${style}`));
    }
    expect([client.readyState, socket.readyState]).toEqual([1, 1]);
    client.close(4000, 'goodbye');
    expect(await closeOf(socket)).toEqual([4000, 'goodbye']);
    assertSealed(tap, ['message 1', 'message 2', 'answer 2', 'goodbye']);
  });
});
