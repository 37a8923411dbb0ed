/** A batch that is taken apart as it is told of is the batch that is taken apart at once: the same messages, the same refusals. */
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/protocol/errors.ts';
import { Batch } from '../../src/protocol/v1/batch.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import { MAX_BATCH_BYTES, parseBatch, writeBatchEntry } from '../../src/protocol/v1/record.ts';
import type { MessageKind } from '../../src/protocol/v1/record.ts';

type Entry = readonly [kind: MessageKind, payload: Uint8Array];

function contentOf(entries: readonly Entry[]): Uint8Array {
  const content = new Uint8Array(entries.reduce((length, [, payload]) => length + 5 + payload.length, 0));
  let at = 0;
  for (const [kind, payload] of entries) {
    writeBatchEntry(content, at, kind, payload);
    at += 5 + payload.length;
  }
  return content;
}

/** What is taken out, or the code of the refusal. */
function outcome(read: () => readonly Entry[]): readonly Entry[] | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

function atOnce(content: Uint8Array, maxPayload: number): readonly Entry[] {
  return parseBatch(content, (kind, payload) => {
    if (payload.length > maxPayload) throw new Refusal('PQ_ERR_MESSAGE_SIZE');
    if (kind === Kind.TEXT && !isUtf8(payload)) throw new Refusal('PQ_ERR_UTF8');
    return [kind, payload] as const;
  });
}

function oneByOne(content: Uint8Array, maxPayload: number): readonly Entry[] {
  const batch = new Batch(content, maxPayload, isUtf8);
  const entries: Entry[] = [];
  while (batch.left > 0) {
    const kind = batch.isText ? Kind.TEXT : Kind.BINARY;
    entries.push([kind, batch.take()]);
  }
  return entries;
}

const text = fc.string({ unit: 'binary', maxLength: 100 }).map((words): Entry => [Kind.TEXT, Buffer.from(words)]);
const anything = fc
  .tuple(fc.constantFrom(Kind.TEXT, Kind.BINARY), fc.uint8Array({ maxLength: 100 }))
  .map(([kind, bytes]): Entry => [kind, Buffer.from(bytes)]);
const good = fc.array(
  fc.oneof(
    text,
    anything.map(([, bytes]): Entry => [Kind.BINARY, bytes]),
  ),
  { minLength: 1, maxLength: 20 },
);
const RUNS = { numRuns: 500 };

function same(content: Uint8Array, maxPayload: number): readonly Entry[] | string {
  const bytes = Buffer.from(content);
  const wanted = outcome(() => atOnce(bytes, maxPayload));
  expect(outcome(() => oneByOne(bytes, maxPayload))).toEqual(wanted);
  return wanted;
}

describe('is as one that is taken apart at once', () => {
  test('where it is well-formed', () => {
    fc.assert(
      fc.property(good, (entries) => {
        expect(same(contentOf(entries), 1_000)).toEqual(entries);
      }),
      RUNS,
    );
  });

  test('where texts are none, or messages too long', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(anything, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 100 }),
        (entries, most) => {
          const told = same(contentOf(entries), most);
          seen.add(typeof told === 'string' ? told : 'messages');
        },
      ),
      RUNS,
    );
    expect([...seen].sort()).toEqual(['PQ_ERR_MESSAGE_SIZE', 'PQ_ERR_UTF8', 'messages']);
  });

  test('where bytes are changed, cut off or left over', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        good,
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: -7, max: 7 }),
        (entries, where, byte, longer) => {
          const content = contentOf(entries);
          content[where % content.length] = byte;
          const bytes = new Uint8Array(Math.max(0, content.length + longer));
          bytes.set(content.subarray(0, bytes.length));
          const told = same(bytes, 60);
          seen.add(typeof told === 'string' ? told : 'messages');
        },
      ),
      RUNS,
    );
    expect(seen).toContain('PQ_ERR_BATCH');
  });

  test('where it is noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (noise) => {
        same(noise, 1_000);
      }),
      RUNS,
    );
  });
});

test.each([
  [MAX_BATCH_BYTES + 1, 'PQ_ERR_BATCH'],
  [0, 'PQ_ERR_BATCH'],
])('%i bytes are %s', (length, code) => {
  const content = length === 0 ? new Uint8Array(0) : contentOf([[Kind.BINARY, new Uint8Array(length - 5)]]);
  expect(same(content, MAX_BATCH_BYTES)).toBe(code);
});

test('a bad entry behind thousands of good ones refuses all of them, before any is told of', () => {
  const many = Array.from({ length: 10_000 }, (): Entry => [Kind.TEXT, new Uint8Array(0)]);
  for (const last of [Uint8Array.of(0xff), Uint8Array.from({ length: 100 }, () => 0x80)]) {
    expect(same(contentOf([...many, [Kind.TEXT, last]]), 1_000)).toBe('PQ_ERR_UTF8');
  }
});

test('what a listener does to the memory of its message harms nobody but later ones', () => {
  const entries = Array.from({ length: 3 }, (): Entry => [Kind.TEXT, new Uint8Array(4)]);
  const overwritten = Buffer.from(contentOf(entries));
  const batch = new Batch(overwritten, 10, isUtf8);
  overwritten.fill(0xff);
  const taken: number[] = [];
  while (batch.left > 0) taken.push(batch.take().length);
  expect(taken).toHaveLength(3);

  const memory = contentOf(entries);
  const given = new Batch(Buffer.from(memory.buffer), 10, isUtf8);
  given.take();
  structuredClone(memory, { transfer: [memory.buffer as ArrayBuffer] });
  expect([given.take().length, given.take().length, given.left]).toEqual([0, 0, 0]);
});
