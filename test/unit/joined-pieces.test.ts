/** Memory that npm `ws` has read from, given back early: never what somebody was given a view of, or what `ws` still has to read. */
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { PassThrough } from 'node:stream';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextTask } from '../support/endpoints.ts';
import { encodeFrame, OPCODE } from '../support/frames.ts';
import { giveBackJoined } from '../../src/platform/node-frames/pieces.ts';
import { countBytes, readsAlone } from '../../src/platform/node-frames/read.ts';

const require = createRequire(import.meta.url);

type MakeReceiver = (more?: object) => Writable;

/** @param args what it was made with before it took options */
function receiverOf(module: string, ...args: unknown[]): MakeReceiver {
  const { Receiver } = require(module) as { Receiver: new (...args: unknown[]) => Writable };
  return (more) => new Receiver(...(args.length > 0 ? args : [{ isServer: true, maxPayload: 0, ...more }]));
}

const RECEIVERS = [
  ['ws 6', receiverOf('ws-6', 'nodebuffer', {}, 0)],
  ['ws 7', receiverOf('ws-7', 'nodebuffer', {}, true, 0)],
  ['ws 8.0', receiverOf('ws-8.0', 'nodebuffer', {}, true, 0)],
  ['ws', receiverOf('ws')],
] as const;

const make = RECEIVERS[3][1];

interface Frame {
  readonly opcode: number;
  readonly length: number;
  readonly isFinal?: boolean;
}

/** Of a payload that counts up from a byte of its own; of a text, letters. */
function encode({ opcode, length, isFinal = true }: Frame, seed = 0): Uint8Array {
  const payload = new Uint8Array(length).map((_, i) => (opcode === OPCODE.text ? 97 + (i % 26) : (seed + i) & 0xff));
  return encodeFrame(opcode, payload, true, isFinal);
}

/** As the network delivers: each piece in memory of its own. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieces.at(-1)?.length ?? 0) {
    const part = bytes.subarray(at, at + (sizes[pieces.length % sizes.length] as number));
    const piece = Buffer.from(new ArrayBuffer(part.length));
    piece.set(part);
    pieces.push(piece);
  }
  return pieces;
}

interface End {
  readonly network: Socket;
  readonly receiver: Writable;
  /** What was delivered, as it was then and in the memory that it was delivered in. */
  readonly said: string[];
  readonly data: Buffer[];
}

/** A socket as `ws` has it, which has its memory given back from the first message on. */
function end(receiver: Writable, givesBack = true): End {
  const network = new Socket();
  network.on('data', (piece) => receiver.write(piece));
  const said: string[] = [];
  const data: Buffer[] = [];
  const ws = Object.assign(receiver, { _socket: network, _receiver: receiver });
  let delivered: ((data: unknown) => void) | undefined;
  for (const event of ['message', 'ping', 'pong', 'error']) {
    receiver.on(event, (value: Buffer | string | Error) => {
      if (event === 'message' && givesBack) {
        delivered ??= giveBackJoined(ws, value);
        delivered?.(value);
      }
      said.push(`${event} ${value instanceof Error ? value.message : value.toString('latin1')}`);
      if (Buffer.isBuffer(value)) data.push(value);
    });
  }
  return { network, receiver, said, data };
}

/** More than Node takes from memory that it shares out. */
const FIRST_BYTES = 40_000;

/** Has the memory of all that follows given back where it may. */
function started(receiver = make()): End {
  const all = end(receiver);
  send(all, [{ opcode: OPCODE.binary, length: FIRST_BYTES }], [30_000]);
  all.data.length = all.said.length = 0;
  return all;
}

function send({ network }: End, frames: readonly Frame[], sizes: readonly number[]): Buffer[] {
  const pieces = cut(Buffer.concat(frames.map((frame, i) => encode(frame, i))), sizes);
  for (const piece of pieces) network.emit('data', piece);
  return pieces;
}

const joined = (): Uint8Array => new Uint8Array(FIRST_BYTES);
const isFree = ({ length }: Buffer): boolean => length === 0;
const LARGE = { opcode: OPCODE.binary, length: 100_000 };

const length = fc.oneof(
  fc.constantFrom(0, 1, 125, 126, 32_768, 65_535, 65_536, 100_000, 300_001),
  fc.integer({ min: 0, max: 70_000 }),
);
const control = fc
  .tuple(fc.constantFrom(OPCODE.ping, OPCODE.pong), fc.integer({ min: 0, max: 125 }))
  .map(([opcode, bytes]): Frame => ({ opcode, length: bytes }));
const message: fc.Arbitrary<Frame[]> = fc.oneof(
  { weight: 6, arbitrary: length.map((bytes): Frame[] => [{ opcode: OPCODE.binary, length: bytes }]) },
  { weight: 1, arbitrary: length.map((bytes): Frame[] => [{ opcode: OPCODE.text, length: bytes }]) },
  { weight: 1, arbitrary: control.map((frame) => [frame]) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(length, control, length, length)
      .map(([first, between, second, third]): Frame[] => [
        { opcode: OPCODE.binary, length: first, isFinal: false },
        between,
        { opcode: OPCODE.continuation, length: second, isFinal: false },
        { opcode: OPCODE.continuation, length: third },
      ]),
  },
);
/** Where a cut falls together with a frame's end, the piece itself is what `ws` delivers. */
const sizes = fc.array(fc.oneof(fc.constantFrom(65_536, 8_192, 65_550, 16), fc.integer({ min: 500, max: 100_000 })), {
  minLength: 1,
  maxLength: 4,
});

describe.each(RECEIVERS)('%s', (_name, makeReceiver) => {
  test('says what it says by itself, and nothing of it is taken away, however the network cuts it', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 6 }), sizes, (messages, pieceSizes) => {
        const ends = [true, false].map((givesBack) => end(makeReceiver(), givesBack)) as [End, End];
        const stream = Buffer.concat(messages.flat().map((frame, i) => encode(frame, i)));
        for (const all of ends) for (const piece of cut(stream, pieceSizes)) all.network.emit('data', piece);
        const [watched, alone] = ends.map(({ said, data }) => ({
          said,
          data: data.map((bytes) => bytes.toString('latin1')),
        }));
        expect(watched).toEqual(alone);
      }),
      { numRuns: 100 },
    );
  });

  test('pieces that it has joined are given back, those in which one message ends and the next begins too', () => {
    const all = started(makeReceiver());
    const pieces = send(all, [LARGE, LARGE, LARGE], [35_000]);
    expect(pieces.map(isFree)).toEqual([...Array.from({ length: 8 }, () => true), false]);
    expect(all.data.map((bytes) => bytes.length)).toEqual([100_000, 100_000, 100_000]);
  });
});

describe('not given back', () => {
  test.each([
    ['a short message', { opcode: OPCODE.binary, length: 100 }],
    ['a text', { opcode: OPCODE.text, length: 100 }],
    ['a ping', { opcode: OPCODE.ping, length: 100 }],
    ['a pong', { opcode: OPCODE.pong, length: 100 }],
  ])('is memory that %s stands in', (_title, between) => {
    const all = started();
    const pieces = send(all, [LARGE, between, LARGE], [65_536]);
    expect(pieces.map(isFree)).toEqual([true, false, true, false]);
    expect(
      all.data[1]?.every((byte, i) => byte === (between.opcode === OPCODE.text ? 97 + (i % 26) : (1 + i) & 0xff)),
    ).toBe(true);
  });

  test.each<[string, (network: Socket) => void]>([
    ['listens to the network', (network) => network.on('data', () => undefined)],
    ['has listened once, and before us', (network) => network.prependOnceListener('data', () => undefined)],
    ['reads from the network', (network) => network.on('readable', () => undefined)],
  ])('is anything once another %s', (_title, listen) => {
    const all = started();
    listen(all.network);
    expect(send(all, [LARGE, LARGE], [35_000]).some(isFree)).toBe(false);
    expect(all.data.map((bytes) => bytes.length)).toEqual([100_000, 100_000]);
  });

  test('is the piece that ends with a message: ws has it no more, and we keep nothing longer', () => {
    const all = started();
    const pieces = send(all, [LARGE, LARGE], [50_007]);
    expect(pieces.map(isFree)).toEqual([true, false, true, false]);
  });

  test('are pieces of a fragment that ws has read long before the message is there: nothing is kept until then', () => {
    const all = started();
    const fragment = { opcode: OPCODE.binary, length: 100_000, isFinal: false };
    const frames = [
      fragment,
      { ...fragment, opcode: OPCODE.continuation },
      { opcode: OPCODE.continuation, length: 100_000 },
    ];
    const pieces = send(all, frames, [40_000]);
    expect(all.data.map((bytes) => bytes.length)).toEqual([300_000]);
    expect(pieces.map(isFree)).toEqual([false, false, false, false, false, true, true, false]);
  });

  test('is anything once a piece has come while another was worked off', () => {
    const all = started();
    const frames = [LARGE, { opcode: OPCODE.ping, length: 100 }, LARGE];
    const stream = Buffer.concat(frames.map((frame) => encode(frame)));
    const [first, second, third, fourth] = cut(stream, [50_000, 50_015, 40_000, 70_000]);
    // As one who reads from the network in a listener has it.
    let isNested = false;
    all.receiver.on('message', () => {
      if (!isNested) all.network.emit('data', third);
      isNested = true;
    });
    for (const piece of [first, second, fourth]) all.network.emit('data', piece);
    expect(all.data.map((bytes) => bytes.length)).toEqual([100_000, 100, 100_000]);
    expect(all.data[1]?.every((byte, i) => byte === (i & 0xff))).toBe(true);
  });

  test('is anything once our own listener was taken off, and put back behind a message that another heard', () => {
    const all = started();
    const pieces = cut(Buffer.concat([encode(LARGE), encode(LARGE)]), [100_114, 50_000]);
    const ours = all.receiver.listeners('message') as (() => void)[];
    all.receiver.removeAllListeners('message');
    const heard: Buffer[] = [];
    const other = (message: Buffer): void => void heard.push(message);
    all.receiver.on('message', other);
    all.network.emit('data', pieces[0]);
    all.receiver.off('message', other);
    for (const listener of ours) all.receiver.on('message', listener);
    for (const piece of pieces.slice(1)) all.network.emit('data', piece);
    expect([...heard, ...all.data].map((message) => message.length)).toEqual([100_000, 100_000]);
  });

  test('is anything twice: one who asks a second time is told nothing', () => {
    const { receiver, network } = started();
    expect(giveBackJoined(receiver, joined())).toBeUndefined();
    expect(network.listenerCount('data')).toBe(3);
  });

  test('is anything of a ws that does not say how much it has still to read', () => {
    const all = end(make());
    const ws = { ...all.receiver, _socket: all.network, _receiver: {} };
    expect(giveBackJoined(ws, joined())).toBeUndefined();
    expect(all.network.listenerCount('data')).toBe(1);
  });

  test.each(['data', 'readable'])('is anything where another listens to %s already', (event) => {
    const { network, receiver } = end(make());
    network.on(event, () => undefined);
    expect(giveBackJoined(receiver, joined())).toBeUndefined();
  });

  test.each(['string', 'parts', 'ArrayBuffer'])(
    'is anything of which ws makes what we do not look at: a %s',
    (kind) => {
      const all = started();
      const pieces = cut(Buffer.concat([encode(LARGE), encode(LARGE)]), [35_000]);
      const emit = all.receiver.emit.bind(all.receiver) as (event: string, ...args: unknown[]) => boolean;
      all.receiver.emit = (event: string, ...args: unknown[]): boolean => {
        const [value, ...more] = args as [Buffer, ...unknown[]];
        if (event !== 'message') return emit(event, ...args);
        const parts = [value.subarray(0, 1), value.subarray(1)];
        const other = kind === 'string' ? value.toString('latin1') : kind === 'parts' ? parts : value.buffer;
        return emit(event, other, ...more);
      };
      for (const piece of pieces) all.network.emit('data', piece);
      expect(pieces.some(isFree)).toBe(false);
    },
  );

  test.each(['ping', 'pong'])('is anything once a %s could come without our hearing of it', (event) => {
    const all = started();
    all.receiver.removeAllListeners(event);
    expect(send(all, [LARGE, LARGE], [35_000]).some(isFree)).toBe(false);
  });

  test('is what a receiver that delivers later has not read', async () => {
    const receiver = make({ allowSynchronousEvents: false });
    const all = started(receiver);
    const heard = async (count: number): Promise<void> => {
      while (all.said.length < count) await nextTask();
    };
    await heard(1);
    const pieces = send(all, [LARGE, LARGE, LARGE], [35_000]);
    await heard(4);
    expect(pieces.some(isFree)).toBe(false);
    expect(all.data.map((bytes) => bytes.length)).toEqual([FIRST_BYTES, 100_000, 100_000, 100_000]);
    // It is left alone from then on.
    expect([all.network.listenerCount('data'), receiver.listenerCount('ping')]).toEqual([1, 1]);
  });

  test('is part of memory that others use', () => {
    const all = started();
    const around = new Uint8Array(250_000);
    around.set(encode(LARGE), 1);
    for (const at of [1, 40_000, 80_000]) {
      all.network.emit('data', Buffer.from(around.buffer, at, (at === 1 ? 40_000 : at + 40_000) - at));
    }
    expect([all.data.map((bytes) => bytes.length), around.length]).toEqual([[100_000], 250_000]);
  });

  test('is a fragment that is the whole message', () => {
    const all = started();
    const frames = [
      { opcode: OPCODE.binary, length: 65_550, isFinal: false },
      { opcode: OPCODE.continuation, length: 0, isFinal: false },
      { opcode: OPCODE.continuation, length: 0 },
    ];
    // The payload is a piece, and what is delivered.
    const pieces = send(all, frames, [14, 65_550, 3, 100]);
    expect(pieces.map((piece) => piece.length)).toEqual([14, 65_550, 3, 9]);
    expect(all.data.map((bytes) => bytes.length)).toEqual([65_550]);
  });

  test('is a fragment that is the whole message, in a piece with what follows it', () => {
    const all = started();
    const frames = [
      { opcode: OPCODE.binary, length: 60_000, isFinal: false },
      { opcode: OPCODE.continuation, length: 0 },
      LARGE,
    ];
    const pieces = send(all, frames, [8 + 60_000 + 1, 35_000]);
    expect(pieces.map(isFree)).toEqual([false, true, true, false]);
    expect(all.data.map((bytes) => bytes.length)).toEqual([60_000, 100_000]);
  });

  test('is a piece that is the whole message', () => {
    const all = started();
    const pieces = send(all, [LARGE, LARGE], [14, 100_000, 14, 60_000]);
    expect(pieces.map(isFree)).toEqual([false, false, false, true, false, false]);
    expect(all.data.map((bytes) => bytes.length)).toEqual([100_000, 100_000]);
  });

  test('is a fragment, while a ping between it and the next is shown', () => {
    const all = started();
    const ping = { opcode: OPCODE.ping, length: 100 };
    const fragment = { opcode: OPCODE.binary, length: 50_000, isFinal: false };
    const pieces = send(all, [fragment, ping, { opcode: OPCODE.continuation, length: 50_000 }], [50_124, 20_000]);
    expect(all.data.map((bytes) => bytes.length)).toEqual([100, 100_000]);
    expect(all.data[0]?.every((byte, i) => byte === ((1 + i) & 0xff))).toBe(true);
    expect(pieces.map(isFree)).toEqual([false, true, false]);
  });

  test('is what comes when ws reads no more, and we listen no more', () => {
    const all = started();
    const [, wsListener] = all.network.listeners('data') as [unknown, () => void];
    all.network.off('data', wsListener);
    expect(send(all, [LARGE], [35_000]).some(isFree)).toBe(false);
    expect([all.network.listenerCount('data'), all.receiver.listenerCount('ping')]).toEqual([0, 1]);
  });

  test.each([
    ['is short', new Uint8Array(8_191)],
    ['is a view of a piece', new Uint8Array(20_000).subarray(1)],
    ['is text', 'x'.repeat(20_000)],
  ])('is anything while what ws delivers %s', (_title, message) => {
    const { network, receiver } = end(make());
    expect([giveBackJoined(receiver, message), network.listenerCount('data')]).toEqual([undefined, 1]);
    expect(giveBackJoined(receiver, joined())).toBeDefined();
  });

  test('is what a stream has handed on that is not the network', () => {
    const stream = new PassThrough().on('data', () => undefined);
    const others = [{ _socket: stream, _receiver: { _bufferedBytes: 0 } }, { _socket: null }, {}];
    expect(others.map((ws) => giveBackJoined(ws, joined()))).toEqual([undefined, undefined, undefined]);
  });
});

test('who counts bytes from now on is no reason to end it', () => {
  const all = started();
  const counted: number[] = [];
  countBytes(all.network, (bytes) => counted.push(bytes));
  const pieces = send(all, [LARGE, LARGE], [35_000]);
  expect(pieces.map(isFree)).toEqual([true, true, true, true, true, false]);
  expect(counted).toEqual([35_000, 35_000, 35_000, 35_000, 35_000, 2 * 100_014 - 5 * 35_000]);
});

test('that we listen is no reason to leave frames as they are, and that another does still is', () => {
  const { network, receiver } = started();
  expect([network.listenerCount('data'), readsAlone(receiver)]).toEqual([3, true]);
  network.on('data', () => undefined);
  expect(readsAlone(receiver)).toBe(false);
});
