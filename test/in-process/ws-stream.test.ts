/** createWebSocketStream: ours over our sockets, ws's own over our sockets (as MQTT.js does), and ws over ws. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Duplex, DuplexOptions } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createWebSocketStream as plainStream } from 'ws';
import type { WebSocket } from 'ws';
import { createWebSocketStream as secureStream } from '../../src/ws.ts';
import { once, waitFor } from '../support/deferred.ts';
import { LIBRARIES, startLibrary } from '../support/ws-endpoints.ts';
import type { Library } from '../support/ws-endpoints.ts';

type MakeStream = (socket: WebSocket, options?: DuplexOptions) => Duplex;

const [[, plain], [, secure]] = LIBRARIES as [(typeof LIBRARIES)[0], (typeof LIBRARIES)[0]];
const COMBINATIONS: [string, Library, MakeStream][] = [
  ['ws over ws', plain, plainStream],
  ['ours over ours', secure, secureStream],
  ["ws's over ours", secure, plainStream],
];

const MIB = 1024 * 1024;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe.each(COMBINATIONS)('%s', (_name, library, makeStream) => {
  interface Streams {
    readonly client: WebSocket;
    readonly peer: WebSocket;
    readonly near: Duplex;
    readonly far: Duplex;
  }

  /** Both ends open. A stream whose reading side has ended ends its writing side. */
  async function streams(options?: DuplexOptions, server = {}): Promise<Streams> {
    const { url, next } = await startLibrary(library, server);
    const client = new library.WebSocket(url);
    const near = makeStream(client, { allowHalfOpen: false, ...options });
    const [{ socket: peer }] = await Promise.all([next(), once(client, 'open')]);
    return { client, peer, near, far: makeStream(peer, { allowHalfOpen: false, ...options }) };
  }

  /** The hash of the next `length` bytes. */
  function hashOf(stream: Duplex, length: number): Promise<string> {
    return new Promise((resolve) => {
      const hash = createHash('sha256');
      let size = 0;
      stream.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        size += chunk.length;
        if (size === length) resolve(hash.digest('hex'));
      });
    });
  }

  function closeOf(stream: Duplex): Promise<unknown> {
    stream.resume();
    return once(stream, 'close');
  }

  test('several MiB there and back, written before it is open', async () => {
    const { url, next } = await startLibrary(library);
    const near = makeStream(new library.WebSocket(url));
    const data = randomBytes(5 * MIB);
    const echoed = hashOf(near, data.length);
    Readable.from(chunksOf(data, 100_000)).pipe(near, { end: false });
    const { socket } = await next();
    const far = makeStream(socket);
    far.pipe(far);
    expect(await echoed).toBe(sha256(data));
    const closes = Promise.all([closeOf(near), once(far, 'close')]);
    near.end();
    await closes;
  });

  test('both ways at once, everything arrives', async () => {
    const { near, far } = await streams();
    const [up, down] = [randomBytes(4 * MIB), randomBytes(3 * MIB)];
    const hashes = Promise.all([hashOf(far, up.length), hashOf(near, down.length)]);
    Readable.from(chunksOf(up, 70_000)).pipe(near, { end: false });
    Readable.from(chunksOf(down, 9_000)).pipe(far, { end: false });
    expect(await hashes).toEqual([sha256(up), sha256(down)]);
    const closes = Promise.all([once(near, 'close'), once(far, 'close')]);
    near.end();
    await closes;
  });

  test('a reader that does not read holds the writer back', async () => {
    const { client, peer, near, far } = await streams();
    const chunk = Buffer.alloc(MIB, 7);
    let written = 0;
    for (let i = 0; i < 32; i += 1) near.write(chunk, () => (written += 1));
    await waitFor(() => peer.isPaused, peer, 'message');
    expect([near.writableNeedDrain, near.writableLength > 16 * MIB, written < 32]).toEqual([true, true, true]);
    const received = collect(far);
    near.end();
    expect((await received).length).toBe(32 * MIB);
    expect([written, client.bufferedAmount]).toEqual([32, 0]);
  });

  test.each(['near', 'far'] as const)('the %s end ends it: both streams end, finish and close', async (ender) => {
    const { client, peer, near, far } = await streams();
    const codes = Promise.all([client, peer].map(async (each) => (await once<[number]>(each, 'close'))[0]));
    const events: Record<'near' | 'far', string[]> = { near: [], far: [] };
    for (const [name, stream] of [
      ['near', near],
      ['far', far],
    ] as const) {
      for (const event of ['end', 'finish', 'close', 'error']) stream.on(event, () => events[name].push(event));
    }
    const [first, second] = ender === 'near' ? [near, far] : [far, near];
    const received = collect(second);
    const closes = Promise.all([closeOf(first), once(second, 'close')]);
    first.end('last words');
    expect(String(await received)).toBe('last words');
    await closes;
    expect(await codes).toEqual([1005, 1005]);
    expect([events.near.sort(), events.far.sort()]).toEqual([
      ['close', 'end', 'finish'],
      ['close', 'end', 'finish'],
    ]);
  });

  test('destroy cuts the connection: 1006 at both ends', async () => {
    const { client, peer, near, far } = await streams();
    const codes = Promise.all([client, peer].map(async (each) => (await once<[number]>(each, 'close'))[0]));
    const closes = Promise.all([once(near, 'close'), closeOf(far)]);
    near.destroy();
    await closes;
    expect(await codes).toEqual([1006, 1006]);
  });

  test('destroy with an error gives that error', async () => {
    const { near, far } = await streams();
    const failed = once(near, 'error');
    const closes = Promise.all([once(near, 'close'), closeOf(far)]);
    near.destroy(new Error('mine'));
    expect((await failed)[0]).toEqual(new Error('mine'));
    await closes;
  });

  test("the socket's failure is the stream's", async () => {
    const { near, far } = await streams({}, { maxPayload: 10 });
    const failed = once<[Error]>(far, 'error');
    near.on('error', () => undefined);
    const closes = Promise.all([closeOf(near), once(far, 'close')]);
    near.write(Buffer.alloc(11));
    expect((await failed)[0]).toBeInstanceOf(Error);
    await closes;
  });

  test('a connection that fails is an error', async () => {
    const stream = makeStream(new library.WebSocket('ws://127.0.0.1:1'));
    stream.write('never sent');
    const closed = new Promise((resolve) => stream.on('close', resolve));
    const [error] = await once<[Error & { cause?: NodeJS.ErrnoException }]>(stream, 'error');
    expect((error.cause ?? (error as NodeJS.ErrnoException)).code).toBe('ECONNREFUSED');
    await closed;
  });

  test('readableObjectMode keeps text a string', async () => {
    const { peer, near } = await streams({ readableObjectMode: true });
    const received: unknown[] = [];
    const both = new Promise<void>((resolve) => {
      near.on('data', (data) => received.push(data) === 2 && resolve());
    });
    peer.send('text');
    peer.send(Buffer.from('bytes'));
    await both;
    expect(received).toEqual(['text', Buffer.from('bytes')]);
  });
});

function* chunksOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
