/** What we write beneath npm `ws`, read by npm `ws` itself; and where it has to write instead. */
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { free } from '../../src/base/free.ts';
import type { RandomSource } from '../../src/crypto/backend.ts';
import { countBytes, readsAlone } from '../../src/platform/node-frames/read.ts';
import {
  joinFrames,
  PlainGatherer,
  writeFrame,
  writeJoined,
  writePlain,
} from '../../src/platform/node-frames/write.ts';
import { giveFrameBack, isPooled, takeFrame } from '../../src/platform/node-frames/pool.ts';

const OPEN = 1;
const random: RandomSource = (target) => randomFillSync(target);

let listener: WebSocketServer;
let client: WebSocket;
let server: WebSocket;

beforeAll(async () => {
  listener = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(listener, 'listening');
  client = new WebSocket(`ws://127.0.0.1:${(listener.address() as AddressInfo).port}`, { perMessageDeflate: false });
  [server] = (await once(listener, 'connection')) as [WebSocket];
  await once(client, 'open');
});

afterAll(() => {
  client.terminate();
  listener.close();
});

function frameOf(bytes: Uint8Array): Uint8Array {
  const frame = takeFrame(bytes.length);
  frame.set(bytes);
  return frame;
}

/** Each length of RFC 6455 5.2 at its borders, what is masked by bytes and by words, and the frame pool's. */
const LENGTHS = [
  29, 124, 125, 126, 127, 191, 192, 193, 194, 195, 196, 4_079, 4_080, 4_081, 8_191, 8_192, 65_535, 65_536, 65_537,
  300_001,
];

describe.each(['client', 'server'] as const)('a %s', (role) => {
  const ends = (): [from: WebSocket, to: WebSocket] => (role === 'client' ? [client, server] : [server, client]);

  test.each(LENGTHS)('writes %i bytes, and the other npm ws reads them', async (length) => {
    const [from, to] = ends();
    const sent = crypto.getRandomValues(new Uint8Array(Math.min(length, 65_536)));
    const bytes = Buffer.alloc(length, sent);
    const received = once(to, 'message');
    const taken = new Promise<Error | undefined>((resolve) => {
      expect(writeFrame(from, frameOf(bytes), random, resolve)).toBe(true);
    });
    const [data, isBinary] = (await received) as [Buffer, boolean];
    expect(isBinary).toBe(true);
    expect(data.equals(bytes)).toBe(true);
    expect(await taken).toBeUndefined();
  });

  test('many at once, among what ws itself sends, arrive in order', async () => {
    const [from, to] = ends();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 2_000 })), {
          minLength: 1,
          maxLength: 30,
        }),
        async (sends) => {
          const received: Buffer[] = [];
          const all = new Promise<void>((resolve) => {
            const onMessage = (data: Buffer): void => {
              received.push(data);
              if (received.length < sends.length) return;
              to.off('message', onMessage);
              resolve();
            };
            to.on('message', onMessage);
          });
          for (const [ours, bytes] of sends) {
            if (ours) expect(writeFrame(from, frameOf(bytes), random)).toBe(true);
            else from.send(bytes);
          }
          await all;
          expect(received.map((data) => data.toString('hex'))).toEqual(
            sends.map(([, bytes]) => Buffer.from(bytes).toString('hex')),
          );
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe.each(['client', 'server'] as const)('in plain, a %s', (role) => {
  test('writes whatever stands wherever in memory, and the other npm ws reads it', async () => {
    const [from, to] = role === 'client' ? [client, server] : [server, client];
    const messages = fc.array(
      fc.tuple(
        fc.boolean(),
        fc.integer({ min: 0, max: 9 }),
        fc.oneof(fc.string({ maxLength: 200 }), fc.constantFrom('', 'x', 'xy', 'xyz'), fc.constant('x'.repeat(70_001))),
      ),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(messages, async (sends) => {
        const received: [string, boolean][] = [];
        const all = new Promise<void>((resolve) => {
          const onMessage = (data: Buffer, isBinary: boolean): void => {
            received.push([data.toString(), isBinary]);
            if (received.length < sends.length) return;
            to.off('message', onMessage);
            resolve();
          };
          to.on('message', onMessage);
        });
        for (const [isBinary, offset, text] of sends) {
          const memory = Buffer.from(' '.repeat(offset) + text);
          expect(writePlain(from, memory.subarray(offset), isBinary, random)).toBe(true);
        }
        await all;
        expect(received).toEqual(sends.map(([isBinary, , text]) => [text, isBinary]));
      }),
      { numRuns: 60 },
    );
  });
});

/** A socket as `ws` has it, whose network keeps what is written. */
function pretend(
  isServer: boolean,
  more: object = {},
): { ws: object; written: Uint8Array[]; callbacks: ((error?: Error) => void)[] } {
  const network = new Socket();
  const written: Uint8Array[] = [];
  const callbacks: ((error?: Error) => void)[] = [];
  network.write = (bytes: Uint8Array | string, done?: unknown): boolean => {
    written.push(bytes as Uint8Array);
    if (typeof done === 'function') callbacks.push(done as () => void);
    return true;
  };
  return {
    ws: {
      readyState: OPEN,
      _isServer: isServer,
      _socket: network,
      _sender: { _state: 0, _generateMask: undefined },
      ...more,
    },
    written,
    callbacks,
  };
}

test('every frame of a client has a mask of its own, from the source of randomness (RFC 6455 5.3)', () => {
  const { ws, written } = pretend(false);
  let drawn = 0;
  const counting: RandomSource = (target) => target.fill((drawn += 1));
  for (let i = 0; i < 3; i += 1) writeFrame(ws, frameOf(new Uint8Array(40)), counting);
  // Of zeros, every byte is the mask's.
  expect(written.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(
    [1, 2, 3].map((mask) => `82a8${`0${mask}`.repeat(44)}`),
  );
});

test('what masks faster does it for long messages of a client, alone and gathered', () => {
  const { ws } = pretend(false);
  const masked: number[] = [];
  const mask = (payload: Uint8Array): number => masked.push(payload.length);
  const gatherer = new PlainGatherer(ws, random, () => mask);
  for (const length of [100, 500, 20_000]) {
    writePlain(ws, new Uint8Array(length), true, random, mask);
    gatherer.write(new Uint8Array(length), true);
  }
  expect(masked).toEqual([500, 500, 20_000, 20_000]);
});

test('a server masks nothing', () => {
  const { ws, written } = pretend(true);
  writeFrame(ws, frameOf(new Uint8Array(40).fill(7)), () => expect.unreachable());
  expect(Buffer.from(written[0] as Uint8Array).toString('hex')).toBe(`8228${'07'.repeat(40)}`);
});

test('memory is given back when the network has taken it, and not before', () => {
  const { ws, callbacks } = pretend(true);
  const frame = takeFrame(40_000);
  writeFrame(ws, frame, random);
  expect(isPooled(frame)).toBe(true);
  callbacks[0]?.();
  expect(isPooled(frame)).toBe(false);
});

test('the memory of a plain message is given back when the network has taken it, where it is the message alone', () => {
  const { ws, callbacks } = pretend(true);
  const [alone, part] = [new Uint8Array(20_000), new Uint8Array(20_001).subarray(1)];
  for (const message of [alone, part]) writePlain(ws, message, true, random);
  expect([alone.length, callbacks.length]).toEqual([20_000, 1]);
  callbacks[0]?.();
  expect([alone.length, part.length]).toEqual([0, 20_000]);
});

test('what the network says of a failure is passed on', () => {
  const { ws, callbacks } = pretend(true);
  const errors: unknown[] = [];
  writeFrame(ws, frameOf(new Uint8Array(40)), random, (error) => errors.push(error));
  const cause = new Error('gone');
  callbacks[0]?.(cause);
  expect(errors).toEqual([cause]);
});

describe('ws has to write', () => {
  class Derived extends Socket {}
  test.each<[string, object]>([
    ['over a stream that is not the network', { _socket: new PassThrough() }],
    ['over a class of somebody’s own', { _socket: new Derived() }],
    ['without a network', { _socket: null }],
    ['while it deflates or reads a Blob', { _sender: { _state: 1, _generateMask: undefined } }],
    ['where the application makes the masks', { _sender: { _state: 0, _generateMask: () => undefined } }],
    ['where it is no npm ws', { _sender: undefined }],
    ['where its role is not known', { _isServer: undefined }],
    ['when it is closing', { readyState: 2 }],
  ])('%s', (_title, more) => {
    const { ws, written } = pretend(false, more);
    const frame = frameOf(new Uint8Array(40).fill(7));
    expect([writeFrame(ws, frame, random), writePlain(ws, frame, true, random)]).toEqual([false, false]);
    expect(written).toEqual([]);
    expect(frame).toEqual(new Uint8Array(40).fill(7));
  });

  test('a frame without room in front of it', () => {
    const { ws, written } = pretend(false);
    expect(writeFrame(ws, new Uint8Array(60).subarray(16), random)).toBe(false);
    const returned = takeFrame(40_000);
    giveFrameBack(returned);
    expect(writeFrame(ws, returned, random)).toBe(false);
    expect(written).toEqual([]);
  });
});

describe('in one write', () => {
  const networkOf = (ws: object): Socket => (ws as { _socket: Socket })._socket;

  test('goes what is sent until the turn is over, with all microtasks that come of it', async () => {
    const { ws } = pretend(true);
    const network = networkOf(ws);
    const corked: number[] = [];
    const look = (): number => corked.push(network.writableCorked);
    joinFrames(ws);
    joinFrames(ws);
    look();
    for (let i = 0; i < 5; i += 1) {
      await Promise.resolve();
      look();
    }
    await new Promise(setImmediate);
    look();
    expect(corked).toEqual([1, 1, 1, 1, 1, 1, 0]);
  });

  test('or what waits goes now', () => {
    const { ws } = pretend(true);
    joinFrames(ws);
    writeJoined(ws);
    expect(networkOf(ws).writableCorked).toBe(0);
  });

  test('nothing is held back where the network is not known', () => {
    const stream = new PassThrough();
    joinFrames({ _socket: stream });
    expect(stream.writableCorked).toBe(0);
    stream.cork();
    writeJoined({ _socket: stream });
    expect(stream.writableCorked).toBe(1);
  });
});

describe('what is read may be overwritten', () => {
  const inside = (ws: WebSocket): { _socket: Socket } => ws as unknown as { _socket: Socket };

  test.each(['client', 'server'] as const)('at a %s, while nobody else listens to its network', (role) => {
    const ws = role === 'client' ? client : server;
    const listen = (): void => undefined;
    expect(readsAlone(ws)).toBe(true);
    inside(ws)._socket.on('data', listen);
    expect(readsAlone(ws)).toBe(false);
    inside(ws)._socket.off('data', listen);
    expect(readsAlone(ws)).toBe(true);
  });

  test.each(['client', 'server'] as const)('at a %s, though its bytes are counted', async (role) => {
    const [ws, peer] = role === 'client' ? [client, server] : [server, client];
    const { _socket: network } = inside(ws);
    const counted: number[] = [];
    countBytes(network, (bytes) => counted.push(bytes));
    expect(readsAlone(ws)).toBe(true);
    const said = once(ws, 'message');
    peer.send('counted');
    await said;
    const headerBytes = role === 'client' ? 2 : 6;
    expect(counted).toEqual([headerBytes + 'counted'.length]);
    const listen = (): void => undefined;
    network.on('data', listen);
    expect(readsAlone(ws)).toBe(false);
    network.off('data', listen);
    expect(readsAlone(ws)).toBe(true);
  });

  test('bytes are counted that are given back before they could be', () => {
    const network = new Socket();
    const counted: number[] = [];
    network.on('data', (piece) => free(piece));
    countBytes(network, (bytes) => counted.push(bytes));
    network.emit('data', Buffer.from(new ArrayBuffer(40_000)));
    expect(counted).toEqual([40_000]);
  });

  test('a listener is not taken for one that counted before it', () => {
    const network = new Socket();
    const ws = { _socket: network };
    const read = (): void => undefined;
    network.on('data', read);
    countBytes(network, () => undefined);
    expect(readsAlone(ws)).toBe(true);
    network
      .removeAllListeners('data')
      .on('data', read)
      .on('data', () => undefined);
    expect(readsAlone(ws)).toBe(false);
  });

  test('not over a stream that may keep what it handed on', () => {
    const stream = new PassThrough().on('data', () => undefined);
    expect([readsAlone({ _socket: stream }), readsAlone({ _socket: null }), readsAlone({})]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
