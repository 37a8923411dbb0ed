/** Key updates: the sender's limits, the receiver's, and neither end ever out of step (PROTOCOL.md section 8). */
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import type { RekeyLimits } from '../../src/protocol/limits.ts';
import { DirectionKeys } from '../../src/protocol/v1/key-schedule.ts';
import { padTo } from '../../src/protocol/v1/padding.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import { blankFrame, parseInner } from '../../src/protocol/v1/record.ts';
import { RecordSender } from '../../src/protocol/v1/seal.ts';
import { BACKENDS, connected } from '../support/session-pair.ts';
import type { EndOptions, SessionPair } from '../support/session-pair.ts';
import { times } from '../support/soak.ts';

const NEVER: RekeyLimits = { records: Infinity, bytes: Infinity, milliseconds: Infinity };
const sending = (rekey: Partial<RekeyLimits>): EndOptions => ({ limits: { rekey: { ...NEVER, ...rekey } } });

/** One letter for each record that the server has opened: f, t, b, u, c. */
function kinds(pair: SessionPair): string {
  return pair.backend.inners.map((inner) => ' tb?cuf!'[parseInner(inner).kind]).join('');
}

/** A client with these limits, that has said so many messages of so many bytes. */
async function spoken(rekey: Partial<RekeyLimits>, messages: number, bytes = 1): Promise<SessionPair> {
  const pair = await connected({ client: sending(rekey), server: sending({}) });
  pair.backend.inners.splice(0, 1);
  for (let i = 0; i < messages; i += 1) pair.client.say('x'.repeat(bytes));
  return pair;
}

test('the defaults are 2^20 records, the update among them, 2^36 bytes, an hour, and 2^24 records received', () => {
  expect(DEFAULT_LIMITS.rekey).toEqual({ records: 1_048_576, bytes: 68_719_476_736, milliseconds: 3_600_000 });
  expect(DEFAULT_LIMITS.receivedEpochRecords).toBe(16_777_216);
});

describe('the sender updates', () => {
  test('when the epoch has all records but one: Finished counts, and the update in its own epoch', async () => {
    const pair = await spoken({ records: 4 }, 8);
    await pair.pump();
    expect(kinds(pair)).toBe('fttutttuttt');
  });

  test('before every record, where the limit is least', async () => {
    const pair = await spoken({ records: 2 }, 3);
    await pair.pump();
    expect(kinds(pair)).toBe('fututut');
  });

  test('never before Finished, a close or a close answer', async () => {
    const pair = await spoken({ records: 2, milliseconds: 0, bytes: 0 }, 1);
    pair.client.close(1000);
    await pair.pump();
    expect(kinds(pair)).toBe('futc!');
    const answering = await connected({ client: sending({ records: 2 }), server: sending({ records: 2 }) });
    answering.server.close(1000);
    await answering.pump();
    expect(kinds(answering)).toBe('ffc!');
    expect(answering.client.outcome?.wasClean).toBe(true);
  });

  test('before the record that would pass the bytes, those of inner with its padding', async () => {
    // Finished has 3 bytes of inner, a message of 9 bytes 10: the third would make 33.
    const pair = await spoken({ bytes: 32 }, 8, 9);
    await pair.pump();
    expect(kinds(pair)).toBe('fttutttuttt');
    const exact = await spoken({ bytes: 33 }, 4, 9);
    await exact.pump();
    // The update's own byte is counted in the epoch that it ends.
    expect(kinds(exact)).toBe('ftttut');
    const padded = await connected({ client: { ...sending({ bytes: 99 }), padded: padTo(32) } });
    padded.backend.inners.splice(0, 1);
    for (let i = 0; i < 4; i += 1) padded.client.say('x');
    await padded.pump();
    expect(kinds(padded)).toBe('ftttut');
  });

  test('a record longer than the bytes allow goes alone into its epoch, not after endless updates', async () => {
    const pair = await spoken({ bytes: 10 }, 3, 500);
    await pair.pump();
    expect(kinds(pair)).toBe('fututut');
  });

  test('when the epoch is an hour old, by its own clock, and not while it says nothing', async () => {
    const pair = await spoken({ milliseconds: 3_600_000 }, 1);
    pair.clock.time += 3_599_999;
    pair.client.say('x');
    pair.clock.time += 1;
    expect(pair.client.session.deadline).toBeUndefined();
    pair.client.say('x');
    pair.clock.time += 3_599_999;
    pair.client.say('x');
    pair.clock.time += 10_000_000;
    pair.client.say('x');
    await pair.pump();
    expect(kinds(pair)).toBe('fttuttut');
    // An epoch in which nothing was sent does not end: two updates never stand together.
    pair.clock.time += 10_000_000;
    pair.client.say('x');
    pair.client.say('x');
    await pair.pump();
    expect(kinds(pair)).toBe('fttuttututt');
  });
});

test('a sender that has sealed nothing in its epoch never updates, whatever its limits', async () => {
  const th = new Uint8Array(32);
  const keys = await DirectionKeys.derive(BACKENDS.noble, th, 'client', await BACKENDS.noble.importSecret(th));
  const frames: number[] = [];
  const sender = new RecordSender(
    keys,
    {
      random: (nonce) => nonce,
      now: () => 0,
      limits: { rekey: { records: 1, bytes: 0, milliseconds: 0 } },
    },
    { transmit: (frame) => frames.push(frame.length) },
    (error) => {
      throw error;
    },
  );
  for (const content of [1, 2, 3]) sender.push(Kind.BINARY, blankFrame(Kind.BINARY, content, {}));
  expect(frames).toEqual([30, 29, 31, 29, 32]);
});

describe('the receiver', () => {
  async function receiving(receivedEpochRecords: number, rekey: Partial<RekeyLimits>): Promise<SessionPair> {
    return connected({ client: sending(rekey), server: { limits: { receivedEpochRecords } } });
  }

  test('takes so many records in an epoch and refuses the next, Finished included', async () => {
    const pair = await receiving(4, {});
    for (const message of ['1', '2', '3', '4']) pair.client.say(message);
    await pair.pump();
    expect(pair.server.received).toEqual(['1', '2', '3']);
    expect(pair.server.failure).toMatchObject({ code: 'PQ_ERR_EPOCH_LIMIT', closeCode: 3773 });
  });

  test('counts the update in the old epoch, and from nothing in the new one', async () => {
    const fits = await receiving(4, { records: 4 });
    for (let i = 0; i < 20; i += 1) fits.client.say('x');
    await fits.pump();
    expect(fits.server.failure).toBeUndefined();
    expect(fits.server.received.length).toBe(20);
    const updateTooMuch = await receiving(3, { records: 4 });
    for (let i = 0; i < 3; i += 1) updateTooMuch.client.say('x');
    await updateTooMuch.pump();
    expect(updateTooMuch.server.received.length).toBe(2);
    expect(updateTooMuch.server.failure?.closeCode).toBe(3773);
  });

  test('refuses the next whatever it is, unopened: a close, a forgery', async () => {
    for (const last of ['close', 'forgery']) {
      const pair = await receiving(2, {});
      pair.client.say('1');
      await pair.pump();
      const opened = pair.backend.inners.length;
      if (last === 'close') pair.client.close(1000);
      else pair.server.session.receive(new Uint8Array(29));
      await pair.pump();
      expect(pair.server.failure?.closeCode).toBe(3773);
      expect(pair.backend.inners.length).toBe(opened);
    }
  });
});

// What breaks when counters and epochs drift: both ends at once, in both directions, every few records.
test.each([
  ['node', times(30_000, 3_000)],
  ['noble', times(4_000, 800)],
  ['webcrypto', times(4_000, 800)],
] as const)(
  '%s: both ends update every few records while both send, and nothing is lost',
  { timeout: 120_000 },
  async (name, messages) => {
    const pair = await connected({
      backend: BACKENDS[name],
      client: sending({ records: 3 }),
      server: sending({ records: 5, bytes: 40 }),
    });
    for (let i = 0; i < messages; i += 1) {
      pair.client.say(`c${i}`);
      pair.server.say(`s${i}`);
      if (i % 7 === 0) pair.deliver('client');
      if (i % 5 === 0) pair.deliver('server');
      if (i % 100 === 0) await pair.pump();
    }
    await pair.pump();
    expect(pair.server.received).toEqual(Array.from({ length: messages }, (_, i) => `c${i}`));
    expect(pair.client.received).toEqual(Array.from({ length: messages }, (_, i) => `s${i}`));
    expect(pair.client.session.channel.recordsSealed).toBeGreaterThan(messages * 1.4);
    expect(pair.client.session.channel.recordsSealed).toBe(pair.server.session.channel.recordsOpened);
    // Two directions of one key and one secret, and the exporter, at each end; everything older is gone.
    expect([...pair.backend.live.values()].sort()).toEqual([
      ...Array<string>(4).fill('AEAD key'),
      ...Array<string>(6).fill('secret'),
    ]);
  },
);
