/**
 * What v1 refuses and yellowpages lets pass: the same attacker, the same messages, both profiles side by side. Nobody
 * who chooses yellowpages is to be surprised (SECURITY.md, "The yellowpages profile").
 */
import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/api/types.ts';
import { ProfilePair } from '../support/profile-pair.ts';
import type { ProfileEnd, ProfilePairOptions } from '../support/profile-pair.ts';

interface Result {
  /** What the server's application has received, as text. */
  readonly received: readonly string[];
  readonly server: ProfileEnd;
  readonly client: ProfileEnd;
}

type Attack = (pair: ProfilePair) => void | Promise<void>;

/** An open connection; the attacker then stands between. */
async function attacked(profile: Profile, attack: Attack, options: ProfilePairOptions = {}): Promise<Result> {
  const pair = await new ProfilePair({ ...options, both: { profile, ...options.both } }).connect();
  expect([pair.client.session.state, pair.server.session.state]).toEqual(['open', 'open']);
  await attack(pair);
  await pair.pump();
  return { received: pair.server.texts, server: pair.server, client: pair.client };
}

const onBoth = async (attack: Attack): Promise<{ v1: Result; yellowpages: Result }> => ({
  v1: await attacked('v1', attack),
  yellowpages: await attacked('yellowpages', attack),
});

/** The client says these, and they are on their way. */
function say(pair: ProfilePair, ...messages: string[]): void {
  for (const message of messages) pair.client.say(message);
}

function expectRefused({ server, received }: Result, code: string, before: readonly string[] = []): void {
  expect([server.failure?.code, received]).toEqual([code, before]);
  expect(server.outcome).toMatchObject({ wasClean: false });
}

function expectPassed({ server, received }: Result, messages: readonly string[]): void {
  expect([server.failure, server.session.state, received]).toEqual([undefined, 'open', messages]);
}

describe('yellowpages lets pass what v1 refuses', () => {
  test('reordering', async () => {
    const { v1, yellowpages } = await onBoth((pair) => {
      say(pair, 'pay 1 to Bob', 'pay 1000 to Alice');
      pair.inFlight.client.reverse();
    });
    expectRefused(v1, 'PQ_ERR_RECORD');
    expectPassed(yellowpages, ['pay 1000 to Alice', 'pay 1 to Bob']);
  });

  test('dropping from the middle', async () => {
    const { v1, yellowpages } = await onBoth((pair) => {
      say(pair, 'transfer 1', 'cancel that', 'transfer 2');
      pair.inFlight.client.splice(1, 1);
    });
    expectRefused(v1, 'PQ_ERR_RECORD', ['transfer 1']);
    expectPassed(yellowpages, ['transfer 1', 'transfer 2']);
  });

  test('holding back, and delivering much later', async () => {
    const { v1, yellowpages } = await onBoth(async (pair) => {
      say(pair, 'held back');
      const [held] = pair.inFlight.client.splice(0);
      say(pair, 'later');
      await pair.pump();
      pair.clock.time += 3_600_000;
      if (held !== undefined) pair.inFlight.client.push(held);
    });
    expectRefused(v1, 'PQ_ERR_RECORD');
    expectPassed(yellowpages, ['later', 'held back']);
  });

  test('truncation: the tail dropped, and a forged close 1000 taken for success', async () => {
    const { v1, yellowpages } = await onBoth((pair) => {
      say(pair, 'first half', 'second half');
      pair.inFlight.client.pop();
      pair.closeTransport('client', { code: 1000, reason: 'done' });
    });
    expect(v1.received).toEqual(['first half']);
    expect(v1.server.outcome).toMatchObject({
      code: 1006,
      reason: '',
      wasClean: false,
      failure: { code: 'PQ_ERR_TRUNCATED' },
    });
    expect(yellowpages.received).toEqual(['first half']);
    expect(yellowpages.server.outcome).toEqual({ code: 1000, reason: 'done', wasClean: true, failure: undefined });
  });

  test("a request that never arrived, answered with a forged 1000: the original's success", async () => {
    const { v1, yellowpages } = await onBoth((pair) => {
      say(pair, 'the request');
      pair.inFlight.client.pop();
      pair.closeTransport('server', { code: 1000, reason: '' });
    });
    expect([v1.received, yellowpages.received]).toEqual([[], []]);
    expect(v1.client.outcome).toMatchObject({ code: 1006, wasClean: false });
    expect(yellowpages.client.outcome).toMatchObject({ code: 1000, wasClean: true });
  });

  test('a close whose code and reason are changed on the way, and read on the way', async () => {
    const read: unknown[] = [];
    const { v1, yellowpages } = await onBoth(async (pair) => {
      pair.client.close(4001, 'the account is frozen');
      await pair.settle();
      const [close] = pair.inFlight.client;
      read.push(close !== undefined && 'close' in close ? close.close : 'sealed');
      if (close !== undefined && 'close' in close)
        pair.inFlight.client[0] = { close: { code: 4002, reason: 'all is well' } };
    });
    expect(read).toEqual(['sealed', { code: 4001, reason: 'the account is frozen' }]);
    expect(v1.server.outcome).toMatchObject({ code: 4001, reason: 'the account is frozen', wasClean: true });
    expect(yellowpages.server.outcome).toMatchObject({ code: 4002, reason: 'all is well', wasClean: true });
  });
});

describe('yellowpages does not have what v1 has', () => {
  test('text or binary: all of it arrives as binary, invalid UTF-8 too', async () => {
    const { v1, yellowpages } = await onBoth((pair) => {
      pair.client.say('text');
      pair.client.say(Uint8Array.of(0xff));
    });
    expect(v1.server.received).toEqual(['text', Uint8Array.of(0xff)]);
    expect(yellowpages.server.received.map((message) => message instanceof Uint8Array)).toEqual([true, true]);
    expect(yellowpages.received[0]).toBe('text');
  });

  test('key updates: one key, both ways, from the first frame to the last', async () => {
    const rekey = { records: 3, bytes: 2 ** 36, milliseconds: 3_600_000 };
    const keys = async (profile: Profile): Promise<number> => {
      let pair: ProfilePair | undefined;
      await attacked(
        profile,
        (present) => {
          pair = present;
          say(present, ...Array.from({ length: 9 }, (_, index) => `message ${index}`));
        },
        { both: { profile, limits: { rekey } } },
      );
      return (
        pair?.backend.operations.filter((operation) => operation === 'deriveKey' || operation === 'importKey').length ??
        0
      );
    };
    // v1 begins with two keys at each end, and both ends derive one more for each update; yellowpages imports one at each.
    expect(await keys('v1')).toBeGreaterThan(4);
    expect(await keys('yellowpages')).toBe(2);
  });

  test('an exporter, to bind what is inside to the connection', async () => {
    const { v1, yellowpages } = await onBoth(() => undefined);
    expect(v1.client.session.channel.exportKey('label', 32)).toEqual(v1.server.session.channel.exportKey('label', 32));
    expect(() => yellowpages.client.session.channel.exportKey('label', 32)).toThrow('no exporter');
  });

  test('proof of the key by open: a client opens on any ciphertext', async () => {
    const wrongCiphertext = async (profile: Profile): Promise<string> => {
      const pair = new ProfilePair({ both: { profile } });
      pair.client.session.start();
      pair.deliver('client');
      const [hello] = pair.inFlight.server;
      if (hello === undefined || !('message' in hello) || typeof hello.message !== 'string')
        throw new Error('no ServerHello');
      const parsed = JSON.parse(hello.message) as { ml_kem_768_ciphertext: string };
      const bytes = Buffer.from(parsed.ml_kem_768_ciphertext, 'base64');
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      pair.inFlight.server[0] = {
        message: JSON.stringify({ ...parsed, ml_kem_768_ciphertext: bytes.toString('base64') }),
      };
      await pair.pump();
      return pair.client.session.state;
    };
    expect(await wrongCiphertext('v1')).toBe('failed');
    expect(await wrongCiphertext('yellowpages')).toBe('open');
  });
});

describe('both refuse', () => {
  test.each<[string, Attack]>([
    [
      'a changed bit',
      (pair): void => {
        say(pair, 'message');
        const [item] = pair.inFlight.client;
        if (item !== undefined && 'message' in item)
          pair.inFlight.client[0] = { message: flipped(item.message as Uint8Array) };
      },
    ],
    [
      'a replay',
      async (pair): Promise<void> => {
        say(pair, 'message');
        const [item] = pair.inFlight.client;
        await pair.pump();
        pair.server.received.length = 0;
        if (item !== undefined) pair.inFlight.client.push(item);
      },
    ],
    [
      'a reflection',
      async (pair): Promise<void> => {
        pair.server.say('message');
        await pair.settle();
        pair.inFlight.client.push(...pair.inFlight.server.splice(0));
      },
    ],
    [
      'a frame of another connection',
      async (pair): Promise<void> => {
        // The same seeds at the client would make the same nonces; what differs is the server's encapsulation.
        const other = await new ProfilePair({ both: { profile: pair.client.session.profile } }).connect();
        other.client.say('message');
        await other.settle();
        pair.inFlight.client.push(...other.inFlight.client);
      },
    ],
  ])('%s', async (_name, attack) => {
    const { v1, yellowpages } = await onBoth(attack);
    expectRefused(v1, 'PQ_ERR_RECORD');
    expectRefused(yellowpages, 'PQ_ERR_RECORD');
    expect([v1.server.told?.code, yellowpages.server.told?.code]).toEqual([3771, 1008]);
  });

  test('an unsealed text message', async () => {
    const { v1, yellowpages } = await onBoth((pair) => {
      pair.inFlight.client.push({ message: 'unsealed' });
    });
    for (const result of [v1, yellowpages]) expectRefused(result, 'PQ_ERR_TEXT_FRAME');
  });
});

function flipped(frame: Uint8Array): Uint8Array {
  return frame.map((byte, index) => (index === 20 ? byte ^ 1 : byte));
}
