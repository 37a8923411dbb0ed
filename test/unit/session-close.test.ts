/** Closing, both ways and in every state (PROTOCOL.md section 9). */
import { describe, expect, test } from 'vitest';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import type { State } from '../../src/protocol/v1/states.ts';
import { BACKEND_NAMES, BACKENDS, connected, SessionPair } from '../support/session-pair.ts';
import type { Role } from '../support/session-pair.ts';
import { ALL_STATES, inState } from '../support/session-states.ts';

const ROLES = ['client', 'server'] as const;
const other = (role: Role): Role => (role === 'client' ? 'server' : 'client');

describe.each(BACKEND_NAMES)('%s', (name) => {
  const backend = BACKENDS[name];
  describe.each(ROLES)('the %s closes', (role) => {
    test.each([
      ['empty', undefined, '', 1005],
      ['code alone', 1000, '', 1000],
      ['code and reason', 4001, 'done', 4001],
    ])('%s', async (_, code, reason, seen) => {
      const pair = await connected({ backend });
      pair.end(role).say('before');
      pair.end(role).close(code, reason);
      await pair.pump();
      for (const end of [pair.client, pair.server]) {
        expect(end.outcome).toEqual({ code: seen, reason, wasClean: true, failure: undefined });
        expect(end.session.channel.closeAnswered).toBe(true);
        expect(end.failure).toBeUndefined();
        expect(end.session.state).toBe('ended');
      }
      expect(pair.end(other(role)).received).toEqual(['before']);
      expect(pair.end(other(role)).events.slice(-3)).toEqual(['peerClosing', 'ended', 'closed']);
      expect(pair.end(role).events.slice(-3)).toEqual(['closeTransmitted', 'ended', 'closed']);
    });

    test('what waits is sent before it', async () => {
      const pair = await connected({ backend });
      pair.end(role).send('one');
      pair.end(role).send('two');
      pair.end(role).close(1000);
      await pair.pump();
      expect(pair.end(other(role)).received).toEqual(['one', 'two']);
    });

    test('what the peer has waiting goes out before its answer, and is discarded', async () => {
      const pair = await connected({ backend });
      pair.end(other(role)).send('late');
      pair.end(role).close(1000);
      await pair.pump();
      expect(pair.end(role).received).toEqual([]);
      expect(pair.end(role).outcome?.wasClean).toBe(true);
      expect(pair.end(other(role)).sent.at(-2)?.receipt?.applicationBytes).toBe(4);
    });

    test('what arrives after it is checked and discarded, updates are carried out', async () => {
      const pair = await connected({
        backend,
        both: { limits: { rekey: { records: 3, bytes: 2 ** 36, milliseconds: 3_600_000 } } },
      });
      const closer = pair.end(role);
      for (let i = 0; i < 7; i += 1) pair.end(other(role)).say(`under way ${i}`);
      closer.close(1000);
      const inners = pair.backend.inners.length;
      await pair.pump();
      expect(
        pair.backend.inners.slice(inners).filter((inner) => inner.at(-1) === Kind.KEY_UPDATE).length,
      ).toBeGreaterThan(2);
      expect(closer.received).toEqual([]);
      expect(closer.outcome?.wasClean).toBe(true);
    });

    test('nothing can be sent after it, and whoever sends is told', async () => {
      const pair = await connected({ backend });
      const closer = pair.end(role);
      closer.close(1000);
      await pair.settle();
      const before = closer.sent.length;
      const told: (Error | undefined)[] = [];
      expect(closer.send('late', (error) => told.push(error))).toBe(false);
      closer.session.flush();
      closer.close(4000, 'again');
      await pair.settle();
      expect(told).toMatchObject([{ code: 'PQ_ERR_CLOSED_EARLY' }]);
      expect(closer.sent.length).toBe(before);
    });

    test("after the peer's close every frame is ignored, a text message too", async () => {
      const pair = await connected({ backend });
      const closed = pair.end(other(role));
      pair.end(role).close(4001, 'done');
      await pair.settle();
      const frame = pair.frames(role).at(-1) as Uint8Array;
      closed.session.receive(frame);
      closed.session.receive(frame);
      closed.session.receive('text');
      closed.session.receive(new Uint8Array(0));
      await pair.settle();
      closed.session.receive('text');
      closed.session.transportClosed(1000);
      expect(closed.outcome).toMatchObject({ code: 4001, wasClean: true });
    });
  });

  test("crossed closes: nobody answers, each sees the other's", async () => {
    const pair = await connected({ backend });
    pair.client.close(4100, 'a');
    pair.server.close(1001, 'b');
    await pair.pump();
    expect(pair.client.outcome).toEqual({ code: 1001, reason: 'b', wasClean: true, failure: undefined });
    expect(pair.server.outcome).toEqual({ code: 4100, reason: 'a', wasClean: true, failure: undefined });
    for (const end of [pair.client, pair.server]) {
      expect(end.session.channel.closeAnswered).toBe(false);
      expect(end.session.channel.recordsSealed).toBe(2);
    }
  });

  test('a server closes right after its Finished, and still needs Finished(client)', async () => {
    const pair = new SessionPair({ backend });
    pair.server.onEvent = (event): void => {
      if (event === 'opened') pair.server.close(4000, 'go away');
    };
    pair.client.session.start();
    await pair.settle();
    pair.deliver('client');
    await pair.settle();
    expect(pair.server.session.state).toBe('server: closing unconfirmed');
    await pair.pump();
    for (const end of [pair.client, pair.server]) {
      expect(end.outcome).toEqual({ code: 4000, reason: 'go away', wasClean: true, failure: undefined });
    }
    expect(pair.server.events).toContain('peerAccepted');
  });

  test('an answer in the place of Finished(client) is refused', async () => {
    const { pair, end } = await inState('server: closing unconfirmed', backend);
    await pair.pump();
    const answer = pair.frames('client').at(-1) as Uint8Array;
    const again = await inState('server: closing unconfirmed', backend);
    again.end.session.receive(answer);
    await again.pair.settle();
    expect(again.end.failure).toMatchObject({ code: 'PQ_ERR_RECORD', closeCode: 3768 });
    expect(end.outcome?.wasClean).toBe(true);
  });
});

/** Where this end has sent its Finished, and the state that its close leads to. */
const CLOSING = new Map<State, State>([
  ['open', 'close sent'],
  ['server: awaiting finished', 'server: closing unconfirmed'],
  ['server: awaiting repeated hello', 'server: closing unrepeated'],
]);
const BEFORE_FINISHED: readonly State[] = [
  'server: awaiting client hello',
  'server: answering early',
  'server: replying',
  'server: verifying client',
];

describe('close() in every state', () => {
  test.each(ALL_STATES)('%s', async (state) => {
    const { end } = await inState(state);
    const before = end.sent.length;
    end.close(4000, 'x');
    const closing = CLOSING.get(state);
    if (closing !== undefined) {
      expect(end.session.state).toBe(closing);
      expect(end.events.at(-1)).toBe('closeTransmitted');
      expect(end.sent.length).toBe(before + 1);
      return;
    }
    expect(end.sent.length).toBe(before);
    const early = state.startsWith('client') || BEFORE_FINISHED.includes(state);
    expect(end.session.state).toBe(early ? 'failed' : state);
    if (!early) return;
    expect(end.failure).toMatchObject({ code: 'PQ_ERR_CLOSED_EARLY', closeCode: undefined, origin: 'local' });
    end.session.transportClosed(1005);
    expect(end.outcome).toMatchObject({ code: 1006, reason: '', wasClean: false });
  });
});

describe('the wait for an answer', () => {
  test('begins when the close has drained, and ends after 30 s with 1006', async () => {
    const { end, pair } = await inState('close sent');
    pair.clock.time += 1_000_000;
    expect(end.session.deadline).toBeUndefined();
    end.session.tick();
    expect(end.session.state).toBe('close sent');
    end.session.closeDrained();
    expect(end.session.deadline).toBe(pair.clock.time + 30_000);
    pair.clock.time += 29_999;
    end.session.closeDrained();
    end.session.tick();
    expect(end.session.state).toBe('close sent');
    pair.clock.time += 1;
    end.session.tick();
    expect(end.failure).toMatchObject({ code: 'PQ_ERR_CLOSE_TIMEOUT', closeCode: undefined });
    end.session.transportClosed(1000);
    expect(end.outcome).toMatchObject({ code: 1006, reason: '', wasClean: false });
  });

  test('is over when the answer comes', async () => {
    const { end, pair } = await inState('close sent');
    end.session.closeDrained();
    await pair.pump();
    expect(end.session.deadline).toBeUndefined();
    pair.clock.time += 30_000;
    end.session.tick();
    expect(end.outcome?.wasClean).toBe(true);
  });

  test.each([
    ['the handshake timeout', 20_000, 'PQ_ERR_HANDSHAKE_TIMEOUT', 3769],
    ['the 30 s', 50_000, 'PQ_ERR_CLOSE_TIMEOUT', 1006],
  ])('of a server without Finished(client) ends with what comes first: %s', async (_, handshakeTimeout, code, seen) => {
    const pair = new SessionPair({ server: { limits: { handshakeTimeout } } });
    pair.client.session.start();
    pair.deliver('client');
    pair.server.close(4000);
    pair.server.session.closeDrained();
    expect(pair.server.session.deadline).toBe(pair.clock.time + Math.min(handshakeTimeout, 30_000));
    pair.clock.time += Math.min(handshakeTimeout, 30_000);
    pair.server.session.tick();
    expect(pair.server.failure?.code).toBe(code);
    pair.server.session.transportClosed(1000);
    expect(pair.server.outcome?.code).toBe(seen);
  });
});

// Node's own WebSocket does where it is still connecting.
describe('a transport that ends within the call that closes it', () => {
  test.each(ALL_STATES)('in state %s: the end is told of once', async (state) => {
    for (const act of ['close', 'abort'] as const) {
      const { pair, end } = await inState(state);
      end.onCloseTransport = (code): void => {
        end.session.transportClosed(code ?? 1005);
      };
      if (act === 'close') end.close(1000);
      else end.session.abort('PQ_ERR_TRANSPORT');
      // There its backend never answers.
      if (state !== 'finishing') await pair.pump();
      end.session.transportClosed(1006);
      expect(end.events.filter((event) => event === 'closed')).toEqual(['closed']);
    }
  });
});
