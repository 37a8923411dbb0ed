/** The handshake's timeouts, queues and the application's two callbacks (PROTOCOL.md sections 3, 4 and 10). */
import { describe, expect, test } from 'vitest';
import { seldomRefusal } from '../../src/protocol/seldom-refusal.ts';
import { deferred } from '../support/deferred.ts';
import { BACKEND_NAMES, BACKENDS, SessionPair } from '../support/session-pair.ts';
import { ALL_STATES, inState } from '../support/session-states.ts';

const HANDSHAKE = ALL_STATES.filter((state) => state.startsWith('client') || state.startsWith('server'));

describe('timeout', () => {
  test.each(HANDSHAKE)('%s', async (state) => {
    const { end, pair } = await inState(state);
    if (state === 'client: idle') {
      // A client's time begins when its transport opens.
      expect(end.session.deadline).toBeUndefined();
      pair.clock.time += 1_000_000;
      end.session.tick();
      end.session.start();
    }
    expect(end.session.deadline).toBe(pair.clock.time + 10_000);
    pair.clock.time += 9_999;
    end.session.tick();
    expect(end.failure).toBeUndefined();
    pair.clock.time += 1;
    end.session.tick();
    expect(end.failure).toMatchObject({ code: 'PQ_ERR_HANDSHAKE_TIMEOUT', closeCode: 3769, origin: 'local' });
    expect(end.session.deadline).toBeUndefined();
    end.session.transportClosed(3769);
    expect(end.outcome).toMatchObject({ code: 3769, wasClean: false });
  });

  test("is over at Finished, and the server's not before Finished(client)", async () => {
    const { pair, end: server } = await inState('server: awaiting finished');
    pair.deliver('server');
    pair.deliver('server');
    expect(pair.client.session.state).toBe('open');
    expect(pair.client.session.deadline).toBeUndefined();
    expect(server.events).toEqual(['opened']);
    expect(server.session.deadline).toBe(pair.clock.time + 10_000);
    pair.deliver('client');
    expect(server.events).toEqual(['opened', 'peerAccepted']);
    expect(server.session.deadline).toBeUndefined();
  });
});

describe.each(BACKEND_NAMES)('%s', (name) => {
  const backend = BACKENDS[name];

  test('what was queued goes out first, in order, before opened is told', async () => {
    const pair = new SessionPair({ backend });
    const order: string[] = [];
    for (const end of [pair.client, pair.server]) {
      const transmit = end.onTransmit;
      end.onTransmit = (message): void => {
        transmit(message);
        if ((end.sent.at(-1)?.receipt?.applicationBytes ?? 0) > 0) order.push(`${end.role} frame`);
      };
      end.onEvent = (event): void => {
        if (event !== 'opened') return;
        order.push(`${end.role} opened`);
        end.say('after');
      };
      end.send('first');
      end.send(Uint8Array.of(2));
    }
    await pair.connect();
    expect(pair.server.received).toEqual(['first', Uint8Array.of(2), 'after']);
    expect(pair.client.received).toEqual(['first', Uint8Array.of(2), 'after']);
    expect(order.slice(0, 2)).toEqual(['server frame', 'server opened']);
    expect(order.filter((each) => each.startsWith('client')).slice(0, 2)).toEqual(['client frame', 'client opened']);
  });

  test('a transport that delivers, and a peer that answers, within the call that transmits', async () => {
    const pair = new SessionPair({ backend });
    for (const end of [pair.client, pair.server]) {
      const peer = pair.peerOf(end.role);
      end.onTransmit = (message): void => {
        peer.session.receive(message);
      };
      end.onCloseTransport = (): void => undefined;
      end.onMessage = (message): void => {
        if (end === pair.server) end.say(`echo ${String(message)}`);
      };
      end.send(`queued by the ${end.role}`);
    }
    pair.client.session.start();
    await pair.settle();
    pair.client.say('said');
    await pair.settle();
    pair.client.close(4001, 'done');
    await pair.settle();
    expect(pair.server.received).toEqual(['queued by the client', 'said']);
    expect([...pair.client.received].sort()).toEqual([
      'echo queued by the client',
      'echo said',
      'queued by the server',
    ]);
    expect(pair.server.events).toEqual(['opened', 'peerAccepted', 'peerClosing', 'ended']);
    expect(pair.client.events.slice(0, 2)).toEqual(['peerAccepted', 'opened']);
    expect([pair.client.session.state, pair.server.session.state]).toEqual(['ended', 'ended']);
  });

  test('a peer that speaks no pq gets the hello and nothing of what was queued', async () => {
    for (const noise of ['{"type":"welcome"}', 'hello', '', new Uint8Array(40), new Uint8Array(0)]) {
      const pair = new SessionPair({ backend });
      const told: unknown[] = [];
      pair.client.send('secret', (error) => told.push(error));
      pair.client.session.start();
      await pair.settle();
      pair.client.session.receive(noise);
      await pair.settle();
      expect(pair.client.failure?.closeCode).toBe(3768);
      expect(pair.client.sent.length).toBe(1);
      expect(told).toEqual([pair.client.failure]);
      expect(pair.client.session.queuedBytes).toBe(6);
    }
  });

  test('a server says nothing to a client that speaks no pq', async () => {
    for (const noise of ['{"type":"welcome"}', 'hello', '', new Uint8Array(40), new Uint8Array(0)]) {
      const pair = new SessionPair({ backend });
      pair.server.send('secret');
      pair.server.session.receive(noise);
      await pair.settle();
      expect(pair.server.failure?.closeCode).toBe(3768);
      expect(pair.server.sent).toEqual([]);
    }
  });

  test('a message where the peer has nothing to say yet is refused at once', async () => {
    const idle = new SessionPair({ backend }).client;
    idle.session.receive('{}');
    expect(idle.failure).toMatchObject({ code: 'PQ_ERR_MESSAGE_TYPE', closeCode: 3768 });
    const { end, pair } = await inState('server: replying', backend);
    end.session.receive(new Uint8Array(29));
    expect(end.failure).toMatchObject({ code: 'PQ_ERR_MESSAGE_TYPE', closeCode: 3768 });
    await pair.settle();
    expect(end.sent).toEqual([]);
  });

  test('ServerHello goes out with Finished(server) or not at all', async () => {
    const pair = new SessionPair({ backend });
    // The first record is the only one whose nonce is asked for: the random source fails there.
    const broken = new SessionPair({
      backend,
      server: {
        random: () => {
          throw new Error('no entropy');
        },
      },
    });
    for (const each of [pair, broken]) {
      each.client.session.start();
      await each.settle();
      each.deliver('client');
      await each.settle();
    }
    expect(pair.server.sent.map(({ message }) => typeof message)).toEqual(['string', 'object']);
    expect(broken.server.sent).toEqual([]);
    expect(broken.server.failure).toMatchObject({ code: 'PQ_ERR_INTERNAL', closeCode: undefined });
    expect(broken.server.events).toEqual(['failed']);
  });

  test.each([
    [
      'throws',
      (): never => {
        throw new Error('signer');
      },
    ],
    ['rejects', (): Promise<never> => Promise.reject(new Error('signer'))],
    [
      'is a thenable that rejects',
      (): Promise<never> =>
        ({
          then: (_: unknown, no: (error: unknown) => void) => {
            no(new Error('signer'));
          },
        }) as unknown as Promise<never>,
    ],
    ['is too long', (): { attestation: Uint8Array } => ({ attestation: new Uint8Array(50_000) })],
  ])('prove %s: 3770 and nothing is sent', async (_, prove) => {
    const pair = new SessionPair({ backend, server: { prove } });
    await pair.connect();
    expect(pair.server.failure).toMatchObject({ code: 'PQ_ERR_IDENTITY', closeCode: 3770 });
    expect(pair.server.sent).toEqual([]);
    expect(pair.client.outcome?.code).toBe(3770);
  });

  test.each([
    [
      'throws a Refusal',
      (): never => {
        throw seldomRefusal('PQ_ERR_SIGNATURE_INVALID');
      },
      'PQ_ERR_SIGNATURE_INVALID',
    ],
    [
      'rejects with a Refusal',
      (): Promise<never> => Promise.reject(seldomRefusal('PQ_ERR_ATTESTATION_MISSING')),
      'PQ_ERR_ATTESTATION_MISSING',
    ],
    [
      'throws anything else',
      (): never => {
        throw new TypeError('verifier');
      },
      'PQ_ERR_ATTESTATION_REFUSED',
    ],
    [
      'rejects with nothing',
      (): Promise<never> => Promise.reject(undefined as unknown as Error),
      'PQ_ERR_ATTESTATION_REFUSED',
    ],
  ])('authenticate %s: 3770, nothing sent or delivered', async (_, authenticate, code) => {
    const pair = new SessionPair({ backend, client: { authenticate } });
    pair.client.send('secret');
    pair.server.onEvent = (event): void => {
      if (event === 'opened') pair.server.say('early');
    };
    await pair.connect();
    expect(pair.client.failure).toMatchObject({ code, closeCode: 3770 });
    expect(pair.client.sent.length).toBe(1);
    expect(pair.client.received).toEqual([]);
    expect(pair.client.events).toEqual(['failed', 'closed']);
    expect(pair.server.events).not.toContain('peerAccepted');
  });

  test('what arrives during a verification waits, and is delivered after it', async () => {
    const verified = deferred();
    const pair = new SessionPair({ backend, client: { authenticate: () => verified.promise } });
    pair.server.onEvent = (event): void => {
      if (event === 'opened') pair.server.say('early');
    };
    await pair.connect();
    expect(pair.client.session.state).toBe('client: verifying');
    expect(pair.client.session.channel.recordsOpened).toBe(1);
    verified.resolve();
    await pair.pump();
    expect(pair.client.received).toEqual(['early']);
    expect(pair.client.events).toEqual(['peerAccepted', 'opened']);
  });

  test('a transport that closes during a verification ends it; its late result changes nothing', async () => {
    for (const late of ['resolve', 'reject'] as const) {
      const verified = deferred();
      const pair = new SessionPair({ backend, client: { authenticate: () => verified.promise } });
      await pair.connect();
      pair.client.session.transportClosed(1006);
      expect(pair.client.outcome?.code).toBe(1006);
      if (late === 'resolve') verified.resolve();
      else verified.reject(new Error('late'));
      await pair.settle();
      expect(pair.client.events).toEqual(['closed']);
      expect(pair.client.session.failure?.code).toBe('PQ_ERR_TRUNCATED');
      expect(pair.client.sent.length).toBe(1);
    }
  });

  test('a late proof of a server that has failed sends nothing', async () => {
    const proof = deferred<object>();
    const pair = new SessionPair({ backend, server: { prove: () => proof.promise } });
    await pair.connect();
    pair.server.session.fail(seldomRefusal('PQ_ERR_OVERLOAD'));
    proof.resolve({});
    await pair.settle();
    expect(pair.server.sent).toEqual([]);
    expect(pair.server.failure?.closeCode).toBe(1013);
  });
});

describe('queue limits', () => {
  const limits = { maxQueuedBytes: 1_000 };

  test.each(['client', 'server'] as const)('what a %s sends before it is open', (role) => {
    const end = new SessionPair({ both: { limits } }).end(role);
    const told: unknown[] = [];
    expect(end.send('x'.repeat(1_000), (error) => told.push(error))).toBe(true);
    expect(end.failure).toBeUndefined();
    expect(end.session.queuedBytes).toBe(1_000);
    end.send('y', (error) => told.push(error));
    expect(end.failure).toMatchObject({ code: 'PQ_ERR_QUEUE_LIMIT', closeCode: 3768 });
    expect(told).toEqual([end.failure, end.failure]);
    expect(end.session.queuedBytes).toBe(1_001);
  });

  test('once open there is none here: the transport is asked', async () => {
    const pair = await new SessionPair({ both: { limits } }).connect();
    pair.client.say('x'.repeat(5_000));
    pair.client.send('y'.repeat(5_000));
    await pair.pump();
    expect(pair.client.failure).toBeUndefined();
  });

  test.each([
    ['bytes', new Uint8Array(600), 1],
    ['messages, empty ones too', new Uint8Array(0), 15],
  ])('what waits for a verification: %s', async (_, frame, fit) => {
    const { end } = await inState('client: verifying');
    const small = new SessionPair({
      client: { limits: { maxWaitingBytes: 1_000 }, authenticate: () => new Promise<void>(() => undefined) },
    });
    await small.connect();
    for (let i = 0; i < fit; i += 1) small.client.session.receive(frame);
    expect(small.client.failure).toBeUndefined();
    small.client.session.receive(frame);
    expect(small.client.failure).toMatchObject({ code: 'PQ_ERR_QUEUE_LIMIT', closeCode: 3768 });
    end.session.receive(frame);
    expect(end.failure).toBeUndefined();
  });
});
