/** A server of both profiles before its first message has told which: v1's time and codes, and nothing is lost. */
import { seldomRefusal } from '../../src/protocol/seldom-refusal.ts';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import type { Profile } from '../../src/api/types.ts';
import { ProfilePair } from '../support/profile-pair.ts';
import type { ProfilePairOptions } from '../support/profile-pair.ts';

function undecided(profile: Profile, options: ProfilePairOptions['both'] = {}): ProfilePair {
  return new ProfilePair({ client: { profile }, server: { ...options, profile: 'either' } });
}

describe.each(['v1', 'yellowpages'] as const)('%s', (profile) => {
  test('what the server has sent before comes first, as it was when it was sent', async () => {
    const pair = undecided(profile);
    const { server } = pair;
    const bytes = utf8('early');
    const told: (Error | undefined)[] = [];
    expect([server.session.profile, server.session.state]).toEqual(['v1', 'server: awaiting client hello']);
    expect(server.send(bytes, (error) => told.push(error))).toBe(true);
    bytes.fill(0);
    expect([server.session.queuedBytes, told]).toEqual([5, []]);
    await pair.connect();
    server.say('late');
    await pair.pump();
    expect(pair.client.texts).toEqual(['early', 'late']);
    expect([server.session.profile, server.session.state, server.session.queuedBytes, told]).toEqual([
      profile,
      'open',
      0,
      [undefined],
    ]);
    expect(pair.client.session.channel.facts?.nativeKem).toBe(server.session.channel.facts?.nativeKem);
    expect(server.session.channel.recordsSealed).toBe(profile === 'v1' ? 3 : 2);
    expect(pair.client.session.channel.recordsOpened).toBe(profile === 'v1' ? 3 : 2);
    pair.client.say('answer');
    pair.client.close(4001, 'bye');
    await pair.pump();
    expect(server.texts).toEqual(['answer']);
    expect(server.outcome).toMatchObject({ code: 4001, reason: 'bye', wasClean: true });
    expect(server.session.channel.closeAnswered).toBe(profile === 'v1' ? true : undefined);
    expect([...pair.backend.live.values()]).toEqual([]);
  });

  test('a second hello is not a second choice', async () => {
    const pair = await undecided(profile).connect();
    const other = new ProfilePair({ both: { profile: 'yellowpages' } });
    other.client.session.start();
    pair.server.session.receive(other.client.sent[0] as string);
    await pair.settle();
    expect([pair.server.session.profile, pair.server.failure?.code]).toEqual([profile, 'PQ_ERR_TEXT_FRAME']);
  });
});

test("the time is v1's, and not a moment less", () => {
  const { server, clock } = undecided('yellowpages');
  const told: (Error | undefined)[] = [];
  server.send('early', (error) => told.push(error));
  clock.time += 9_999;
  server.session.tick();
  expect([server.failure, server.session.deadline]).toEqual([undefined, clock.time + 1]);
  clock.time += 1;
  server.session.tick();
  expect(server.told).toEqual({ code: 3769, reason: 'handshake timed out' });
  expect([told, server.session.queuedBytes]).toEqual([[server.failure], 5]);
});

test('a tick that comes too early leaves the choice open', async () => {
  const pair = undecided('yellowpages');
  pair.server.session.tick();
  await pair.connect();
  expect(pair.server.session.profile).toBe('yellowpages');
});

test.each<[string, (pair: ProfilePair) => void, string | undefined]>([
  [
    'its application closes',
    ({ server }): void => {
      server.close(4001);
    },
    'PQ_ERR_CLOSED_EARLY',
  ],
  [
    'its host gives up',
    ({ server }): void => {
      server.session.fail(seldomRefusal('PQ_ERR_OVERLOAD'));
    },
    'PQ_ERR_OVERLOAD',
  ],
  [
    'the transport closes',
    ({ server }): void => {
      server.session.transportClosed(1006);
    },
    'PQ_ERR_TRUNCATED',
  ],
  [
    'too much is queued',
    ({ server }): void => {
      server.send('x'.repeat(100));
    },
    'PQ_ERR_QUEUE_LIMIT',
  ],
])('when %s, whoever has sent is told', (_name, act, code) => {
  const pair = undecided('yellowpages', { limits: { maxQueuedBytes: 100 } });
  const told: (Error | undefined)[] = [];
  pair.server.send('early', (error) => told.push(error));
  act(pair);
  expect(pair.server.session.failure?.code).toBe(code);
  expect(told).toHaveLength(1);
  expect(told[0]).toBeInstanceOf(Error);
  expect(pair.server.send('late', (error) => told.push(error))).toBe(false);
  expect(told).toHaveLength(2);
});

test('there is no key to export from, and no close that waits', () => {
  const { server } = undecided('yellowpages');
  expect(() => server.session.channel.exportKey('label', 32)).toThrow('not open');
  server.session.flush();
  server.session.closeDrained();
  expect([server.session.channel.facts, server.session.channel.closeAnswered, server.session.state]).toEqual([
    undefined,
    undefined,
    'server: awaiting client hello',
  ]);
});

describe('the ClientHello of an upgrade request', () => {
  const helloOf = (profile: Profile): string => {
    const { client } = undecided(profile);
    client.session.start();
    return client.sent[0] as string;
  };

  test('decides for v1: it is answered, with what the application has said, before any message', async () => {
    const hello = helloOf('v1');
    const pair = undecided('v1', { earlyHello: hello });
    const { server } = pair;
    server.send('early');
    server.session.start();
    await pair.settle();
    // ServerHello, Finished and the message.
    expect([server.session.state, server.sent.length]).toEqual(['server: awaiting repeated hello', 3]);
    server.session.receive(helloOf('yellowpages'));
    await pair.settle();
    expect(server.failure).toMatchObject({ code: 'PQ_ERR_FAST_OPEN', closeCode: 3768 });
  });

  test.each([
    ['none', undefined],
    ['no JSON', 'hello'],
    ["yellowpages'", helloOf('yellowpages')],
  ])('decides nothing when it is %s', async (_name, earlyHello) => {
    for (const profile of ['v1', 'yellowpages'] as const) {
      const pair = undecided(profile, earlyHello === undefined ? {} : { earlyHello });
      pair.server.session.start();
      await pair.settle();
      expect(pair.server.sent).toEqual([]);
      await pair.connect();
      expect([pair.server.session.profile, pair.server.session.state]).toEqual([profile, 'open']);
    }
  });
});

test('a close of v1 that nobody answers is given up on a server of both profiles too', async () => {
  const pair = await undecided('v1').connect();
  pair.server.close(4001, 'own');
  pair.server.session.closeDrained();
  expect(pair.server.session.deadline).toBe(pair.clock.time + 30_000);
});
