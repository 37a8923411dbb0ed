/** Both ends change their keys every few records while both send as fast as they can. */
import { describe, expect, test } from 'vitest';
import type { RekeyOptions } from '../../src/index.ts';
import { connected, MODES, nextTask, secureServer, useMode } from '../support/endpoints.ts';
import type { Client, Peer } from '../support/endpoints.ts';
import { soaks } from '../support/soak.ts';

/** Above it a sender lets the network go on, as an application would. */
const HIGH_WATER = 1024 * 1024;

/** xorshift32: the same sizes and bursts in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** The message with this number, text or binary: its number and a length that only it has. */
function message(index: number, random: (below: number) => number): string | Uint8Array {
  const size = random(50) === 0 ? 16_000 + random(2_000) : random(200);
  const text = `${index} ${'.'.repeat(size)}`;
  return index % 3 === 0 ? new TextEncoder().encode(text) : text;
}

interface Sent {
  readonly messages: number;
  readonly bursts: number;
}

async function send(end: Client | Peer, seed: number, isEnough: (count: number) => boolean): Promise<Sent> {
  const random = generator(seed);
  const bursting = generator(seed + 1);
  const socket = end.socket as WebSocket;
  let count = 0;
  let bursts = 0;
  while (!isEnough(count)) {
    for (let left = 1 + bursting(4); left > 0 && !isEnough(count); left -= 1) {
      socket.send(message(count, random) as string);
      count += 1;
    }
    bursts += 1;
    do await nextTask();
    while (socket.bufferedAmount > HIGH_WATER);
  }
  return { messages: count, bursts };
}

/** Checks every message as it comes, and keeps none. Resolves when the sender says that there are no more. */
function receive(end: Client | Peer, seed: number): Promise<number> {
  const random = generator(seed);
  const socket = end.socket as WebSocket;
  let count = 0;
  return new Promise((resolve, reject) => {
    socket.onmessage = ({ data }: MessageEvent): void => {
      if (data === 'end') {
        resolve(count);
        return;
      }
      const expected = message(count, random);
      const got = data instanceof ArrayBuffer ? new Uint8Array(data) : (data as string);
      const isSame =
        typeof expected === 'string' ? got === expected : Buffer.compare(expected, got as Uint8Array) === 0;
      if (!isSame) reject(new Error(`message ${count} is not what was sent`));
      count += 1;
    };
    socket.onclose = ({ code }: CloseEvent): void => {
      reject(new Error(`closed with ${code} after ${count} messages`));
    };
  });
}

async function exchange(rekey: RekeyOptions, isEnough: (count: number) => boolean): Promise<Sent[]> {
  const { client, peer } = await connected(await secureServer({ channel: { rekey } }), { rekey });
  const ends = [client, peer];
  const received = [receive(peer, 1), receive(client, 2)];
  const sent = await Promise.all(
    ends.map(async (end, index) => {
      const result = await send(end, index + 1, isEnough);
      (end.socket as WebSocket).send('end');
      return result;
    }),
  );
  expect(await Promise.all(received)).toEqual(sent.map(({ messages }) => messages));
  for (const [index, end] of ends.entries()) {
    const { counters, failure } = end.socket.pq;
    expect(failure).toBeNull();
    expect(counters.recordsSealed).toBe(ends[1 - index]?.socket.pq.counters.recordsOpened);
    if (rekey.records !== undefined) {
      // A burst is a record at least; of every `records` records one is an update.
      const { bursts } = sent[index] as Sent;
      expect(counters.recordsSealed).toBeGreaterThan(bursts * (1 + 1 / (rekey.records - 1)) * 0.99);
    }
  }
  for (const end of ends) (end.socket as WebSocket).onclose = null;
  client.socket.close(4000, 'all there');
  expect(await peer.seen.closed).toEqual({ code: 4000, reason: 'all there', wasClean: true });
  return sent;
}

test('20,000 messages each way, an update in every three records', { timeout: 120_000 }, async () => {
  const sent = await exchange({ records: 3 }, (count) => count >= 20_000);
  expect(sent.map(({ messages }) => messages)).toEqual([20_000, 20_000]);
});

describe.each(MODES)('%s', (mode) => {
  useMode(mode);

  test.each<[RekeyOptions]>([
    [{ records: 2 }],
    [{ records: 3 }],
    [{ bytes: 1 }],
    [{ bytes: 1000 }],
    [{ milliseconds: 1 }],
  ])('1,000 messages each way with %j', async (rekey) => {
    await exchange(rekey, (count) => count >= 1_000);
  });
});

if (!soaks) console.info('left out: a minute of messages under rekeying; PQ_SOAK=1 runs it');

test.runIf(soaks)('a minute of messages each way, an update in every three records', { timeout: 180_000 }, async () => {
  const end = performance.now() + 60_000;
  const sent = await exchange({ records: 3 }, () => performance.now() >= end);
  console.info(`sent ${sent.map(({ messages, bursts }) => `${messages} messages in ${bursts} bursts`).join(', ')}`);
});
