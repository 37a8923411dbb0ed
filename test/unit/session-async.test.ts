/** A backend that answers later: order, and nothing after an end that comes while something is under way. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { allOrNone, attempt, chain, finish, isPromise, SerialQueue } from '../../src/base/maybe-promise.ts';
import { turn } from '../support/counting-backend.ts';
import { deferred } from '../support/deferred.ts';
import { BACKENDS, connected, SessionPair } from '../support/session-pair.ts';
import { inState } from '../support/session-states.ts';

const backend = BACKENDS.webcrypto;
const rekey = { records: 3, bytes: 2 ** 36, milliseconds: 3_600_000 };

const unhandled: unknown[] = [];
const note = (reason: unknown): void => {
  unhandled.push(reason);
};
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  await turn();
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

describe('an end while frames are being sealed', () => {
  test.each([
    [
      'a failure',
      (pair: SessionPair): void => {
        pair.client.session.abort('PQ_ERR_QUEUE_LIMIT');
      },
    ],
    [
      'the transport',
      (pair: SessionPair): void => {
        pair.client.session.transportClosed(1006);
      },
    ],
    [
      'a frame that does not open',
      (pair: SessionPair): void => {
        pair.client.session.receive(new Uint8Array(40));
      },
    ],
  ])('%s: no frame after it, everybody is told, nothing is left', async (name, end) => {
    const pair = await connected({ backend, both: { limits: { rekey } } });
    const release = pair.backend.hold('seal');
    const told: unknown[] = [];
    for (let i = 0; i < 8; i += 1) {
      pair.client.send(`message ${i}`, (error) => told.push(error));
      if (i < 6) pair.client.session.flush();
    }
    const before = pair.client.sent.length;
    await turn();
    end(pair);
    while (pair.client.session.state === 'open') await turn();
    release();
    await pair.settle();
    expect(pair.client.sent.length).toBe(before);
    expect(told.length).toBe(8);
    expect(told.every((error) => error === pair.client.session.failure && error !== undefined)).toBe(true);
    expect(pair.client.session.queuedBytes).toBe(8 * 'message 0'.length);
    if (name === 'the transport') expect(pair.client.events).not.toContain('failed');
    pair.client.session.transportClosed(1006);
    pair.server.session.transportClosed(1006);
    await pair.settle();
    expect(pair.backend.live.size).toBe(0);
  });

  test('while the next epoch is being derived', async () => {
    const pair = await connected({ backend, both: { limits: { rekey } } });
    const release = pair.backend.hold('deriveKey');
    for (let i = 0; i < 5; i += 1) pair.client.say('x');
    await turn();
    const before = pair.client.sent.length;
    pair.client.session.abort('PQ_ERR_INTERNAL');
    release();
    await pair.settle();
    expect(pair.client.sent.length).toBe(before);
    pair.server.session.transportClosed(1006);
    await pair.settle();
    expect(pair.backend.live.size).toBe(0);
  });
});

describe('an end while frames are being opened', () => {
  test('what the transport delivered before its end is delivered, in order, and then the end is told', async () => {
    const pair = await connected({ backend, both: { limits: { rekey } } });
    for (let i = 0; i < 7; i += 1) pair.client.say(`${i}`);
    await pair.settle();
    while (pair.inFlight.client.length > 0) pair.deliver('client');
    pair.server.session.transportClosed(1006);
    expect(pair.server.received).toEqual([]);
    expect(pair.server.outcome).toBeUndefined();
    await pair.settle();
    expect(pair.server.received).toEqual(['0', '1', '2', '3', '4', '5', '6']);
    expect(pair.server.outcome).toMatchObject({ code: 1006, wasClean: false });
  });

  test('so with Finished(client) and what follows it', async () => {
    const { pair, end: server } = await inState('server: awaiting finished', backend);
    pair.client.send('queued');
    while (pair.deliver('server'));
    await pair.settle();
    while (pair.deliver('client'));
    server.session.transportClosed(1006);
    await pair.settle();
    expect(server.received).toEqual(['queued']);
    expect(server.events.slice(-2)).toEqual(['peerAccepted', 'closed']);
  });

  test('so with a close answer: it was clean', async () => {
    const pair = await connected({ backend });
    pair.client.close(4001, 'done');
    await pair.settle();
    pair.deliver('client');
    await pair.settle();
    pair.deliver('server');
    pair.client.session.transportClosed(1000);
    expect(pair.client.outcome).toBeUndefined();
    await pair.settle();
    expect(pair.client.outcome).toEqual({ code: 4001, reason: 'done', wasClean: true, failure: undefined });
    expect(pair.client.events.filter((event) => event === 'ended' || event === 'closed')).toEqual(['ended', 'closed']);
  });

  test('a failure in the middle drops what waits, and the end that waits behind is told once', async () => {
    const pair = await connected({ backend });
    pair.client.say('good');
    pair.client.say('after');
    await pair.settle();
    pair.deliver('client');
    pair.server.session.receive(new Uint8Array(40));
    pair.deliver('client');
    pair.server.session.transportClosed(1000);
    await pair.settle();
    expect(pair.server.received).toEqual(['good']);
    expect(pair.server.outcome).toMatchObject({ code: 3771, wasClean: false });
    expect(pair.server.events.slice(-2)).toEqual(['failed', 'closed']);
  });

  test('a failure from elsewhere while a frame is being opened: it is not delivered', async () => {
    const pair = await connected({ backend });
    pair.client.say('x');
    await pair.settle();
    const release = pair.backend.hold('open');
    pair.deliver('client');
    pair.server.session.abort('PQ_ERR_INTERNAL');
    release();
    await pair.settle();
    expect(pair.server.received).toEqual([]);
  });

  test('the transport goes while the close answer is being sealed: it was not handed over, so not clean', async () => {
    const { end, pair } = await inState('finishing', backend);
    end.session.transportClosed(1000);
    expect(end.outcome).toMatchObject({ code: 1006, wasClean: false });
    expect(end.session.channel.closeAnswered).toBeUndefined();
    expect(pair.client.sent.length).toBe(2);
  });
});

test('opened is told when what was queued is out, and before anything that the peer says', async () => {
  const pair = new SessionPair({ backend });
  const [client, server] = [pair.client, pair.server];
  server.send('queued');
  client.send('queued');
  const { onTransmit } = server;
  let release: (() => void) | undefined;
  server.onTransmit = (message): void => {
    if (typeof message !== 'string') release ??= pair.backend.hold('seal');
    onTransmit(message);
  };
  client.session.start();
  await pair.settle();
  pair.deliver('client');
  while (pair.inFlight.server.length < 2) await turn();
  pair.deliver('server');
  pair.deliver('server');
  while (client.session.state !== 'open') await turn();
  await turn();
  // Both Finisheds are accepted or on their way, and neither end has given its queue to the transport.
  expect([server.events, client.events]).toEqual([[], []]);
  release?.();
  await pair.pump();
  expect(server.events).toEqual(['opened', 'peerAccepted']);
  expect(client.events).toEqual(['peerAccepted', 'opened']);
  expect([server.received, client.received]).toEqual([['queued'], ['queued']]);
});

test.each(['client', 'server'] as const)('a %s that closes before it was told opened is not told so', async (role) => {
  const pair = new SessionPair({ backend });
  const end = pair.end(role);
  end.send('queued', () => {
    end.close(4000);
  });
  await pair.connect();
  expect(end.events).not.toContain('opened');
  expect(end.outcome).toMatchObject({ code: 4000, wasClean: true });
  expect(pair.peerOf(role).received).toEqual(['queued']);
});

test('a failure in the middle of a flush: what is behind it is told too, and nothing more goes out', async () => {
  const pair = await connected({ backend: BACKENDS.node });
  const told: unknown[] = [];
  pair.client.onTransmit = (): void => {
    pair.client.session.abort('PQ_ERR_TRANSPORT');
  };
  for (let i = 0; i < 4; i += 1) pair.client.send(new Uint8Array(20_000), (error) => told.push(error?.name));
  const before = pair.client.sent.length;
  pair.client.session.flush();
  expect(pair.client.sent.length).toBe(before + 1);
  expect(told).toEqual([undefined, ...Array<string>(3).fill('PQWebSocketError')]);
  expect(pair.client.session.queuedBytes).toBe(60_000);
});

test('messages come in order however long each takes, and a close behind them', async () => {
  const pair = await connected({ backend });
  const release = pair.backend.hold('seal');
  pair.client.say('slow');
  await turn();
  release();
  for (const message of ['fast', 'x'.repeat(50_000), 'last']) pair.client.say(message);
  pair.client.close(1000);
  await pair.pump();
  expect(pair.server.received.map((message) => message.length)).toEqual([4, 4, 50_000, 4]);
  expect(pair.server.outcome?.wasClean).toBe(true);
});

test('the application closes while a message is being delivered: what the same record still holds is not', async () => {
  for (const name of ['node', 'webcrypto'] as const) {
    const pair = await connected({ backend: BACKENDS[name] });
    pair.server.onMessage = (message): void => {
      if (message === 'two') pair.server.close(4000);
    };
    for (const message of ['one', 'two', 'three']) pair.client.send(message);
    pair.client.session.flush();
    await pair.pump();
    expect(pair.server.received).toEqual(['one', 'two']);
    expect(pair.client.outcome).toMatchObject({ code: 4000, wasClean: true });
  }
});

describe('the tools', () => {
  const boom = new Error('boom');
  const fail = (): never => {
    throw boom;
  };

  test('nothing that is here becomes a promise, and a thenable counts as one', async () => {
    expect(chain(1, (value) => value + 1)).toBe(2);
    expect(attempt(() => 1, fail)).toBe(1);
    expect(attempt(fail, () => 2)).toBe(2);
    expect(isPromise(chain(Promise.resolve(1), (value) => value))).toBe(true);
    expect(
      await attempt<number>(
        () => Promise.reject(boom),
        () => 3,
      ),
    ).toBe(3);
    const thenable = {
      then: (_: unknown, no: (error: unknown) => void) => {
        no(boom);
      },
    } as unknown as Promise<number>;
    expect(
      await attempt<number>(
        () => thenable,
        () => 4,
      ),
    ).toBe(4);
  });

  test('finish() cleans up once, whatever comes', async () => {
    let cleaned = 0;
    const clean = (): void => {
      cleaned += 1;
    };
    expect(finish(() => 1, clean)).toBe(1);
    expect(() => finish(fail, clean)).toThrow(boom);
    expect(await finish(() => Promise.resolve(2), clean)).toBe(2);
    await expect(finish<void>(() => Promise.reject(boom), clean)).rejects.toBe(boom);
    expect(cleaned).toBe(4);
  });

  test('allOrNone() destroys what came when another failed, also what comes later', async () => {
    const destroyed: string[] = [];
    const held = (name: string): { destroy(): void } => ({ destroy: () => destroyed.push(name) });
    const late = deferred<{ destroy(): void }>();
    expect(() => allOrNone([(): object & { destroy(): void } => held('one'), fail])).toThrow(boom);
    await expect(
      allOrNone([() => held('two'), () => late.promise, (): Promise<never> => Promise.reject(boom)]),
    ).rejects.toBe(boom);
    late.resolve(held('three'));
    await turn();
    expect(destroyed).toEqual(['one', 'two', 'three']);
  });

  test('a queue goes on after a step that throws or rejects, and forgets what it is told to', async () => {
    const log: unknown[] = [];
    const queue = new SerialQueue((error) => log.push(error));
    queue.push(fail);
    queue.push(() => Promise.reject(boom));
    queue.push(() => void log.push('after'));
    await turn();
    const gate = deferred();
    queue.push(() => gate.promise);
    queue.push(() => void log.push('never'));
    queue.clear();
    gate.resolve();
    await turn();
    queue.push(() => void log.push('again'));
    expect(log).toEqual([boom, boom, 'after', 'again']);
  });

  test('results come in the order in which they began, and go on after one that fails', async () => {
    const log: unknown[] = [];
    const queue = new SerialQueue((error) => log.push(error));
    const results = {
      push: (result: string | Promise<string>): void => {
        queue.pushResult(result, (known) => log.push(known));
      },
    };
    const [slow, broken] = [deferred<string>(), deferred<string>()];
    results.push('at once');
    results.push(slow.promise);
    results.push(broken.promise);
    results.push('third');
    broken.reject(boom);
    await turn();
    slow.resolve('slow');
    await turn();
    results.push('at once again');
    expect(log).toEqual(['at once', 'slow', boom, 'third', 'at once again']);
  });
});

describe('a flood of tiny frames to an open session whose backend answers later', () => {
  test('is worked off in order and in time, however many there are below the bound', async () => {
    const pair = await connected({ backend: BACKENDS.webcrypto });
    const count = 20_000;
    for (let i = 0; i < count; i += 1) {
      pair.client.send(String(i));
      pair.client.session.flush();
    }
    await pair.settle();
    while (pair.deliver('client'));
    await pair.settle();
    expect(pair.server.received.length).toBe(count);
    expect(pair.server.received.every((text, i) => text === String(i))).toBe(true);
  });

  test('fails with 3773 beyond it', async () => {
    const pair = await connected({ backend: BACKENDS.webcrypto });
    pair.backend.hold('open');
    const frame = new Uint8Array(30);
    for (let i = 0; i < 65_538; i += 1) pair.server.session.receive(frame);
    expect(pair.server.failure).toMatchObject({ code: 'PQ_ERR_QUEUE_LIMIT', closeCode: 3773 });
  });
});
