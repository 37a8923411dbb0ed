/** Exchanges between two sessions: what heals, what is never lost, every moment of a close, and peers that know nothing of them. */
import { describe, expect, test } from 'vitest';
import type { CryptoBackend } from '../../src/crypto/backend.ts';
import { nodeBackend } from '../../src/crypto/node/backend.ts';
import { LiveExtensions } from '../../src/protocol/v1/extensions.ts';
import { setupOf } from '../reference/cases.ts';
import { Peer } from '../reference/peer.ts';
import type { PairOptions, Role } from '../support/session-pair.ts';
import { BACKEND_NAMES, BACKENDS, Clock, connected, End, SessionPair } from '../support/session-pair.ts';
import { soaks } from '../support/soak.ts';

const rekey = { records: 3, bytes: 2 ** 36, milliseconds: 3_600_000 };
const exchanging = {
  features: new Set(['exchange', 'heartbeat'] as const),
  extensions: () => LiveExtensions,
  exchange: { milliseconds: 3_600_000, timeout: 60_000 },
};
const ROLES = ['client', 'server'] as const;

async function exchange(pair: SessionPair, by: Role = 'client'): Promise<void> {
  const done = pair.end(by).session.channel.exchange();
  await pair.pump();
  await done;
}

// ---- a stolen state

/** All that a backend has ever derived, in clear: more than a state that is stolen holds. For tests alone. */
function leaking(): { readonly backend: CryptoBackend; readonly stolen: Uint8Array[] } {
  const stolen: Uint8Array[] = [];
  const leak = async (...[secret, salt, info]: Parameters<CryptoBackend['deriveKey']>): Promise<void> => {
    stolen.push(await nodeBackend.deriveBytes(secret, salt, info, 32));
  };
  return {
    stolen,
    backend: {
      ...nodeBackend,
      deriveKey: async (...given) => (await leak(...given), nodeBackend.deriveKey(...given)),
      deriveSecret: async (...given) => {
        const [secret, salt, info] = given;
        await leak(secret, salt, info);
        return nodeBackend.deriveSecret(...given);
      },
    },
  };
}

function distinct(arrays: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(arrays.map((array) => [array.join(), array])).values()];
}

/** Every key that follows from what is known, by each label and hash that there is, two steps far. */
async function follow(all: readonly Uint8Array[], hashes: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const [known, salts] = [distinct(all), distinct(hashes)];
  const labels = ['client key', 'client update', 'server key', 'server update', 'root', 'exporter', 'exchange seed'];
  const found = [...known];
  let last: readonly Uint8Array[] = known;
  for (let step = 0; step < 2; step += 1) {
    const next: Uint8Array[] = [];
    for (const bytes of last) {
      const secret = await nodeBackend.importSecret(bytes);
      for (const salt of salts) {
        for (const label of labels) {
          const info = new TextEncoder().encode(`pq-websocket/1 ${label}`);
          next.push(await nodeBackend.deriveBytes(secret, salt, info, 32));
        }
      }
    }
    found.push(...next);
    last = next;
  }
  return found;
}

async function opened(frames: readonly Uint8Array[], from: number, keys: readonly Uint8Array[]): Promise<number> {
  let count = 0;
  for (const bytes of keys) {
    const key = await nodeBackend.importKey(await nodeBackend.importSecret(bytes));
    for (const [i, frame] of frames.entries()) {
      const sequence = new Uint8Array(8);
      new DataView(sequence.buffer).setBigUint64(0, BigInt(from + i));
      if ((await key.open(frame, sequence)) !== undefined) count += 1;
    }
  }
  return count;
}

test('a stolen state opens what comes after key updates, and nothing that comes after an exchange', async () => {
  const { backend, stolen } = leaking();
  const hashes: Uint8Array[] = [];
  const watching: CryptoBackend = {
    ...backend,
    sha256: async (data) => {
      const hash = await backend.sha256(data);
      hashes.push(hash);
      return hash;
    },
  };
  const pair = await connected({ backend: watching, both: exchanging });
  for (const role of ROLES) pair.end(role).say('before');
  await pair.pump();
  const state = [...stolen];
  const sentBefore = Object.fromEntries(ROLES.map((role) => [role, pair.frames(role).length]));
  for (const role of ROLES) pair.end(role).say('after the theft');
  await pair.pump();
  const theft = await follow(state, hashes);
  for (const role of ROLES) {
    const from = sentBefore[role]!;
    expect(await opened(pair.frames(role).slice(from), from, theft)).toBeGreaterThan(0);
  }
  await exchange(pair);
  const healed = Object.fromEntries(ROLES.map((role) => [role, pair.frames(role).length]));
  for (const role of ROLES) for (let i = 0; i < 2; i += 1) pair.end(role).say('after the exchange');
  await pair.pump();
  expect(pair.client.received.slice(-2)).toEqual(Array(2).fill('after the exchange'));
  const withItsHash = await follow(state, hashes);
  const now = await follow(stolen.slice(state.length), []);
  for (const role of ROLES) {
    const [from, frames] = [healed[role]!, pair.frames(role).slice(healed[role])];
    expect(frames).toHaveLength(2);
    expect(await opened(frames, from, withItsHash)).toBe(0);
    expect(await opened(frames, from, now)).toBe(2);
  }
});

// ---- under load

/** Milliseconds of real time; the sessions' clock runs faster, since an end puts off more than one exchange in ten seconds. */
const EVERY = 50;
/** Messages of a direction that may be under way. */
const DRIFT = 20;
/** `npm run test:soak` sets the variable. It goes on for so long, and until there have been so many exchanges: a loaded machine is late. */
const [SECONDS, LEAST] = soaks ? [60, 300] : [0.6, 6];

test.each(BACKEND_NAMES)(
  `%s: an exchange each ${EVERY} ms under load both ways, with key updates between, and nothing is lost`,
  { timeout: SECONDS * 3_000 + 60_000 },
  async (name) => {
    const pair = await connected({
      backend: BACKENDS[name],
      both: { ...exchanging, exchange: { milliseconds: 10_000, timeout: 1e12 }, limits: { rekey } },
    });
    const began = performance.now();
    const end = began + SECONDS * 1_000;
    let beat = began;
    const said: Record<Role, number> = { client: 0, server: 0 };
    const heard: Record<Role, number> = { client: 0, server: 0 };
    for (const role of ROLES) {
      pair.end(role).onMessage = (message): void => {
        // In order, and each once.
        if (message !== `message ${heard[role]}`) throw new Error(`${role} got ${String(message)}`);
        heard[role] += 1;
      };
    }
    while (performance.now() < end || pair.client.session.channel.generation < LEAST) {
      for (const role of ROLES) {
        pair.end(role).say(`message ${said[role]}`);
        said[role] += 1;
        pair.end(role).received.length = 0;
        pair.end(role).sent.length = 0;
      }
      // One after the other, so that the directions drift apart.
      pair.deliver(said.client % 3 === 0 ? 'client' : 'server');
      pair.deliver('client');
      pair.deliver('server');
      // With its updates an end sends more than is delivered above: without a bound an offer would wait ever longer.
      for (const role of ROLES) while (pair.inFlight[role].length > DRIFT) pair.deliver(role);
      if (performance.now() > beat) {
        beat += EVERY;
        pair.clock.time += 10_000;
        for (const role of ROLES) pair.end(role).session.tick();
      }
      await pair.settle();
    }
    await pair.pump();
    expect([heard.client, heard.server]).toEqual([said.server, said.client]);
    expect(said.client).toBeGreaterThan(10);
    expect(pair.server.session.channel.generation).toBe(pair.client.session.channel.generation);
    expect([pair.client.failure, pair.server.failure]).toEqual([undefined, undefined]);
    if (soaks) {
      const seconds = Math.round((performance.now() - began) / 1_000);
      console.info(
        `${name}: ${seconds} s, ${pair.client.session.channel.generation} exchanges, ${said.client} messages each way`,
      );
    }
  },
);

// ---- a close that crosses one

/** Delivers one message, of `first` if there is one. @returns whether there was any */
async function deliverOne(pair: SessionPair, first: Role): Promise<boolean> {
  const other = first === 'client' ? 'server' : 'client';
  const delivered = pair.deliver(first) || pair.deliver(other);
  await pair.settle();
  return delivered;
}

describe.each(ROLES)('an exchange that the %s asks for', (asks) => {
  test.each([
    { who: 'the client', closing: ['client'] },
    { who: 'the server', closing: ['server'] },
    { who: 'both ends', closing: ['client', 'server'] },
  ] as const)(
    'and a close of $who, at every moment of it: each end sees the close, and all that was said',
    async ({ closing }) => {
      for (const first of ROLES) {
        let moment = 0;
        for (let isOver = false; !isOver; moment += 1) {
          const pair = await connected({ both: exchanging });
          pair
            .end(asks)
            .session.channel.exchange()
            .catch(() => undefined);
          await pair.settle();
          for (let i = 0; i < moment; i += 1) isOver = !(await deliverOne(pair, first));
          for (const role of closing) {
            pair.end(role).say(`last words of the ${role}`);
            pair.end(role).close(4_000, role);
            await pair.settle();
          }
          while (await deliverOne(pair, first));
          for (const role of ROLES) {
            const { outcome, failure } = pair.end(role);
            const seen = [moment, role, failure, outcome?.code, outcome?.wasClean];
            expect(seen).toEqual([moment, role, undefined, 4_000, true]);
          }
          if (closing.length === 1) {
            expect(pair.peerOf(closing[0]).received).toEqual([`last words of the ${closing[0]}`]);
          }
          expect([...pair.backend.live.values()]).toEqual([]);
        }
        // Wanted, where a server asks; offer; answer and Finished; end and Finished; and after all of it.
        expect(moment).toBeGreaterThanOrEqual(6);
      }
    },
  );
});

test.each(['accepts', 'refuses', 'never answers'] as const)(
  "a server's close while it judges Finished(client) waits for no judge, who then %s, and minds no offer behind that",
  async (verdict) => {
    let judge: (() => void) | undefined;
    const pair = await connected({
      both: { ...exchanging, features: new Set(['exchange', 'client_identity'] as const), prove: () => ({}) },
      server: {
        authenticate: (_finished, _hash, occasion) =>
          occasion === 'handshake'
            ? undefined
            : new Promise<undefined>((resolve, reject) => {
                judge = (): void => {
                  if (verdict === 'accepts') resolve(undefined);
                  if (verdict === 'refuses') reject(new Error('no'));
                };
              }),
      },
    });
    // The second begins when the first has completed at the client: its offer is behind Finished.
    for (let i = 0; i < 2; i += 1) pair.client.session.channel.exchange().catch(() => undefined);
    while (judge === undefined) {
      await deliverOne(pair, 'client');
      await new Promise(setImmediate);
    }
    pair.server.say('last words');
    pair.server.close(4_000, 'bye');
    judge();
    for (let turn = 0; turn < 20; turn += 1) {
      await deliverOne(pair, 'client');
      await new Promise(setImmediate);
    }
    for (const role of ROLES) {
      const { outcome, failure } = pair.end(role);
      expect([role, failure, outcome?.code, outcome?.wasClean]).toEqual([role, undefined, 4_000, true]);
    }
    expect(pair.client.received).toEqual(['last words']);
    expect([...pair.backend.live.values()]).toEqual([]);
  },
);

// ---- a middleman

/** What the first message of an end says, without a member. */
function strip(pair: SessionPair, from: Role, member: string): void {
  const [item] = pair.inFlight[from];
  if (item === undefined || !('message' in item) || typeof item.message !== 'string') throw new Error('no hello');
  const hello = JSON.parse(item.message) as Record<string, unknown>;
  expect(Object.keys(hello)).toContain(member);
  delete hello[member];
  pair.inFlight[from][0] = { message: JSON.stringify(hello) };
}

const everything: PairOptions = {
  both: {
    ...exchanging,
    features: new Set(['exchange', 'heartbeat', 'client_identity'] as const),
    kems: ['ml-kem-768', 'mlkem768-x25519', 'ml-kem-1024'],
    prove: () => ({}),
    authenticate: () => undefined,
  },
};

test.each([
  'exchange',
  'heartbeat',
  'client_identity',
  'ml_kem_1024_encapsulation_key',
  'mlkem768_x25519_encapsulation_key',
  'ml_kem_768_encapsulation_key',
])('a member that is taken out of ClientHello on the way, %s: neither end opens', async (member) => {
  const pair = new SessionPair(everything);
  pair.client.session.start();
  await pair.settle();
  strip(pair, 'client', member);
  await pair.pump();
  for (const { events, failure, outcome } of [pair.client, pair.server]) {
    expect(events).not.toContain('peerAccepted');
    expect(failure ?? outcome).toBeDefined();
  }
  expect(pair.client.events).not.toContain('opened');
});

test.each(['exchange', 'heartbeat', 'client_identity'])(
  'an answer that is taken out of ServerHello on the way, %s: the client does not open',
  async (member) => {
    const pair = new SessionPair(everything);
    pair.client.session.start();
    await pair.settle();
    pair.deliver('client');
    await pair.settle();
    strip(pair, 'server', member);
    await pair.pump();
    expect(pair.client.events).not.toContain('opened');
    expect(pair.client.failure?.closeCode).toBe(3768);
    expect(pair.server.events).not.toContain('peerAccepted');
  },
);

// ---- peers from before the extensions

test.each(ROLES)('a peer that knows none of the extensions talks to our %s, which offers all of them', async (role) => {
  const end = new End(role, BACKENDS.node, new Clock(), { ...exchanging, limits: { rekey } });
  const peer = new Peer(role === 'client' ? 'server' : 'client', setupOf({}));
  const heard: unknown[] = [];
  const toPeer: (string | Uint8Array)[] = [];
  end.onTransmit = (message): void => {
    toPeer.push(message);
  };
  let isClosed = false;
  function closeTransport(code: number): void {
    if (isClosed) return;
    isClosed = true;
    end.session.transportClosed(code);
    peer.transportClosed(code);
  }
  end.onCloseTransport = (code): void => {
    closeTransport(code ?? 1005);
  };
  function pump(): void {
    for (let moved = true; moved;) {
      moved = false;
      const { sends, delivers, closes } = peer.take();
      heard.push(...delivers);
      for (const sent of sends) {
        moved = true;
        end.session.receive('text' in sent ? sent.text : sent.frame);
      }
      for (const message of toPeer.splice(0)) {
        moved = true;
        peer.receive(message);
      }
      if (typeof closes === 'number') closeTransport(closes);
    }
  }
  peer.start();
  if (role === 'client') end.session.start();
  pump();
  expect(end.events).toContain('peerAccepted');
  // More than an epoch has, so that keys are updated both ways.
  for (let i = 0; i < 8; i += 1) {
    end.say(`ours ${i}`);
    peer.send({ text: `theirs ${i}` });
    pump();
  }
  expect(heard).toEqual(Array.from({ length: 8 }, (_, i) => ({ text: `ours ${i}` })));
  expect(end.received).toEqual(Array.from({ length: 8 }, (_, i) => `theirs ${i}`));
  await expect(end.session.channel.exchange()).rejects.toThrow('exchange is off');
  expect(end.session.channel.generation).toBe(0);
  end.close(4_001, 'bye');
  pump();
  expect(end.outcome).toMatchObject({ code: 4_001, wasClean: true });
  expect(peer.seen).toMatchObject({ code: 4_001, wasClean: true });
});
