/** Whole connections with pq-websocket-native at one end or both, over every way to make one on Node. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import { WebSocket, WebSocketServer } from '../../src/ws.ts';
import { nativeBinding } from '../support/native.ts';

const isBuilt = nativeBinding('whole connections with it') !== undefined;
const SIZES = [0, 1, 125, 1000, 1024, 1025, 65_536, 1_000_000];

async function startEcho(native: boolean): Promise<{ server: WebSocketServer; url: string; backends: string[] }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', native, rekey: { records: 5 } });
  const backends: string[] = [];
  server.on('connection', (socket) => {
    backends.push(`${socket.pq.backend} ${socket.pq.nativeKem}`);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  onTestFinished(() => server.close());
  await once(server, 'listening');
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, backends };
}

const CLIENTS = [
  ['PQWebSocket', (url: string, native: boolean, fastOpen: boolean) => new PQWebSocket(url, [], { native, fastOpen })],
  [
    'PQWebSocket over npm ws',
    (url: string, native: boolean, fastOpen: boolean) => new PQWebSocket(url, [], { native, fastOpen, headers: {} }),
  ],
  ['WebSocket of ws', (url: string, native: boolean, fastOpen: boolean) => new WebSocket(url, { native, fastOpen })],
] as const;

describe.skipIf(!isBuilt).each(CLIENTS)('%s', (_name, make) => {
  test.each([
    [true, true, false],
    [true, false, false],
    [false, true, false],
    [true, true, true],
  ])('native %s, at the server %s, fast open %s', async (ours, theirs, fastOpen) => {
    const { url, backends } = await startEcho(theirs);
    const socket = make(url, ours, fastOpen) as PQWebSocket;
    socket.binaryType = 'arraybuffer';
    const received: (string | ArrayBuffer)[] = [];
    const all = new Promise<void>((resolve, reject) => {
      socket.addEventListener('error', () => reject(socket.pq.failure ?? new Error('failed')));
      socket.addEventListener('message', ({ data }) => {
        if (received.push(data as string | ArrayBuffer) === 2 * SIZES.length) resolve();
      });
    });
    socket.addEventListener('open', () => {
      for (const size of SIZES) {
        socket.send(new Uint8Array(size).fill(size));
        socket.send('x'.repeat(size));
      }
    });
    await all;
    for (const [i, size] of SIZES.entries()) {
      const binary = received[2 * i] as ArrayBuffer;
      expect(binary.byteLength).toBe(size);
      expect(new Uint8Array(binary).every((byte) => byte === (size & 0xff))).toBe(true);
      expect(received[2 * i + 1]).toBe('x'.repeat(size));
    }
    expect(socket.pq.backend).toBe(ours ? 'native' : 'node');
    if (ours) expect(socket.pq.nativeKem).toBe(true);
    expect(backends[0]).toMatch(theirs ? /^native true$/ : /^node /);
    const closed = once(socket as unknown as EventTarget, 'close');
    socket.close(1000);
    await closed;
    expect(socket.pq.closeAnswered).toBe(true);
  });
});

test.each([['yes'], [1], [null]])('the option takes no %j', (native) => {
  expect(() => new PQWebSocket('ws://127.0.0.1:1', [], { native: native as never })).toThrow(
    /option 'native' must be a boolean/,
  );
  expect(() => new WebSocketServer({ noServer: true, native: native as never })).toThrow(/must be a boolean/);
});
