/** Buffers that are used again: never by two at a time, never with anything in them that the frame does not overwrite. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyShort } from '../../src/base/copy-short-node.ts';
import { giveFrameBack, hasHeadroom, isPooled, takeFrame } from '../../src/platform/node-frames/pool.ts';
import type { Padding } from '../../src/protocol/v1/padding.ts';
import { padTo } from '../../src/protocol/v1/padding.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import { blankFrame, composeFrame, parseInner } from '../../src/protocol/v1/record.ts';

const LARGE = 40_000;

describe('frame pool', () => {
  test('a frame that was given back is used again', () => {
    const { buffer } = takeFrame(LARGE);
    giveFrameBack(new Uint8Array(buffer));
    expect(takeFrame(LARGE).buffer).toBe(buffer);
  });

  test('a frame that is out is nobody else’s, and is given back once', () => {
    const frame = takeFrame(LARGE);
    expect(takeFrame(LARGE).buffer).not.toBe(frame.buffer);
    giveFrameBack(frame);
    giveFrameBack(frame);
    expect(takeFrame(LARGE).buffer).toBe(frame.buffer);
    expect(takeFrame(LARGE).buffer).not.toBe(frame.buffer);
  });

  test('memory that is not from here is never taken', () => {
    const foreign = new Uint8Array(LARGE);
    expect(isPooled(foreign)).toBe(false);
    giveFrameBack(foreign);
    expect(takeFrame(LARGE).buffer).not.toBe(foreign.buffer);
  });

  test('short frames share memory, never bytes, and each has its headroom', () => {
    const lengths = fc.array(fc.integer({ min: 29, max: 6_000 }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(lengths, (sizes) => {
        const frames = sizes.map((size) => takeFrame(size));
        for (const [index, frame] of frames.entries())
          new Uint8Array(frame.buffer, frame.byteOffset - 16, 16 + frame.length).fill(index + 1);
        for (const [index, frame] of frames.entries()) {
          expect([frame.length, frame.byteOffset % 4, hasHeadroom(frame), isPooled(frame)]).toEqual([
            sizes[index],
            0,
            true,
            false,
          ]);
          expect(
            new Uint8Array(frame.buffer, frame.byteOffset - 16, 16 + frame.length).every((byte) => byte === index + 1),
          ).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('memory that short frames share is never kept for large ones', () => {
    const short = takeFrame(100);
    giveFrameBack(short);
    giveFrameBack(new Uint8Array(short.buffer));
    expect(takeFrame(8_192).buffer).not.toBe(short.buffer);
  });

  test('memory that is used again never holds a content that is not sealed', () => {
    expect(isPooled(blankFrame(Kind.BINARY, LARGE, { takeFrame }))).toBe(true);
    expect(isPooled(composeFrame(Kind.BINARY, new Uint8Array(LARGE), { takeFrame }))).toBe(false);
  });

  test('what is kept is bounded, and the rest is given back at once', () => {
    const frames = Array.from({ length: 100 }, () => takeFrame(1_000_000));
    for (const frame of frames) giveFrameBack(frame);
    const kept = frames.filter(({ buffer }) => buffer.byteLength > 0);
    expect(kept.length).toBeLessThanOrEqual(2);
    const again = new Set(Array.from({ length: 100 }, () => takeFrame(1_000_000).buffer));
    expect(frames.filter(({ buffer }) => again.has(buffer))).toEqual(kept);
  });

  test('whatever stood in a buffer, a record has its content, its kind, and zeros', () => {
    const contents = fc.uint8Array({ minLength: 8_000, maxLength: 40_000, size: 'max' });
    fc.assert(
      fc.property(contents, fc.constantFrom<Padding[]>('off', 'padme', 1_000, 50_000), (content, padding) => {
        const dirty = takeFrame(60_000);
        dirty.fill(0xff);
        giveFrameBack(dirty);
        const frame = blankFrame(Kind.BINARY, content.length, { padded: padTo(padding), takeFrame });
        frame.set(content, 12);
        expect(parseInner(frame.subarray(12, -16))).toEqual({ kind: Kind.BINARY, content });
      }),
      { numRuns: 50 },
    );
  });
});

describe('copies of what waits to be sealed', () => {
  test('share memory, never bytes, and never that of a frame', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(lengths, (sizes) => {
        const given = sizes.map((size, index) => new Uint8Array(size).fill(index + 1));
        const copies = given.map((bytes) => copyShort(bytes));
        for (const bytes of given) bytes.fill(0);
        for (const [index, copy] of copies.entries()) {
          expect(copy.length).toBe(sizes[index]);
          expect(copy.every((byte) => byte === index + 1)).toBe(true);
          expect(hasHeadroom(copy)).toBe(false);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('one object sent to many is copied once, unless it has changed meanwhile', () => {
    const given = new Uint8Array(1_024).fill(1);
    const first = copyShort(given);
    expect(copyShort(given)).toBe(first);
    given[1_023] = 2;
    const second = copyShort(given);
    expect([first[1_023], second[1_023]]).toEqual([1, 2]);
    expect(second.buffer === first.buffer && second.byteOffset === first.byteOffset).toBe(false);
    const equal = new Uint8Array(given);
    expect(copyShort(equal)).not.toBe(second);
  });

  test('a detached or resized object is no longer what was copied', () => {
    const Resizable = ArrayBuffer as unknown as new (
      bytes: number,
      options: object,
    ) => ArrayBuffer & { resize(to: number): void };
    const buffer = new Resizable(64, { maxByteLength: 128 });
    const tracking = new Uint8Array(buffer);
    const copy = copyShort(tracking);
    buffer.resize(32);
    expect([copy.length, copyShort(tracking).length]).toEqual([64, 32]);
    structuredClone(buffer, { transfer: [buffer] });
    // As a copy to memory of its own.
    expect(() => copyShort(tracking)).toThrow(TypeError);
  });

  test('a message that waits keeps at most as much beside it alive as a short frame does', () => {
    for (const size of [1, 2_048, 2_049, 16_384])
      expect(copyShort(new Uint8Array(size)).buffer.byteLength).toBeLessThanOrEqual(Math.max(8_192, size));
  });
});
