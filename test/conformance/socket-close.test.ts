/** close() in every state, from both ends, and what each application sees of it. */
import { createServer } from 'node:http';
import { once as emitted } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import { connect, connected, MODES, nextTask, observe, pqOf, secureServer, useMode } from '../support/endpoints.ts';
import { rawServer } from '../support/raw-peer.ts';
import type { RawServer } from '../support/raw-peer.ts';
import { assertSealed } from '../support/tap.ts';

const { CLOSED, CLOSING, CONNECTING } = PQWebSocket;
const CUT = { code: 1006, reason: '', wasClean: false };

async function silentServer(): Promise<RawServer> {
  const server = await rawServer();
  onTestFinished(() => server.close());
  return server;
}

describe.each(MODES)('%s', (mode) => {
  useMode(mode);

  const LONGEST = '\u00E9'.repeat(61) + 'x';
  test.each<[number | undefined, string | undefined, { code: number; reason: string }]>([
    [undefined, undefined, { code: 1005, reason: '' }],
    [1000, undefined, { code: 1000, reason: '' }],
    [1000, 'done here', { code: 1000, reason: 'done here' }],
    [3000, '', { code: 3000, reason: '' }],
    [4999, LONGEST, { code: 4999, reason: LONGEST }],
  ])('close(%s, %j) from either end', async (code, reason, expected) => {
    const server = await secureServer();
    for (const closer of ['client', 'server'] as const) {
      const { client, peer } = await connected(server);
      const one = closer === 'client' ? client.socket : peer.socket;
      if (code === undefined) one.close();
      else one.close(code, reason);
      expect(one.readyState).toBe(CLOSING);
      for (const end of [client, peer]) {
        expect(await end.seen.closed).toEqual({ ...expected, wasClean: true });
        expect(end.socket.readyState).toBe(CLOSED);
        expect(end.seen.log).toEqual(end === client ? ['open', 'close'] : ['open', 'close']);
        expect(pqOf(end)).toMatchObject({ failure: null, closeAnswered: true });
      }
    }
    assertSealed(server.tap, reason !== undefined && reason.length > 6 ? [reason] : []);
  });

  test("closes that cross: each sees the other's", async () => {
    const { client, peer } = await connected(await secureServer());
    client.socket.close(4001, 'from the client');
    peer.socket.close(4002, 'from the server');
    expect(await client.seen.closed).toEqual({ code: 4002, reason: 'from the server', wasClean: true });
    expect(await peer.seen.closed).toEqual({ code: 4001, reason: 'from the client', wasClean: true });
    for (const end of [client, peer]) expect(pqOf(end).closeAnswered).toBe(false);
  });

  test('while the handshake is pending', async () => {
    const server = await silentServer();
    const client = connect(server.url);
    client.socket.send('never sent');
    const peer = await server.nextPeer();
    await peer.nextText();
    expect(client.socket.readyState).toBe(CONNECTING);
    client.socket.close(4000, 'changed my mind');
    client.socket.close(4001);
    expect(client.socket.readyState).toBe(CLOSING);
    expect(await client.seen.closed).toEqual(CUT);
    expect(client.seen.log).toEqual(['error', 'close']);
    expect(client.socket.pq.failure).toMatchObject({ code: 'PQ_ERR_CLOSED_EARLY', origin: 'local' });
    expect(client.socket.bufferedAmount).toBe('never sent'.length);
    expect(await peer.closed).toEqual({ code: 1005, reason: '' });
    await expect(peer.next()).rejects.toThrow();
  });

  test('before the transport is there: its events come once', async () => {
    const server = await secureServer();
    const client = connect(server.url);
    client.socket.close();
    expect(await client.seen.closed).toEqual(CUT);
    // Whatever else would come has come when another connection has begun and ended.
    const another = await connected(server);
    another.client.socket.close();
    await another.client.seen.closed;
    expect(client.seen.log).toEqual(['error', 'close']);
  });

  test('a server that closes in its open handler still ends cleanly', async () => {
    const server = await secureServer({
      onPeer: ({ socket }) => {
        socket.on('open', () => {
          socket.send('last words');
          socket.close(4003, 'closed at once');
        });
      },
    });
    const client = connect(server.url);
    const peer = await server.nextPeer();
    expect(await client.seen.closed).toEqual({ code: 4003, reason: 'closed at once', wasClean: true });
    expect(await peer.seen.closed).toEqual({ code: 4003, reason: 'closed at once', wasClean: true });
    expect(client.seen.messages).toEqual(['last words']);
    expect(client.seen.log).toEqual(['open', 'message', 'close']);
  });

  test('messages that come after close() was called are not delivered', async () => {
    const { client, peer } = await connected(await secureServer());
    peer.socket.send('too late');
    client.socket.close();
    await client.seen.closed;
    expect(client.seen.log).toEqual(['open', 'close']);
  });

  test('messages sent before the peer closes all arrive', async () => {
    const { client, peer } = await connected(await secureServer());
    for (let i = 0; i < 100; i += 1) peer.socket.send(`message ${i}`);
    peer.socket.close(4000);
    await client.seen.closed;
    expect(client.seen.messages).toEqual(Array.from({ length: 100 }, (_, i) => `message ${i}`));
  });

  test('close() in a message handler stops the messages behind it, in the same record too', async () => {
    const { client, peer } = await connected(await secureServer());
    client.socket.onmessage = (): void => {
      client.socket.close(4000);
    };
    for (let i = 0; i < 10; i += 1) peer.socket.send(`message ${i}`);
    expect(await peer.seen.closed).toMatchObject({ code: 4000, wasClean: true });
    await client.seen.closed;
    expect(client.seen.messages).toEqual(['message 0']);
  });

  test('an abrupt cut', async () => {
    const server = await secureServer();
    const { client, peer } = await connected(server);
    (await server.tap.nextConnection()).cut();
    for (const end of [client, peer]) {
      expect(await end.seen.closed).toEqual(CUT);
      expect(pqOf(end)).toMatchObject({ failure: { origin: 'transport' }, closeAnswered: null });
      expect(['PQ_ERR_TRUNCATED', 'PQ_ERR_TRANSPORT']).toContain(pqOf(end).failure?.code);
    }
  });
});

test('before the transport is open: error, then close', async () => {
  const server = await silentServer();
  const client = connect(server.url);
  client.socket.close(4000, 'x');
  client.socket.close();
  expect(client.socket.readyState).toBe(CLOSING);
  expect(client.seen.log).toEqual([]);
  expect(await client.seen.closed).toEqual(CUT);
  expect(client.seen.log).toEqual(['error', 'close']);
  const native = new WebSocket(server.url);
  const nativeSeen = observe(native);
  native.close(4000, 'x');
  expect(await nativeSeen.closed).toEqual(CUT);
  expect(nativeSeen.log).toEqual(client.seen.log);
});

test('close() is idempotent: the first call counts, and none throws in any state', async () => {
  const { client, peer } = await connected(await secureServer());
  client.socket.close(4001, 'first');
  client.socket.close(4002, 'second');
  client.socket.close();
  expect(await peer.seen.closed).toMatchObject({ code: 4001, reason: 'first' });
  await client.seen.closed;
  client.socket.close(4003, 'third');
  client.socket.close();
  expect(client.socket.readyState).toBe(CLOSED);
  expect(client.seen.log).toEqual(['open', 'close']);
  expect(() => {
    client.socket.close(1001);
  }).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }));
});

test('a server may use the codes that only servers use', async () => {
  const server = await secureServer();
  for (const code of [1001, 1003, 1008, 1011, 1012, 1013, 1014]) {
    const { client, peer } = await connected(server);
    peer.socket.close(code, `sealed reason ${code}`);
    expect(await client.seen.closed).toEqual({ code, reason: `sealed reason ${code}`, wasClean: true });
  }
  assertSealed(server.tap, ['sealed reason']);
});

test('terminate() on the server is a cut for both, and what a native socket makes of one is what ours makes', async () => {
  const server = await secureServer();
  const { client, peer } = await connected(server);
  peer.socket.terminate();
  expect(await client.seen.closed).toEqual(CUT);
  expect(await peer.seen.closed).toEqual(CUT);
  const plain = await silentServer();
  const native = new WebSocket(plain.url);
  const nativeSeen = observe(native);
  (await plain.nextPeer()).socket.terminate();
  expect(await nativeSeen.closed).toEqual(CUT);
  expect(client.seen.log).toEqual(nativeSeen.log);
});

describe('a transport that never opens', () => {
  async function refusing(status: number | undefined): Promise<number> {
    const http = createServer((_request, response) => {
      response.writeHead(status ?? 500).end();
    });
    http.on('upgrade', (_request, socket) => {
      socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    });
    http.listen(0, '127.0.0.1');
    await emitted(http, 'listening');
    const { port } = http.address() as AddressInfo;
    if (status === undefined) http.close();
    else onTestFinished(() => void http.close());
    return port;
  }

  test.each([
    ['refused', undefined],
    ['401', 401],
    ['200', 200],
  ])('%s: error, then 1006', async (_name, status) => {
    const port = await refusing(status);
    for (const options of [{}, { headers: { a: 'b' } }]) {
      const client = connect(`ws://127.0.0.1:${port}/`, options);
      client.socket.send('kept');
      expect(await client.seen.closed).toEqual(CUT);
      expect(client.seen.log).toEqual(['error', 'close']);
      expect(client.socket.pq.failure).toMatchObject({ code: 'PQ_ERR_TRANSPORT', origin: 'transport' });
      expect(client.socket.bufferedAmount).toBe(4);
      await expect(client.socket.pq.finished).rejects.toBe(client.socket.pq.failure);
    }
  });
});

test('a rejected `finished` that nobody looks at is not reported', async () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown): void => {
    rejections.push(reason);
  };
  process.on('unhandledRejection', note);
  const server = await silentServer();
  const client = connect(server.url);
  client.socket.close();
  await client.seen.closed;
  await nextTask();
  await nextTask();
  process.off('unhandledRejection', note);
  expect(rejections).toEqual([]);
});

test.each([
  ['a cut', undefined],
  ['1001', 1001],
  ['1013', 1013],
])('%s before open: error, then close', async (_name, code) => {
  const server = await silentServer();
  const client = connect(server.url);
  const peer = await server.nextPeer();
  await peer.nextText();
  if (code === undefined) peer.socket.terminate();
  else peer.close(code);
  expect(await client.seen.closed).toEqual({ code: code ?? 1006, reason: '', wasClean: false });
  expect(client.seen.log).toEqual(['error', 'close']);
});
