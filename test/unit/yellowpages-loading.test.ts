/** A client of yellowpages whose code comes later than its transport: PROTOCOL.md 15 holds, and nothing is said meanwhile. */
import { expect, test } from 'vitest';
import type { ProfileMaker } from '../../src/protocol/session-types.ts';
import { Yellowpages } from '../../src/protocol/yellowpages/profile.ts';
import { ProfilePair } from '../support/profile-pair.ts';

interface Loading {
  readonly pair: ProfilePair;
  loaded(): Promise<void>;
  failed(error: Error): Promise<void>;
}

function loading(): Loading {
  let resolve!: (maker: ProfileMaker) => void;
  let reject!: (error: Error) => void;
  const session = new Promise<ProfileMaker>((loaded, failed) => {
    resolve = loaded;
    reject = failed;
  });
  const pair = new ProfilePair({
    both: { profile: 'yellowpages' },
    client: { yellowpages: { profile: session }, limits: { maxQueuedBytes: 10 } },
  });
  return {
    pair,
    loaded: async () => {
      resolve(Yellowpages);
      await session;
    },
    failed: async (error) => {
      reject(error);
      await session.catch(() => undefined);
    },
  };
}

test('what was sent before goes out in order, once both code and transport are there', async () => {
  const { pair, loaded } = loading();
  const { client, server } = pair;
  client.say('one');
  client.session.start();
  client.say('two');
  const bytes = new Uint8Array([1, 2]);
  expect(client.send(bytes)).toBe(true);
  bytes.fill(9);
  await pair.pump();
  expect([client.sent, client.session.profile, client.session.queuedBytes]).toEqual([[], 'yellowpages', 8]);
  await loaded();
  await pair.pump();
  expect(server.received).toEqual([
    ...['one', 'two'].map((text) => new TextEncoder().encode(text)),
    new Uint8Array([1, 2]),
  ]);
  expect([client.session.state, client.session.queuedBytes, client.session.deadline]).toEqual(['open', 0, undefined]);
});

test('the code may come first', async () => {
  const { pair, loaded } = loading();
  await loaded();
  expect(pair.client.sent).toEqual([]);
  await pair.connect();
  expect([pair.client.session.state, pair.server.session.state]).toEqual(['open', 'open']);
});

test('code that does not come fails the connection, and who asked to be told is told', async () => {
  const { pair, failed } = loading();
  const { client } = pair;
  const told: unknown[] = [];
  client.send('one', (error) => told.push(error));
  client.session.start();
  const cause = new Error('no such file');
  await failed(cause);
  expect(client.failure).toMatchObject({ code: 'PQ_ERR_INTERNAL', cause });
  expect(told).toEqual([client.failure]);
  expect(client.send('two')).toBe(false);
  expect(client.sent).toEqual([]);
});

test.each<[string, string, (pair: ProfilePair) => void]>([
  [
    'the handshake’s time runs out',
    'PQ_ERR_HANDSHAKE_TIMEOUT',
    ({ client, clock }) => {
      clock.time = client.session.deadline ?? NaN;
      client.session.tick();
    },
  ],
  ['too much waits', 'PQ_ERR_QUEUE_LIMIT', ({ client }) => client.send('more than ten')],
  [
    'the application closes',
    'PQ_ERR_CLOSED_EARLY',
    ({ client }) => {
      client.close(4000);
    },
  ],
  [
    'the server speaks first',
    'PQ_ERR_MESSAGE_TYPE',
    ({ client }) => {
      client.session.receive('{}');
    },
  ],
])('where %s, it is over, and code that comes then changes nothing', async (_, code, act) => {
  const { pair, loaded } = loading();
  const { client } = pair;
  client.session.start();
  expect(client.session.deadline).toBe(31_000);
  client.session.tick();
  expect(client.failure).toBeUndefined();
  act(pair);
  expect(client.failure?.code).toBe(code);
  await loaded();
  await pair.settle();
  expect([client.sent, client.session.state, client.session.deadline]).toEqual([[], 'failed', undefined]);
});

test('a transport that closes first ends it', async () => {
  const { pair, loaded } = loading();
  const { client } = pair;
  client.session.start();
  client.session.transportClosed(1006);
  expect([client.outcome?.code, client.outcome?.wasClean]).toEqual([1006, false]);
  await loaded();
  expect([client.sent, client.session.state]).toEqual([[], 'failed']);
});
