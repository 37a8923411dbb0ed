import { PassThrough } from 'node:stream';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OPCODE, encodeFrame } from './frames.ts';
import type { Frame } from './frames.ts';
import { TapDirection } from './tap-direction.ts';

const HEAD = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n');

interface Rig {
  readonly direction: TapDirection;
  readonly frames: Frame[];
  feed(chunk: Uint8Array): void;
  passed(): Buffer;
}

/** A server's direction between two streams that pass bytes on at once. */
function rig(hooked: () => boolean): Rig {
  const source = new PassThrough({ highWaterMark: 1 << 24 });
  const sink = new PassThrough({ highWaterMark: 1 << 24 });
  const frames: Frame[] = [];
  const record = (frame: Frame) => {
    frames.push(frame);
    return 'forward' as const;
  };
  const direction = new TapDirection(source as unknown as Socket, sink as unknown as Socket, false, record, hooked);
  direction.onHead = () => {
    direction.startBody(true);
  };
  return {
    direction,
    frames,
    feed: (chunk) => {
      source.emit('data', Buffer.from(chunk));
    },
    passed: () => (sink.read() as Buffer | null) ?? Buffer.alloc(0),
  };
}

const payloads = fc.array(fc.uint8Array({ maxLength: 300, size: 'max' }), { minLength: 1, maxLength: 5 });
/** Chunk lengths, each with whether a hook is there when the chunk comes. */
const chunks = fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), fc.boolean()), { minLength: 1, maxLength: 40 });

test('bytes pass unchanged and frames are decoded, however they are cut and whenever a hook comes or goes', () => {
  fc.assert(
    fc.property(payloads, chunks, (messages, cuts) => {
      let hooked = false;
      const { frames, feed, passed } = rig(() => hooked);
      const wire = Buffer.concat([HEAD, ...messages.map((message) => encodeFrame(OPCODE.binary, message, false))]);
      let at = 0;
      for (const [length, hook] of cuts) {
        hooked = hook;
        if (at < wire.length) feed(wire.subarray(at, at + length));
        at += length;
      }
      if (at < wire.length) feed(wire.subarray(at));
      expect(passed().equals(wire)).toBe(true);
      expect(frames.map((frame) => Buffer.from(frame.payload))).toEqual(
        messages.map((message) => Buffer.from(message)),
      );
    }),
  );
});

test('an injected frame waits for the end of one that has begun', () => {
  const { direction, feed, passed } = rig(() => false);
  const frame = encodeFrame(OPCODE.binary, Buffer.alloc(10, 1), false);
  feed(Buffer.concat([HEAD, frame.subarray(0, 5)]));
  direction.inject(OPCODE.text, Buffer.from('x'), true);
  expect(passed().equals(Buffer.concat([HEAD, frame.subarray(0, 5)]))).toBe(true);
  feed(frame.subarray(5));
  expect(passed().equals(Buffer.concat([frame.subarray(5), encodeFrame(OPCODE.text, Buffer.from('x'), false)]))).toBe(
    true,
  );
});

test('a hook sees a frame whose beginning has passed, and cannot change it', () => {
  let hooked = false;
  const { frames, feed, passed } = rig(() => hooked);
  const frame = encodeFrame(OPCODE.binary, Buffer.alloc(10, 1), false);
  feed(Buffer.concat([HEAD, frame.subarray(0, 5)]));
  hooked = true;
  feed(frame.subarray(5));
  expect(passed().equals(Buffer.concat([HEAD, frame]))).toBe(true);
  expect(frames).toHaveLength(1);
});
