/** What a server takes, holds and does for peers that have not proved themselves, and that honest ones notice nothing of it. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from '../../src/ws.ts';
import type { PQWebSocketError } from '../../src/ws.ts';
import { plainHello } from '../support/plain-hello.ts';
import { BACKENDS } from '../support/backends.ts';
import { deferred, once } from '../support/deferred.ts';
import { rawClient } from '../support/raw-peer.ts';
import { startSecure, UPGRADE_HEADERS } from '../support/ws-endpoints.ts';

const TEXT = 1;
const BINARY = 2;
const FINAL = 0x80;

/** A TCP connection that has been upgraded, to write frames to that no library writes. */
async function upgraded(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
  });
  const headers = Object.entries(UPGRADE_HEADERS).map(([name, value]) => `${name}: ${value}`);
  socket.write(['GET / HTTP/1.1', 'Host: 127.0.0.1', ...headers, '', ''].join('\r\n'));
  await once(socket, 'data');
  return socket;
}

/** RFC 6455 5.2, masked with zeros. */
function header(firstByte: number, length: number): Buffer {
  const bytes = Buffer.alloc(14);
  bytes[0] = firstByte;
  bytes[1] = 0x80 | 127;
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}

/** What the server says when it is told this, until it ends the connection: the code of its close frame. */
async function closeCode(socket: Socket): Promise<number> {
  for (;;) {
    const [bytes] = await once<[Buffer]>(socket, 'data');
    if (bytes[0] === 0x88) return bytes.readUInt16BE(2);
  }
}

async function validHello(): Promise<string> {
  const pair = await BACKENDS.node.generateKeyPair();
  pair.destroy();
  return plainHello(pair.encapsulationKey);
}

describe('before its hello a peer is refused', () => {
  test.each([
    ['an unfinished text of 60 MB', FINAL | TEXT, 60_000_000],
    ['the first fragment of one', TEXT, 60_000_000],
    ['bytes of 100 kB', FINAL | BINARY, 100_000],
  ])('%s, when its length is known', async (_what, firstByte, length) => {
    const { port } = await startSecure();
    const socket = await upgraded(port);
    const code = closeCode(socket);
    socket.write(header(firstByte, length));
    expect(await code).toBe(1009);
  });

  test('many small fragments', async () => {
    const { port } = await startSecure();
    const socket = await upgraded(port);
    const code = closeCode(socket);
    const fragments = Array.from({ length: 200 }, () => Buffer.concat([header(0, 1), Buffer.from('a')]));
    socket.write(Buffer.concat([header(TEXT, 1), Buffer.from('a'), ...fragments]));
    expect(await code).toBe(1008);
  });
});

describe('before its Finished a peer is refused', () => {
  test('more than a Finished can be', async () => {
    const { port } = await startSecure();
    const socket = await upgraded(port);
    const hello = Buffer.from(await validHello());
    socket.write(Buffer.concat([header(FINAL | TEXT, hello.length), hello]));
    await once(socket, 'data');
    const code = closeCode(socket);
    socket.write(header(FINAL | BINARY, 1_000_000));
    expect(await code).toBe(1009);
  });

  test('anything but the hello, while the server is at work on it', async () => {
    const work = deferred<Uint8Array>();
    const { port, server } = await startSecure({ identity: () => work.promise });
    const failed = once<[PQWebSocketError]>(server, 'handshakeFailed');
    const client = rawClient(`ws://127.0.0.1:${port}`);
    await client.opened;
    client.send(await validHello());
    client.send(randomBytes(10_000));
    expect((await client.closed).code).toBe(3768);
    expect((await failed)[0].code).toBe('PQ_ERR_MESSAGE_TYPE');
    work.resolve(new Uint8Array(0));
  });
});

test('an honest message of any length may follow Finished at once', async () => {
  const { url, next } = await startSecure();
  const client = new WebSocket(url);
  const message = randomBytes(10_000_000);
  client.send(message);
  const { socket } = await next();
  const [received] = await once<[Buffer]>(socket, 'message');
  expect(received.equals(message)).toBe(true);
  client.terminate();
});

test('an honest message may be in many fragments once its sender is known', async () => {
  const { url, next } = await startSecure();
  const client = new WebSocket(url);
  await once(client, 'open');
  const { socket } = await next();
  await socket.pq.finished;
  // The limits of `ws` itself are back: a frame of the transport of 1,000 kB.
  const received = once<[Buffer]>(socket, 'message');
  client.send(randomBytes(1_000_000));
  expect((await received)[0].length).toBe(1_000_000);
  client.terminate();
});

describe('proofs', () => {
  test('are limited in number, and end with the connection that asked', async () => {
    const works: { readonly signal: AbortSignal; readonly ended: Promise<unknown> }[] = [];
    const running = await startSecure({
      maxProofs: 2,
      identity: (_message, { signal }) => {
        const aborted = signal as AbortSignal;
        works.push({ signal: aborted, ended: once(aborted, 'abort') });
        return new Promise<Uint8Array>(() => undefined);
      },
    });
    const hello = await validHello();
    const clients: ReturnType<typeof rawClient>[] = [];
    for (let i = 0; i < 5; i += 1) {
      const client = rawClient(`ws://127.0.0.1:${running.port}`);
      await client.opened;
      client.send(hello);
      // Answered behind the hello, so that the server has seen that.
      client.socket.ping();
      await once(client.socket, 'pong');
      clients.push(client);
    }
    expect(works.length).toBe(2);
    // The last one waits in vain; the first is at work.
    const failures = [4, 0].map(async (index) => {
      const failed = once(running.server, 'handshakeFailed');
      clients[index]?.socket.terminate();
      await failed;
    });
    await Promise.all(failures);
    await works[0]?.ended;
    expect(works[0]?.signal.aborted).toBe(true);
    expect(works.length).toBe(2);
    for (const { socket } of clients) socket.terminate();
    await Promise.all(works.map(({ ended }) => ended));
  });
});
