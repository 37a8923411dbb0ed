/** Whatever is said arrives exactly, in order, both ways. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Padding } from '../../src/protocol/v1/padding.ts';
import { padTo } from '../../src/protocol/v1/padding.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import { parseInner } from '../../src/protocol/v1/record.ts';
import { BACKEND_NAMES, BACKENDS, connected } from '../support/session-pair.ts';
import type { AppMessage, Role } from '../support/session-pair.ts';

const role = fc.constantFrom<Role>('client', 'server');
const padding = fc.oneof<fc.Arbitrary<Padding>[]>(fc.constantFrom('off', 'padme'), fc.integer({ min: 1, max: 65_536 }));
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 70_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(16_384, 16_385, 262_139, 262_144, 300_000) },
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), by: role, size, text: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('flush' as const), by: role }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deliver' as const), by: role }) },
);
const plan = fc.record({
  steps: fc.array(step, { maxLength: 40 }),
  clientPadding: padding,
  serverPadding: padding,
  records: fc.integer({ min: 2, max: 6 }),
  bytes: fc.constantFrom(100, 100_000, 2 ** 36),
  closers: fc
    .constantFrom<Role[]>('client', 'server')
    .chain((one) => fc.constantFrom<Role[]>([one], ['client', 'server'])),
  before: fc.boolean(),
});

const ALPHABET = ['a', 'ü', '世', '👋', '\ufeff', '\u0000'];

/** Different for every count, of `length` bytes or a few less. */
function makeMessage(count: number, length: number, text: boolean): AppMessage {
  if (!text) return Uint8Array.from({ length }, (_, i) => (count + 31 * i) & 0xff);
  const unit = ALPHABET[count % ALPHABET.length] as string;
  return `${count}`.slice(0, length) + unit.repeat(Math.max(0, Math.floor((length - 6) / Buffer.byteLength(unit))));
}

const digest = (messages: readonly AppMessage[]): string[] =>
  messages.map((message) => `${typeof message}:${message.length}:${Buffer.from(message).toString('base64')}`);

function expectSame(received: readonly AppMessage[], sent: readonly AppMessage[]): void {
  expect(received.length).toBe(sent.length);
  const [got, wanted] = [digest(received), digest(sent)];
  expect(got.findIndex((each, i) => each !== wanted[i])).toBe(-1);
}

describe.each([
  ['noble', 25],
  ['node', 150],
  ['webcrypto', 50],
] as const)('%s', (name, numRuns) => {
  test('any sequence of sends, flushes, deliveries, paddings, updates and closes', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ steps, clientPadding, serverPadding, records, bytes, closers, before }) => {
        const rekey = { records, bytes, milliseconds: 3_600_000 };
        const pair = await connected({
          backend: BACKENDS[name],
          both: { limits: { rekey } },
          client: { padded: padTo(clientPadding) },
          server: { padded: padTo(serverPadding) },
        });
        const said: Record<Role, AppMessage[]> = { client: [], server: [] };
        for (const [i, each] of steps.entries()) {
          if (each.do === 'send') {
            const message = makeMessage(i, each.size, each.text);
            said[each.by].push(message);
            pair.end(each.by).send(message);
          } else if (each.do === 'flush') pair.end(each.by).session.flush();
          else pair.deliver(each.by);
        }
        if (before) {
          pair.client.session.flush();
          pair.server.session.flush();
          await pair.pump();
          expectSame(pair.server.received, said.client);
          expectSame(pair.client.received, said.server);
        }
        for (const closer of closers) pair.end(closer).close(4000, closer);
        await pair.pump();
        for (const each of ['client', 'server'] as const) {
          const peer = pair.peerOf(each);
          expect(peer.outcome?.wasClean).toBe(true);
          expect(peer.session.channel.closeAnswered).toBe(closers.length === 1);
          // Who closes discards what is under way to it; nobody else loses anything.
          const complete = before || !closers.includes(peer.role);
          expectSame(peer.received, complete ? said[each] : said[each].slice(0, peer.received.length));
        }
        expect(pair.backend.live.size).toBe(0);
      }),
      { numRuns },
    );
  });
});

describe('batches', () => {
  /** Messages in each frame that the client has sent since its Finished. */
  async function flushed(
    messages: readonly AppMessage[],
    padded: Padding = 'off',
    maxBatchBytes = 2 ** 20,
  ): Promise<{ kinds: number[]; counts: number[]; contents: number[]; frames: number[]; received: AppMessage[] }> {
    const pair = await connected({ both: { padded: padTo(padded), limits: { maxBatchBytes } } });
    const [sent, inners] = [pair.client.sent.length, pair.backend.inners.length];
    for (const message of messages) pair.client.send(message, () => undefined);
    pair.client.session.flush();
    await pair.pump();
    const opened = pair.backend.inners.slice(inners).map(parseInner);
    return {
      kinds: opened.map(({ kind }) => kind),
      counts: pair.client.sent.slice(sent).map(({ receipt }) => receipt?.sent.length ?? 0),
      contents: opened.map(({ content }) => content.length),
      frames: pair.client.sent.slice(sent).map(({ message }) => message.length),
      received: pair.server.received,
    };
  }

  test('a lone message is never in one', async () => {
    for (const [message, kind] of [
      ['', Kind.TEXT],
      ['x', Kind.TEXT],
      [new Uint8Array(16_384), Kind.BINARY],
      [new Uint8Array(300_000), Kind.BINARY],
    ] as const) {
      expect((await flushed([message])).kinds).toEqual([kind]);
    }
  });

  test('what waits together shares one, in order', async () => {
    const messages = ['one', Uint8Array.of(2), '', new Uint8Array(0), 'drei'];
    const { kinds, contents, received } = await flushed(messages, 'padme');
    expect(kinds).toEqual([Kind.BATCH]);
    expect(contents).toEqual([5 * 5 + 3 + 1 + 4]);
    expect(received).toEqual(messages);
  });

  test('a message above 16 KiB goes alone, and the others keep their places', async () => {
    const messages = ['a', 'b', new Uint8Array(16_385), 'c', new Uint8Array(16_384), 'd', new Uint8Array(16_385), 'e'];
    const { kinds, counts, received } = await flushed(messages);
    expect(kinds).toEqual([Kind.BATCH, Kind.BINARY, Kind.BATCH, Kind.BINARY, Kind.TEXT]);
    expect(counts).toEqual([2, 1, 3, 1, 1]);
    expectSame(received, messages);
  });

  test('the content has at most 262,144 bytes, headers included', async () => {
    // 16 entries of 16,384 bytes with their headers: exactly the limit. A byte more begins another record.
    const exact = Array.from({ length: 16 }, () => new Uint8Array(16_379));
    expect(await flushed(exact)).toMatchObject({ kinds: [Kind.BATCH], contents: [262_144] });
    expect(await flushed([...exact, ''])).toMatchObject({ kinds: [Kind.BATCH, Kind.TEXT], counts: [16, 1] });
    expect(await flushed(['', ...exact])).toMatchObject({ kinds: [Kind.BATCH, Kind.BINARY], counts: [16, 1] });
    expect(await flushed([...exact.slice(1), new Uint8Array(16_380)])).toMatchObject({ counts: [15, 1] });
    const many = await flushed(Array.from({ length: 100 }, (_, i) => new Uint8Array(10_000).fill(i)));
    expect(Math.max(...many.contents)).toBeLessThanOrEqual(262_144);
    expect(many.received.map((message) => message[0])).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test.each(['off', 'padme', 1_000, 50_000] as const)(
    'no frame of one is longer than maxBatchBytes, padding %s included; a message alone keeps its size',
    async (padded) => {
      const messages = Array.from({ length: 300 }, (_, i) => new Uint8Array((i * 37) % 2_000).fill(i));
      const { kinds, counts, frames, received } = await flushed(messages, padded, 40_000);
      const batches = frames.filter((_, index) => kinds[index] === Kind.BATCH);
      expect(Math.max(0, ...batches)).toBeLessThanOrEqual(40_000);
      // As few as they can be: two neighbours would not fit in one. A block above the limit lets nothing share.
      expect(counts.length).toBeLessThanOrEqual(padded === 50_000 ? 300 : 10);
      expectSame(received, messages);
      expect((await flushed([new Uint8Array(60_000)], padded, 40_000)).frames[0]).toBeGreaterThan(60_000);
    },
  );

  test('what is flushed apart is not batched, and nothing waits for company', async () => {
    const pair = await connected();
    pair.client.say('one');
    pair.client.say('two');
    expect(pair.frames('client').length).toBe(3);
  });

  test('what the caller changes after send() is not seen; what it hands over is not copied twice', async () => {
    const pair = await connected();
    for (const length of [10, 20_000]) {
      const message = new Uint8Array(length).fill(1);
      pair.client.send(message);
      message.fill(2);
    }
    pair.client.session.flush();
    await pair.pump();
    expect(pair.server.received.map((message) => message[0])).toEqual([1, 1]);
  });
});

test.each(BACKEND_NAMES)('%s: messages told as sent, in order, and counted until then', async (name) => {
  const pair = await connected({ backend: BACKENDS[name] });
  const told: string[] = [];
  for (const message of ['a', 'bb', 'x'.repeat(20_000)])
    pair.client.send(message, (error) => told.push(`${message[0]} ${error?.message ?? 'sent'}`));
  expect(pair.client.session.queuedBytes).toBe(20_003);
  pair.client.session.flush();
  // A backend that answers later still has them: they count until the transport does.
  expect(pair.client.session.queuedBytes).toBe(name === 'webcrypto' ? 20_003 : 0);
  await pair.settle();
  expect(told).toEqual(['a sent', 'b sent', 'x sent']);
  expect(pair.client.session.queuedBytes).toBe(0);
});
