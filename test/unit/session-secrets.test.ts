/**
 * Nothing that holds a secret outlives its connection: after a close, after a defect at every single operation of
 * the backend, and after a handshake that somebody leaves at any moment.
 */
import { describe, expect, test } from 'vitest';
import type { CryptoBackend } from '../../src/crypto/backend.ts';
import { BACKEND_NAMES, BACKENDS, SessionPair } from '../support/session-pair.ts';
import { ALL_STATES, inState } from '../support/session-states.ts';

const rekey = { records: 3, bytes: 2 ** 36, milliseconds: 3_600_000 };

/** The handshake, messages over some epochs, an export, a close: as far as it gets. */
async function converse(
  backend: CryptoBackend,
  prepare: (pair: SessionPair) => void = () => undefined,
): Promise<SessionPair> {
  const pair = new SessionPair({ backend, both: { limits: { rekey } } });
  prepare(pair);
  pair.client.send('queued');
  await pair.connect();
  for (const end of [pair.client, pair.server]) {
    for (let i = 0; i < 4; i += 1) end.say(`message ${i}`);
  }
  await pair.pump();
  pair.client.close(4001, 'done');
  await pair.pump();
  return pair;
}

function expectNothingHeld(pair: SessionPair): void {
  expect([...pair.backend.live.values()]).toEqual([]);
  expect(pair.backend.buffers.filter((buffer) => buffer.some((byte) => byte !== 0))).toEqual([]);
}

/** Who has not noticed on its own that the other is gone does so now. */
function cut(pair: SessionPair): void {
  pair.client.session.transportClosed(1006);
  pair.server.session.transportClosed(1006);
}

describe.each(BACKEND_NAMES)('%s', (name) => {
  const backend = BACKENDS[name];

  test('after a close, without waiting for the transport', async () => {
    const pair = await converse(backend);
    expect(pair.client.outcome?.wasClean).toBe(true);
    // No secret of the schedule is bytes outside the backend, on any way.
    expect(pair.backend.buffers).toEqual([]);
    expect(pair.backend.operations).toContain('deriveSecret');
    expect(pair.backend.operations).not.toContain('deriveBytes');
    expectNothingHeld(pair);
    const early = new SessionPair({ backend });
    await early.connect();
    early.client.close(1000);
    await early.settle();
    early.deliver('client');
    await early.settle();
    early.deliver('server');
    await early.settle();
    expect(early.client.outcome).toBeUndefined();
    expectNothingHeld(early);
  });

  test('the shared secret and the decapsulation key are gone when the keys are there', async () => {
    const pair = new SessionPair({ backend });
    await pair.connect();
    expect([...pair.backend.live.values()].sort()).toEqual([
      ...Array<string>(4).fill('AEAD key'),
      ...Array<string>(6).fill('secret'),
    ]);
    expectNothingHeldAfter(pair);
  });

  test('after a defect at every operation of the backend', { timeout: 120_000 }, async () => {
    const { operations } = (await converse(backend)).backend;
    expect(operations.length).toBeGreaterThan(60);
    for (let at = 1; at <= operations.length; at += 1) {
      const pair = await converse(backend, ({ backend: counting }) => {
        counting.failAt = at;
      });
      const failed = [pair.client, pair.server].filter((end) => end.failure?.code === 'PQ_ERR_INTERNAL');
      expect([at, operations[at - 1], failed.length]).toEqual([at, operations[at - 1], 1]);
      expect(failed[0]?.failure?.closeCode).toBeUndefined();
      cut(pair);
      await pair.settle();
      expectNothingHeld(pair);
    }
  });

  test('after a defect of the random source, whenever it comes', async () => {
    for (let at = 1; at <= 7; at += 1) {
      let calls = 0;
      const random = <T extends Uint8Array>(target: T): T => {
        calls += 1;
        if (calls === at) throw new Error('no entropy');
        return target.fill(calls);
      };
      const pair = new SessionPair({ backend, client: { random, limits: { rekey } } });
      await pair.connect();
      for (let i = 0; i < 6; i += 1) pair.client.say('x');
      await pair.pump();
      expect([at, pair.client.failure?.code]).toEqual([at, 'PQ_ERR_INTERNAL']);
      // The first draw is Finished's: without it nothing opens.
      if (at === 1) expect(pair.client.events[0]).toBe('failed');
      cut(pair);
      await pair.settle();
      expectNothingHeld(pair);
    }
  });

  test('left at any moment: by the transport, a failure, a close', { timeout: 120_000 }, async () => {
    const { operations } = (await converse(backend)).backend;
    for (const leave of [
      cut,
      ({ client, server }: SessionPair): void => {
        client.session.abort('PQ_ERR_INTERNAL');
        server.session.abort('PQ_ERR_INTERNAL');
      },
      ({ client, server }: SessionPair): void => {
        client.close(1000);
        server.close(1000);
      },
    ]) {
      for (let at = 1; at <= operations.length; at += 3) {
        const pair = await converse(backend, (each) => {
          each.backend.onOperation = (count): void => {
            // Between an operation's beginning and its end, where there is time between the two; else after it.
            if (count === at)
              queueMicrotask(() => {
                leave(each);
              });
          };
        });
        cut(pair);
        await pair.settle();
        expectNothingHeld(pair);
      }
    }
  });

  test.each(ALL_STATES)('left in state "%s"', async (state) => {
    const { pair } = await inState(state, backend);
    pair.backend.hold('none')();
    cut(pair);
    if (state !== 'finishing') await pair.settle();
    expectNothingHeld(pair);
  });
});

function expectNothingHeldAfter(pair: SessionPair): void {
  cut(pair);
  expectNothingHeld(pair);
}

test("a failure lets go of every key at once, the exporter's too", async () => {
  const { pair } = await inState('open');
  pair.client.session.abort('PQ_ERR_RECORD');
  pair.server.session.abort('PQ_ERR_RECORD');
  expectNothingHeld(pair);
});
