/** ClientHello with the upgrade request (PROTOCOL.md 13), as far as two sessions and no upgrade request show it. */
import { describe, expect, test } from 'vitest';
import { fastOpenProtocols, readOffer } from '../../src/protocol/v1/fast-open.ts';
import { isReserved } from '../../src/protocol/v1/reserved-names.ts';
import { plainHello } from '../support/plain-hello.ts';
import { CountingBackend } from '../support/counting-backend.ts';
import { BACKEND_NAMES, BACKENDS, SessionPair } from '../support/session-pair.ts';
import type { EndOptions } from '../support/session-pair.ts';
import { ALL_STATES, inState } from '../support/session-states.ts';

const FAST = { application: false };

interface Options {
  readonly client?: EndOptions;
  readonly server?: EndOptions;
}

describe.each(BACKEND_NAMES)('%s', (name) => {
  const backend = BACKENDS[name];

  /** The server knows the client's hello; nobody has begun. */
  async function prepared({ client, server }: Options = {}): Promise<{
    pair: SessionPair;
    hello: string;
    maker: CountingBackend;
  }> {
    const maker = new CountingBackend(backend);
    const keyPair = await maker.generateKeyPair(crypto.getRandomValues(new Uint8Array(64)));
    const hello = plainHello(keyPair.encapsulationKey);
    const pair = new SessionPair({
      backend,
      keyMaker: maker,
      client: { hello: { keyPairs: new Map([['ml-kem-768', keyPair]]), clientHello: hello }, offer: FAST, ...client },
      server: { earlyHello: hello, ...server },
    });
    return { pair, hello, maker };
  }

  /** The server has answered, and the client's text is on its way. */
  async function answered(options?: Options): Promise<SessionPair> {
    const { pair } = await prepared(options);
    pair.server.session.start();
    pair.client.session.start('pqws1');
    await pair.settle();
    return pair;
  }

  test('the server answers before the text comes, and the channel is the same for both', async () => {
    const { pair, maker } = await prepared();
    pair.server.session.start();
    await pair.settle();
    expect(pair.server.events).toEqual(['opened']);
    pair.client.session.start('pqws1');
    expect(pair.server.sent.map(({ message }) => typeof message)).toEqual(['string', 'object']);
    pair.server.say('from the server, early');
    await pair.pump();
    pair.client.say('hello');
    await pair.pump();
    expect(maker.live.size).toBe(0);
    expect([pair.client.received, pair.server.received]).toEqual([['from the server, early'], ['hello']]);
    expect(pair.server.events).toEqual(['opened', 'peerAccepted']);
    expect(pair.client.session.channel.facts?.transcriptHash).toEqual(
      pair.server.session.channel.facts?.transcriptHash,
    );
    expect(pair.backend.operations.filter((operation) => operation === 'encapsulate')).toHaveLength(1);
  });

  test('the client opens, and its first message leaves, before the server has received anything', async () => {
    const pair = await answered();
    pair.client.send('first');
    while (pair.deliver('server')) await pair.settle();
    expect(pair.client.events).toContain('opened');
    expect(pair.client.sent).toHaveLength(3);
    expect(pair.server.session.state).toBe('server: awaiting repeated hello');
    await pair.pump();
    expect(pair.server.received).toEqual(['first']);
  });

  test('the first message carries the very bytes of the upgrade request', async () => {
    const { pair, hello } = await prepared();
    pair.client.session.start('pqws1');
    await pair.settle();
    expect(pair.client.sent[0]?.message).toBe(hello);
  });

  test('a text that comes while the answer is being made waits for it', async () => {
    const { pair } = await prepared();
    const release = pair.backend.hold('encapsulate');
    pair.server.session.start();
    expect(pair.server.session.state).toBe('server: answering early');
    pair.client.session.start('pqws1');
    pair.deliver('client');
    expect(pair.server.failure).toBeUndefined();
    release();
    await pair.pump();
    expect([pair.client.session.state, pair.server.session.state]).toEqual(['open', 'open']);
  });

  test.each([
    ['a text with one byte more', (hello: string) => `${hello} `],
    ['a hello of another key pair', () => plainHello(new Uint8Array(1184))],
    ['binary', (hello: string) => new TextEncoder().encode(hello)],
    ['nothing', () => ''],
  ])('%s as the first message is 3768, and nothing stays', async (_title, make) => {
    const { pair, hello } = await prepared();
    pair.server.session.start();
    await pair.settle();
    pair.server.session.receive(make(hello));
    await pair.settle();
    expect(pair.server.failure).toMatchObject({ code: 'PQ_ERR_FAST_OPEN', closeCode: 3768, origin: 'local' });
    expect(pair.server.events).toEqual(['opened', 'failed']);
    expect(pair.backend.live.size).toBe(0);
  });

  test('the hello a second time is refused as any text is', async () => {
    const { pair, hello } = await prepared();
    pair.server.session.start();
    await pair.settle();
    pair.server.session.receive(hello);
    pair.server.session.receive(hello);
    await pair.settle();
    expect(pair.server.failure).toMatchObject({ code: 'PQ_ERR_MESSAGE_TYPE', closeCode: 3768 });
  });

  test.each([
    ['no JSON', '{'],
    ['another version', '{"pq_websocket":2}'],
    ['no key', '{"pq_websocket":1}'],
    ['a key that fails the modulus check', plainHello(new Uint8Array(1184).fill(0xff))],
  ])('a hello that is refused counts for nothing: %s', async (_title, earlyHello) => {
    const pair = new SessionPair({ backend, server: { earlyHello } });
    pair.server.session.start();
    await pair.settle();
    expect(pair.server.session.state).toBe('server: awaiting client hello');
    expect(pair.server.sent).toEqual([]);
    await pair.connect();
    expect(pair.server.session.state).toBe('open');
  });

  test('a backend that fails is no hello that is refused', async () => {
    const { pair } = await prepared();
    pair.backend.failAt = pair.backend.operations.length + 1;
    pair.server.session.start();
    await pair.settle();
    expect(pair.server.failure).toMatchObject({ code: 'PQ_ERR_INTERNAL' });
  });

  test('a server that cannot prove itself says so with 3770 and sends nothing', async () => {
    const prove = (): never => {
      throw new Error('no key');
    };
    const pair = await answered({ server: { prove } });
    expect(pair.server.failure).toMatchObject({ code: 'PQ_ERR_IDENTITY', closeCode: 3770 });
    expect(pair.server.sent).toEqual([]);
    expect(pair.backend.live.size).toBe(0);
  });

  test('the server closes before anything has come: both see it, once the client has proved itself', async () => {
    const pair = await answered();
    pair.server.close(4002, 'own');
    await pair.settle();
    expect(pair.server.session.state).toBe('server: closing unrepeated');
    expect(pair.server.send('late')).toBe(false);
    pair.deliver('client');
    await pair.settle();
    expect(pair.server.session.state).toBe('server: closing unconfirmed');
    await pair.pump();
    for (const end of [pair.client, pair.server]) {
      expect(end.outcome).toMatchObject({ code: 4002, reason: 'own', wasClean: true });
      expect(end.session.channel.closeAnswered).toBe(true);
    }
  });

  test.each(['server: answering early', 'server: awaiting repeated hello', 'server: closing unrepeated'] as const)(
    '%s: the timeout of the handshake runs',
    async (state) => {
      const { pair, end } = await inState(state, backend);
      expect(end.session.deadline).toBe(pair.clock.time + 10_000);
      pair.clock.time += 10_000;
      end.session.tick();
      expect(end.failure).toMatchObject({ code: 'PQ_ERR_HANDSHAKE_TIMEOUT', closeCode: 3769 });
    },
  );

  test.each(['server: awaiting repeated hello', 'server: closing unrepeated'] as const)(
    '%s: a text that came before the transport closed is handled first',
    async (state) => {
      const { end } = await inState(state, backend);
      end.session.receive('another text');
      end.session.transportClosed(1006);
      expect(end.outcome).toMatchObject({ code: 3768, failure: { code: 'PQ_ERR_FAST_OPEN' } });
    },
  );

  test.each([
    ['no subprotocol at all', '', FAST],
    ['none of those that it and the application offered', '', { application: true }],
    ['pqws1 where the application offered its own', 'pqws1', { application: true }],
    ['pqws1 that nobody offered', 'pqws1', undefined],
    ['a token', 'pqws1.e30', FAST],
    ['a token that nobody offered', 'pqws1.e30', undefined],
    ['the bare prefix', 'pqws1.', FAST],
  ])('a client refuses %s: 3768, no hello is sent, the key pair is destroyed', async (_title, selected, offer) => {
    const { pair, maker } = await prepared({ client: { offer } });
    pair.client.session.start(selected);
    await pair.settle();
    expect(maker.live.size).toBe(0);
    expect(pair.client.failure).toMatchObject({ code: 'PQ_ERR_FAST_OPEN', closeCode: 3768, origin: 'local' });
    expect(pair.client.sent).toEqual([]);
  });

  test.each([
    ['pqws1', FAST],
    ['chat', { application: true }],
    ['chat', undefined],
    ['', undefined],
    ['pqws10', { application: true }],
  ])('a client goes on with %j', async (selected, offer) => {
    const { pair } = await prepared({ client: { offer } });
    pair.client.session.start(selected);
    await pair.settle();
    expect(pair.client.failure).toBeUndefined();
    expect(pair.client.sent).toHaveLength(1);
  });

  test('the key pair of a transport that never opened is destroyed', async () => {
    const { pair, maker } = await prepared();
    expect(maker.live.size).toBe(1);
    pair.client.session.transportClosed(1006);
    expect(maker.live.size).toBe(0);
  });
});

test.each(ALL_STATES.filter((state) => state.startsWith('server')))(
  'a server that begins again does nothing in state %s',
  async (state) => {
    const { end } = await inState(state);
    const before = end.sent.length;
    end.session.start();
    expect([end.session.state, end.sent.length]).toEqual([state, before]);
  },
);

test('names of the layer, in any case, and none but these', () => {
  for (const reserved of ['pqws1', 'PQWS1', 'pqws1.', 'Pqws1.e30'])
    expect([reserved, isReserved(reserved)]).toEqual([reserved, true]);
  for (const free of ['pqws', 'pqws10', 'pqws2', 'xpqws1', 'chat.pqws1'])
    expect([free, isReserved(free)]).toEqual([free, false]);
});

test('an offer with pqws1 twice carries no hello; pqws1 can be selected all the same', () => {
  const [name, token] = fastOpenProtocols([], '{}') as [string, string];
  expect(readOffer([name, name, token])).toEqual({ application: [], fastOpen: true, clientHello: undefined });
  expect(readOffer([name, token, token])).toEqual({ application: [], fastOpen: true, clientHello: undefined });
  expect(readOffer(['PQWS1', 'a'])).toEqual({ application: ['a'], fastOpen: false, clientHello: undefined });
});

test('a token of more than 8,000 characters is neither made nor read', () => {
  const [, longest] = fastOpenProtocols([], 'x'.repeat(5_995)) as [string, string];
  expect(longest).toHaveLength(8_000);
  expect(readOffer(['pqws1', longest]).clientHello).toHaveLength(5_995);
  expect(() => fastOpenProtocols([], 'x'.repeat(5_996))).toThrow(RangeError);
  expect(readOffer(['pqws1', `${longest}A`])).toMatchObject({ clientHello: undefined, fastOpen: true });
  expect(readOffer(['pqws1', `pqws1.${Buffer.alloc(5_996).toString('base64url')}`]).clientHello).toBeUndefined();
});

test('only the base64url that an encoder gives is read', () => {
  const hello = '{"a":"~~~???"}';
  const [, token] = fastOpenProtocols([], hello) as [string, string];
  expect(token).toBe('pqws1.eyJhIjoifn5-Pz8_In0');
  expect(readOffer(['pqws1', token]).clientHello).toBe(hello);
  for (const other of [
    'eyJhIjoifn5+Pz8/In0',
    'eyJhIjoifn5-Pz8_In0=',
    'eyJhIjoifn5-Pz8_In1',
    ' eyJhIjoifn5-Pz8_In0',
    '77u_',
    '_w',
  ]) {
    expect([other, readOffer(['pqws1', `pqws1.${other}`]).clientHello]).toEqual([
      other,
      other === '77u_' ? '\u{feff}' : undefined,
    ]);
  }
});
