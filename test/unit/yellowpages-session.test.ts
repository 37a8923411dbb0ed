/** The yellowpages session without a network: states, steps and their time, limits, nonces, and how it ends. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import { DEFAULT_YELLOWPAGES } from '../../src/protocol/limits.ts';
import type { CommonCode, PQErrorCode } from '../../src/api/errors.ts';
import type { SeldomCode } from '../../src/api/seldom-failures.ts';
import { SELDOM_FAILURES } from '../../src/api/seldom-failures.ts';
import { Refusal } from '../../src/protocol/errors.ts';
import type { YellowpagesState } from '../../src/protocol/yellowpages/states.ts';
import { StateMachine } from '../../src/protocol/state-machine.ts';
import { YELLOWPAGES_STATES } from '../../src/protocol/yellowpages/states.ts';
import { seldomRefusal } from '../../src/protocol/seldom-refusal.ts';
import { BACKEND_NAMES, BACKENDS, ProfilePair } from '../support/profile-pair.ts';
import type { ProfileEnd, ProfileEndOptions, ProfilePairOptions, Role } from '../support/profile-pair.ts';

const STEP = 30_000;
const never = (): Promise<never> => new Promise(() => undefined);

function pairOf(options: ProfilePairOptions = {}): ProfilePair {
  return new ProfilePair({ ...options, both: { profile: 'yellowpages', ...options.both } });
}

function opened(options: ProfilePairOptions = {}): Promise<ProfilePair> {
  return pairOf(options).connect();
}

interface Placed {
  readonly pair: ProfilePair;
  readonly end: ProfileEnd;
}

/** How an end gets into a state. */
const WAYS: Record<YellowpagesState, () => Promise<Placed>> = {
  'client: idle': async () => {
    const pair = pairOf();
    return { pair, end: pair.client };
  },
  'client: awaiting server hello': async () => {
    const pair = pairOf();
    pair.client.session.start();
    return { pair, end: pair.client };
  },
  'client: verifying': async () => {
    const pair = await opened({
      client: { yellowpages: { verify: never } },
      server: { yellowpages: { attest: () => utf8('document') } },
    });
    return { pair, end: pair.client };
  },
  'server: awaiting client hello': async () => {
    const pair = pairOf();
    return { pair, end: pair.server };
  },
  'server: replying': async () => {
    const pair = await opened({ server: { yellowpages: { attest: never } } });
    return { pair, end: pair.server };
  },
  open: async () => {
    const pair = await opened();
    return { pair, end: pair.client };
  },
  closing: async () => {
    const pair = await opened();
    pair.backend.hold('seal');
    pair.client.say('held');
    pair.client.close(4001, 'own');
    return { pair, end: pair.client };
  },
  ended: async () => {
    const pair = await opened();
    pair.client.close(4001, 'own');
    return { pair, end: pair.client };
  },
  failed: async () => {
    const pair = await opened();
    pair.client.session.abort('PQ_ERR_RECORD');
    return { pair, end: pair.client };
  },
};
const STATES = Object.keys(WAYS) as YellowpagesState[];

async function inState(state: YellowpagesState): Promise<Placed> {
  const placed = await WAYS[state]();
  expect(placed.end.session.state).toBe(state);
  return placed;
}

const HANDSHAKING: readonly YellowpagesState[] = STATES.slice(0, 5);

test('a transition that the table does not name throws', () => {
  for (const role of ['client', 'server'] as const) {
    const machine = new StateMachine(YELLOWPAGES_STATES[role]);
    expect(() => {
      machine.move('agreed');
    }).toThrow(`no transition 'agreed' from state '${machine.current}'`);
  }
});

describe.each(STATES)('in state %s', (state) => {
  const handshaking = HANDSHAKING.includes(state);

  test('a defect of the host fails it once', async () => {
    const { end } = await inState(state);
    const before = end.told;
    end.session.abort('PQ_ERR_INTERNAL', new Error('a defect'));
    if (state === 'ended' || state === 'failed') expect(end.told).toBe(before);
    else expect([end.session.state, end.told?.code]).toEqual(['failed', end.role === 'server' ? 1011 : undefined]);
  });

  test('the transport closes', async () => {
    const { end } = await inState(state);
    const failure = end.session.failure;
    end.session.transportClosed(1000, undefined, { reason: 'bye', wasClean: true });
    end.session.transportClosed(1006);
    expect(end.events.filter((event) => event === 'closed')).toEqual(['closed']);
    if (failure !== undefined) expect(end.outcome).toMatchObject({ code: 3771, wasClean: false, failure });
    else expect(end.outcome).toMatchObject({ code: 1000, reason: 'bye', wasClean: !handshaking });
    expect(end.session.state).toBe(handshaking || state === 'failed' ? 'failed' : 'ended');
  });

  test('the application sends and closes', async () => {
    const { end } = await inState(state);
    const silent = ['closing', 'ended', 'failed'].includes(state);
    const told: (Error | undefined)[] = [];
    expect(end.send('message', (error) => told.push(error))).toBe(!silent);
    if (silent) expect(told).toHaveLength(1);
    const before = end.told;
    end.close(4000, 'own');
    if (handshaking) {
      expect(end.failure?.code).toBe('PQ_ERR_CLOSED_EARLY');
      expect(end.told).toEqual({ code: undefined, reason: '' });
      expect(told).toEqual([end.failure]);
    } else if (state === 'open') expect(end.told).toEqual({ code: 4000, reason: 'own' });
    else expect(end.told).toBe(before);
  });

  test('a message that no state expects', async () => {
    const { end } = await inState(state);
    const { failure } = end;
    end.session.receive('{}');
    if (state === 'client: verifying') expect(end.session.state).toBe(state);
    else if (handshaking || state === 'open') expect(end.session.state).toBe('failed');
    else expect(end.failure).toBe(failure);
  });

  test('its time', async () => {
    const { pair, end } = await inState(state);
    expect(end.session.deadline).toBe(handshaking ? pair.clock.time + STEP : undefined);
    pair.clock.time += STEP - 1;
    end.session.tick();
    const { failure } = end;
    if (handshaking) expect(failure).toBeUndefined();
    pair.clock.time += 1;
    end.session.tick();
    if (handshaking) expect(end.told).toEqual({ code: 4000, reason: 'handshake timed out' });
    else expect(end.failure).toBe(failure);
  });
});

describe('each step has its own time', () => {
  test("a client's: the transport's opening, then up to open", () => {
    const pair = pairOf();
    pair.clock.time += STEP - 1;
    pair.client.session.start();
    expect(pair.client.session.deadline).toBe(pair.clock.time + STEP);
  });

  test("a server's: up to ClientHello, then up to ServerHello", async () => {
    const pair = pairOf({ server: { yellowpages: { attest: never, stepTimeout: 500 } } });
    pair.client.session.start();
    pair.clock.time += 499;
    pair.deliver('client');
    expect([pair.server.session.state, pair.server.session.deadline]).toEqual([
      'server: replying',
      pair.clock.time + 500,
    ]);
  });
});

describe.each(BACKEND_NAMES)('%s', (name) => {
  const backend = BACKENDS[name];

  test('opens, delivers in order both ways, and closes with what the application said', async () => {
    const pair = pairOf({ backend });
    pair.client.send('queued');
    await pair.connect();
    const text = Array.from({ length: 30 }, (_, index) => `message ${index}`);
    for (const message of text) {
      pair.client.say(message);
      pair.server.say(message);
    }
    pair.client.close(4001, 'done');
    await pair.pump();
    expect(pair.server.texts).toEqual(['queued', ...text]);
    expect(pair.client.events).toEqual(['opened', 'closing', 'closed']);
    expect(pair.server.events).toEqual(['opened', 'peerAccepted', 'closed']);
    for (const { outcome } of [pair.client, pair.server]) {
      expect(outcome).toEqual({ code: 4001, reason: 'done', wasClean: true, failure: undefined });
    }
    expect([...pair.backend.live.values()]).toEqual([]);
  });

  test('nothing that holds a secret outlives it, wherever a defect strikes', async () => {
    const converse = async (failAt: number): Promise<ProfilePair> => {
      const pair = pairOf({
        backend,
        server: { yellowpages: { attest: () => utf8('document') } },
        client: { yellowpages: { verify: () => undefined } },
      });
      pair.backend.failAt = failAt;
      pair.client.send('queued');
      await pair.connect();
      pair.client.say('one');
      pair.server.say('two');
      await pair.pump();
      pair.server.close(1000);
      await pair.pump();
      return pair;
    };
    const { operations } = (await converse(Infinity)).backend;
    expect(operations.length).toBeGreaterThan(10);
    for (let at = 1; at <= operations.length; at += 1) {
      const pair = await converse(at);
      const failed = [pair.client, pair.server].filter(({ failure }) => failure !== undefined);
      expect([at, operations[at - 1], failed.length]).toEqual([at, operations[at - 1], 1]);
      expect(failed[0]?.failure?.code).toBe('PQ_ERR_INTERNAL');
      pair.cut();
      await pair.settle();
      expect([at, [...pair.backend.live.values()]]).toEqual([at, []]);
      expect(pair.backend.buffers.every((buffer) => buffer.every((byte) => byte === 0))).toBe(true);
    }
  });

  test('left at any moment by the transport, nothing is held', async () => {
    const count = async (stop: number, leave: (pair: ProfilePair) => void): Promise<ProfilePair> => {
      const pair = pairOf({ backend });
      pair.backend.onOperation = (number): void => {
        if (number === stop)
          queueMicrotask(() => {
            leave(pair);
          });
      };
      await pair.connect();
      pair.client.say('message');
      await pair.pump();
      pair.cut();
      await pair.settle();
      return pair;
    };
    const { operations } = (await count(Infinity, () => undefined)).backend;
    for (let at = 1; at <= operations.length; at += 1) {
      for (const leave of [
        (pair: ProfilePair): void => {
          pair.cut();
        },
        (pair: ProfilePair): void => {
          pair.client.close();
        },
        (pair: ProfilePair): void => {
          pair.server.session.fail(seldomRefusal('PQ_ERR_OVERLOAD'));
        },
      ]) {
        const pair = await count(at, leave);
        expect([at, [...pair.backend.live.values()]]).toEqual([at, []]);
        expect([pair.client.outcome === undefined, pair.server.outcome === undefined]).toEqual([false, false]);
      }
    }
  });

  test('the shared secret and the decapsulation key are gone when the key is there', async () => {
    const pair = await opened({ backend });
    expect([...pair.backend.live.values()]).toEqual(['AEAD key', 'AEAD key']);
  });
});

describe('what waits', () => {
  test('frames behind a verification are judged after it, within the limit', async () => {
    let accept: () => void = () => undefined;
    const verify = (): Promise<void> =>
      new Promise((resolve) => {
        accept = resolve;
      });
    const options = {
      client: { yellowpages: { verify }, limits: { maxWaitingBytes: 1_000 } },
      server: { yellowpages: { attest: () => utf8('document') } },
    };
    const pair = await opened(options);
    pair.server.say('waits');
    await pair.pump();
    expect([pair.client.session.state, pair.client.received]).toEqual(['client: verifying', []]);
    accept();
    await pair.settle();
    expect([pair.client.texts, pair.client.events]).toEqual([['waits'], ['opened', 'peerAccepted']]);
    const over = await opened(options);
    over.server.say('x'.repeat(1_000));
    await over.pump();
    expect(over.client.failure).toMatchObject({ code: 'PQ_ERR_QUEUE_LIMIT', closeCode: 3768 });
  });

  test.each<[Role, number]>([
    ['client', 3768],
    ['server', 1011],
  ])('a %s that queues too much before open fails with %i', (role, code) => {
    const pair = pairOf({ both: { profile: 'yellowpages', limits: { maxQueuedBytes: 10 } } });
    const end = pair[role];
    const told: (Error | undefined)[] = [];
    end.send('ten bytes.', (error) => told.push(error));
    expect([end.failure, end.session.queuedBytes]).toEqual([undefined, 10]);
    end.send('x', (error) => told.push(error));
    expect(end.failure).toMatchObject({ code: 'PQ_ERR_QUEUE_LIMIT', closeCode: code });
    expect(told).toEqual([end.failure, end.failure]);
  });

  test('a message is copied when it is sent', async () => {
    const pair = pairOf();
    const bytes = utf8('as it was');
    pair.client.send(bytes);
    bytes.fill(0);
    await pair.connect();
    expect(pair.server.texts).toEqual(['as it was']);
  });

  test('is told what became of it', async () => {
    const pair = await opened();
    const told: (Error | undefined)[] = [];
    pair.client.send('goes out', (error) => told.push(error));
    expect(told).toEqual([]);
    pair.client.session.flush();
    expect([told, pair.client.session.queuedBytes]).toEqual([[undefined], 0]);
    pair.backend.hold('seal');
    pair.client.send('is lost', (error) => told.push(error));
    pair.client.session.flush();
    expect(pair.client.session.queuedBytes).toBe(7);
    pair.client.session.abort('PQ_ERR_INTERNAL');
    expect(told).toEqual([undefined, pair.client.failure]);
  });
});

describe('frames', () => {
  test.each<[Role, number]>([
    ['client', 3773],
    ['server', 1008],
  ])('a %s refuses a message above maxPayload with %i, before it opens it', async (role, code) => {
    const pair = await opened({ both: { profile: 'yellowpages', limits: { maxPayload: 10 } } });
    const from = role === 'client' ? pair.server : pair.client;
    from.say('ten bytes.');
    await pair.pump();
    expect(pair[role].texts).toEqual(['ten bytes.']);
    const { operations } = pair.backend;
    from.say('eleven byte');
    const opens = operations.filter((operation) => operation === 'open').length;
    await pair.pump();
    expect(pair[role].failure).toMatchObject({ code: 'PQ_ERR_MESSAGE_SIZE', closeCode: code });
    expect(operations.filter((operation) => operation === 'open').length).toBe(opens);
  });

  test('both directions together have 65,536, and the next fails whoever makes it', async () => {
    const most = { profile: 'yellowpages', yellowpages: { maxFrames: 4 } } as const;
    const fill = async (options: ProfilePairOptions): Promise<ProfilePair> => {
      const pair = await opened(options);
      for (let count = 0; count < 2; count += 1) {
        pair.client.say('from the client');
        pair.server.say('from the server');
      }
      await pair.pump();
      expect([pair.client.failure, pair.server.failure, pair.server.received.length]).toEqual([
        undefined,
        undefined,
        2,
      ]);
      return pair;
    };
    const sending = await fill({ both: most });
    sending.client.say('one too many');
    expect(sending.client.failure).toMatchObject({ code: 'PQ_ERR_EPOCH_LIMIT', closeCode: 3773 });
    const receiving = await fill({ server: most });
    receiving.client.say('one too many');
    await receiving.pump();
    expect(receiving.server.failure).toMatchObject({ code: 'PQ_ERR_EPOCH_LIMIT', closeCode: 1008 });
    expect(receiving.server.received.length).toBe(2);
  });

  test('the default is 65,536 frames, and 30 s', () => {
    expect(DEFAULT_YELLOWPAGES).toEqual({ stepTimeout: 30_000, maxFrames: 65_536 });
  });

  test('a nonce that comes again, own or received, is drawn again', async () => {
    const drawn: number[] = [];
    const given = [7, 7, 9, 8];
    const random = <T extends Uint8Array>(target: T): T => {
      const next = given.shift() ?? 0;
      drawn.push(next);
      return target.fill(next);
    };
    const nine = <T extends Uint8Array>(target: T): T => target.fill(9);
    const pair = await opened({ client: { random }, server: { random: nine } });
    pair.server.say('has the nonce 9');
    await pair.pump();
    pair.client.say('has 7');
    pair.client.say('draws 7, then 9, then 8');
    expect(drawn).toEqual([7, 7, 9, 8]);
    expect(pair.client.frames.map((frame) => [...frame.subarray(0, 12)])).toEqual(
      [7, 8].map((byte) => Array<number>(12).fill(byte)),
    );
  });

  test.each<[string, Uint8Array]>([
    ['27 bytes', new Uint8Array(27)],
    ['none', new Uint8Array(0)],
  ])('of %s do not open', async (_name, frame) => {
    const { client } = await opened();
    client.session.receive(frame);
    expect(client.failure).toMatchObject({ code: 'PQ_ERR_RECORD', closeCode: 3771 });
  });

  test('what comes after the close of the application is not looked at', async () => {
    const pair = await opened();
    pair.server.say('on its way');
    pair.client.close(1000);
    await pair.pump();
    expect([pair.client.received, pair.client.failure, pair.client.outcome?.wasClean]).toEqual([[], undefined, true]);
  });

  test('an application that closes at a message gets no more', async () => {
    const pair = await opened();
    for (const message of ['one', 'two', 'three']) pair.server.say(message);
    pair.client.onMessage = (): void => {
      pair.client.close(4001, 'enough');
    };
    await pair.pump();
    expect(pair.client.texts).toEqual(['one']);
    expect(pair.server.outcome).toMatchObject({ code: 4001, reason: 'enough', wasClean: true });
  });
});

describe('how it ends', () => {
  const END = { reason: 'why', wasClean: true };

  test.each([1000, 1001, 1005, 1008, 1011, 1013, 3000, 3767, 3774, 4000, 4001, 4999])(
    'the transport code %i passes, with its reason',
    async (code) => {
      const { client } = await opened();
      client.session.transportClosed(code, undefined, END);
      expect(client.outcome).toEqual({ code, reason: 'why', wasClean: true, failure: undefined });
      const early = pairOf().client;
      early.session.transportClosed(code, undefined, END);
      expect(early.outcome).toMatchObject({
        code,
        reason: 'why',
        wasClean: false,
        // 1005 stands for a close without a code; every other says that the peer has closed, and why.
        failure: { code: code === 1005 ? 'PQ_ERR_CLOSED_EARLY' : 'PQ_ERR_PEER', origin: 'transport' },
      });
    },
  );

  test.each([3768, 3771, 3773])('the transport code %i is a failure that the peer claims', async (code) => {
    const { server } = await opened();
    server.session.transportClosed(code, undefined, END);
    expect(server.outcome).toMatchObject({
      code,
      reason: 'why',
      wasClean: false,
      failure: { code: 'PQ_ERR_PEER', origin: 'transport' },
    });
  });

  test('a code that arrived is a close, also where the network went before the transport was done', async () => {
    const { client } = await opened();
    client.session.transportClosed(4001, new Error('reset'), { reason: 'why', wasClean: false });
    expect(client.outcome).toEqual({ code: 4001, reason: 'why', wasClean: false, failure: undefined });
  });

  test('a cut is not clean, with the cause where the transport tells one', async () => {
    for (const cause of [undefined, new Error('reset')]) {
      const { client } = await opened();
      client.session.transportClosed(1006, cause);
      expect(client.outcome).toMatchObject({
        code: 1006,
        reason: '',
        wasClean: false,
        failure: { code: 'PQ_ERR_TRANSPORT', origin: 'transport' },
      });
      expect(client.outcome?.failure?.cause).toBe(cause);
      const early = pairOf().client;
      early.session.transportClosed(1006, cause);
      expect(early.outcome?.failure?.code).toBe(cause === undefined ? 'PQ_ERR_CLOSED_EARLY' : 'PQ_ERR_TRANSPORT');
    }
  });

  test('frames that came before the close are delivered before it, however long they take to open', async () => {
    const pair = await opened({ backend: BACKENDS.webcrypto });
    pair.server.say('last words');
    await pair.settle();
    pair.deliver('server');
    pair.client.session.transportClosed(1000, undefined, END);
    expect(pair.client.outcome).toBeUndefined();
    await pair.settle();
    expect([pair.client.texts, pair.client.outcome?.wasClean]).toEqual([['last words'], true]);
  });

  test.each<[PQErrorCode, Role, boolean, number | undefined]>([
    ['PQ_ERR_HELLO', 'client', false, 3768],
    ['PQ_ERR_HELLO', 'server', false, 1008],
    ['PQ_ERR_KEM', 'server', false, 1008],
    ['PQ_ERR_ATTESTATION_MISSING', 'client', false, 3770],
    ['PQ_ERR_IDENTITY', 'server', false, 1011],
    ['PQ_ERR_HANDSHAKE_TIMEOUT', 'client', false, 4000],
    ['PQ_ERR_HANDSHAKE_TIMEOUT', 'server', false, 4000],
    ['PQ_ERR_RECORD', 'client', false, 3768],
    ['PQ_ERR_RECORD', 'client', true, 3771],
    ['PQ_ERR_RECORD', 'server', true, 1008],
    ['PQ_ERR_TEXT_FRAME', 'client', true, 3772],
    ['PQ_ERR_EPOCH_LIMIT', 'client', true, 3773],
    ['PQ_ERR_INTERNAL', 'client', true, undefined],
    ['PQ_ERR_INTERNAL', 'server', true, 1011],
    ['PQ_ERR_OVERLOAD', 'server', false, 1013],
    ['PQ_ERR_GOING_AWAY', 'server', false, 1001],
    ['PQ_ERR_CLOSED_EARLY', 'server', false, undefined],
  ])('%s at a %s (open: %s) closes the transport with %s', async (code, role, isOpen, closeCode) => {
    const pair = isOpen ? await opened() : pairOf();
    const end = pair[role];
    end.session.fail(
      Object.hasOwn(SELDOM_FAILURES, code) ? seldomRefusal(code as SeldomCode) : new Refusal(code as CommonCode),
    );
    expect(end.told?.code).toBe(closeCode);
    end.session.transportClosed(1005, undefined, END);
    expect(end.outcome).toMatchObject({
      code: closeCode ?? 1006,
      reason: '',
      wasClean: false,
      failure: { code, origin: 'local' },
    });
  });
});

describe('hellos', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

  async function answered(member: string, profile: NonNullable<ProfileEndOptions['profile']>): Promise<string> {
    const pair = pairOf({ server: { profile } });
    pair.client.session.start();
    const hello = pair.client.sent[0] as string;
    pair.server.session.receive(hello.replace('{', `{${member}`));
    await pair.settle();
    return pair.server.failure?.code ?? pair.server.session.profile;
  }

  test.each([
    ['"more":1e400,', 'yellowpages'],
    ['"more":-1e400,', 'yellowpages'],
    ['"more":"\\ud800",', 'yellowpages'],
    [`"more":${nested(16)},`, 'yellowpages'],
    ['"PQ_WEBSOCKET":1,', 'yellowpages'],
    ['"__proto__":{"pq_websocket":1},', 'yellowpages'],
    ['"constructor":1,', 'yellowpages'],
    ['"pq_websocket":1,', 'v1'],
    ['"pq_websocket":1.0,', 'v1'],
    ['"pq_websocket":1e0,', 'v1'],
    ['"pq_websocket":10E-1,', 'v1'],
    ['"pq_\\u0077ebsocket":1,', 'v1'],
    ['"pq_websocket":2,', 'PQ_ERR_VERSION'],
    ['"pq_websocket":"1",', 'PQ_ERR_VERSION'],
    ['"pq_websocket":true,', 'PQ_ERR_VERSION'],
    ['"pq_websocket":null,', 'PQ_ERR_VERSION'],
    ['"pq_websocket":[1],', 'PQ_ERR_VERSION'],
    ['"pq_websocket":1e400,', 'PQ_ERR_VERSION'],
  ])('%s to a server of both profiles: %s', async (member, expected) => {
    expect(await answered(member, 'either')).toBe(expected);
    // Alone, yellowpages takes the same ones and refuses all of v1's.
    expect(await answered(member, 'yellowpages')).toBe(expected === 'yellowpages' ? expected : 'PQ_ERR_VERSION');
  });

  test('a ClientHello may have 16,384 bytes, a ServerHello 65,536', async () => {
    for (const [role, most] of [
      ['server', 16_384],
      ['client', 65_536],
    ] as const) {
      for (const extra of [0, 1]) {
        const pair = pairOf();
        pair.client.session.start();
        if (role === 'client') pair.deliver('client');
        const hello = (role === 'server' ? pair.client : pair.server).sent[0] as string;
        const end = pair[role];
        // Two bytes each in UTF-8, so that characters are not what is counted.
        const padding = most + extra - utf8(hello).length - utf8('"more":"",').length;
        end.session.receive(hello.replace('{', `{"more":"${'é'.repeat(padding >> 1)}${'x'.repeat(padding & 1)}",`));
        expect([role, extra, end.failure?.code]).toEqual([role, extra, extra === 0 ? undefined : 'PQ_ERR_HELLO']);
      }
    }
  });
});
