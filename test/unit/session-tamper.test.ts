/** What an attacker on the wire can do to one whole session: change, drop, repeat, move and replace what passes. */
import { padTo } from '../../src/protocol/v1/padding.ts';
import { describe, expect, test } from 'vitest';
import { nodeBackend } from '../../src/crypto/node/backend.ts';
import { BIT_STEP } from '../support/soak.ts';
import { rememberingKem } from '../support/remembering-kem.ts';
import { seededRandom, SessionPair } from '../support/session-pair.ts';
import type { AppMessage, End, InFlight, Role, WireMessage } from '../support/session-pair.ts';

const backend = rememberingKem(nodeBackend);
const rekey = { records: 4, bytes: 2 ** 36, milliseconds: 3_600_000 };

/** Hands over the `index`th message that `from` sends, or whatever else it likes. */
type Courier = (from: Role, index: number, message: WireMessage, to: End) => void;

class Run {
  readonly pair: SessionPair;
  readonly wire: Record<Role, WireMessage[]> = { client: [], server: [] };
  readonly #courier: Courier;

  /** Every kind of record passes, updates in both directions, padded and not, and the client closes. */
  constructor(
    courier: Courier = (_, __, message, to): void => {
      to.session.receive(message);
    },
    seed = 0,
  ) {
    this.#courier = courier;
    const other = (role: number): object =>
      seed === 0 ? {} : { random: seededRandom(seed + role), keySeed: () => new Uint8Array(64).fill(seed) };
    this.pair = new SessionPair({
      backend,
      both: { limits: { rekey } },
      client: other(1),
      server: { padded: padTo(24), ...other(2) },
    });
    const { client, server } = this.pair;
    client.session.start();
    this.#pass();
    for (const end of [client, server]) {
      end.say('text');
      end.send(Uint8Array.of(1, 2, 3));
      end.send('batched');
      end.session.flush();
      this.#pass();
      end.say('x');
      end.say(new Uint8Array(0));
      this.#pass();
    }
    client.close(4001, 'done');
    this.#pass();
  }

  #pass(): void {
    const { inFlight } = this.pair;
    while (inFlight.client.length + inFlight.server.length > 0) {
      for (const from of ['client', 'server'] as const) {
        for (const item of inFlight[from].splice(0)) this.#carry(from, item);
      }
    }
  }

  #carry(from: Role, item: InFlight): void {
    const to = this.pair.peerOf(from);
    if ('message' in item) {
      this.#courier(from, this.wire[from].push(item.message) - 1, item.message, to);
    } else {
      this.pair.closeTransport(to.role, item.close);
      to.session.transportClosed(item.close);
    }
  }
}

const reference = new Run();
const said: Record<Role, AppMessage[]> = {
  client: reference.pair.client.received,
  server: reference.pair.server.received,
};
const stranger = new Run(undefined, 77).wire;
const ROLES = ['client', 'server'] as const;
/** A hello and record 0 come first, on either side. */
const isHandshake = (index: number): boolean => index < 2;

/**
 * Runs the session; at the `index`th message of `from`, `replace` gives what arrives in its place, the last of
 * which has to be refused.
 */
function attack(
  from: Role,
  index: number,
  replace: (message: WireMessage) => readonly WireMessage[],
): { run: Run; before: number } {
  let before = -1;
  const run = new Run((by, at, message, to) => {
    const arriving = by === from && at === index ? replace(message) : [message];
    for (const [i, each] of arriving.entries()) {
      if (by === from && at === index && i === arriving.length - 1) before = to.received.length;
      to.session.receive(each);
    }
  });
  if (before < 0) throw new Error('the attack did not take place');
  return { run, before };
}

/** Fast where all is well: tens of thousands of these run. */
function expectRefused(from: Role, index: number, { run, before }: { run: Run; before: number }, later = false): void {
  const victim = run.pair.peerOf(from);
  const code = isHandshake(index) && !later ? 3768 : 3771;
  // Who answers a close has received one and sent one, whatever becomes of the answer.
  const answered = from === 'server' && index === reference.wire.server.length - 1;
  const seen = [
    victim.failure?.closeCode,
    victim.received.length,
    victim.outcome?.wasClean,
    run.pair.end(from).outcome?.wasClean,
  ];
  const expected = [code, before, false, answered];
  if (seen.some((each, i) => each !== expected[i]))
    expect({ from, index, seen }).toEqual({ from, index, seen: expected });
  for (const end of [run.pair.client, run.pair.server]) {
    if (end.received.length > 0) expect(end.received).toEqual(said[end.role].slice(0, end.received.length));
  }
}

test('the session that is attacked has every kind of record, and is the same every time', () => {
  expect(reference.pair.client.outcome).toMatchObject({ code: 4001, reason: 'done', wasClean: true });
  expect(said.server).toEqual(['text', Uint8Array.of(1, 2, 3), 'batched', 'x', new Uint8Array(0)]);
  expect(said.client).toEqual(said.server);
  const kinds = new Set(
    reference.pair.backend.inners.map(
      (inner) => inner[inner.length - 1 - [...inner].reverse().findIndex((byte) => byte !== 0)],
    ),
  );
  expect(kinds).toEqual(new Set([1, 2, 3, 4, 5, 6, 7]));
  expect(new Run().wire).toEqual(reference.wire);
  expect(stranger.client[2]).not.toEqual(reference.wire.client[2]);
});

describe.each(ROLES)('what the %s sends', (from) => {
  const messages = reference.wire[from];
  const frames = messages.map((message, index) => ({ message, index })).filter(({ index }) => index > 0);
  /** The victim answers the peer's close and hears no more: only what comes before that can be attacked. */
  const last = frames.length;

  test('every single bit of every frame', { timeout: 120_000 }, () => {
    let flips = 0;
    for (const { message, index } of frames) {
      for (let bit = 0; bit < message.length * 8; bit += 1) {
        const changed = Uint8Array.from(message as Uint8Array);
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
        expectRefused(
          from,
          index,
          attack(from, index, () => [changed]),
        );
        flips += 1;
      }
    }
    expect(flips).toBe(8 * frames.reduce((sum, { message }) => sum + message.length, 0));
    expect(flips).toBeGreaterThan(1_500);
  });

  test('single bits of the hello: it never opens', { timeout: 240_000 }, () => {
    const hello = messages[0] as string;
    for (let bit = 0; bit < hello.length * 8; bit += BIT_STEP) {
      const at = bit >> 3;
      const changed =
        hello.slice(0, at) + String.fromCharCode(hello.charCodeAt(at) ^ (1 << (bit & 7))) + hello.slice(at + 1);
      const { pair } = attack(from, 0, () => [changed]).run;
      const { client, server } = pair;
      const refused = (client.failure ?? server.failure)?.closeCode === 3768;
      if (!refused || client.events.includes('opened') || server.events.includes('peerAccepted')) {
        expect({
          bit,
          client: client.events,
          server: server.events,
          failure: client.failure ?? server.failure,
        }).toBeUndefined();
      }
      if (client.received.length + server.received.length > 0)
        expect(client.received.concat(server.received)).toEqual([]);
    }
  });

  test('truncated to every length, extended by one', () => {
    for (const { message, index } of frames) {
      const frame = message as Uint8Array;
      for (let length = 0; length < frame.length; length += 1) {
        expectRefused(
          from,
          index,
          attack(from, index, () => [frame.slice(0, length)]),
        );
      }
      for (const extra of [0, 0xff]) {
        expectRefused(
          from,
          index,
          attack(from, index, () => [Uint8Array.of(...frame, extra)]),
        );
        expectRefused(
          from,
          index,
          attack(from, index, () => [Uint8Array.of(extra, ...frame)]),
        );
      }
    }
  });

  test('dropped: the next frame is refused; dropped at the end: not clean', () => {
    for (const { index } of frames) {
      let dropped = false;
      let before = -1;
      const run = new Run((by, at, message, to) => {
        if (by === from && at === index) {
          dropped = true;
          before = to.received.length;
        } else to.session.receive(message);
      });
      const victim = run.pair.peerOf(from);
      expect(dropped).toBe(true);
      expect(victim.received.length).toBe(before);
      if (index < last && victim.failure === undefined) expect(run.wire[from].length).toBe(index + 1);
      if (victim.failure !== undefined) expect(victim.failure.closeCode).toBe(isHandshake(index) ? 3768 : 3771);
      victim.session.transportClosed(1000);
      expect(victim.outcome?.wasClean).toBe(false);
    }
  });

  test('replayed, each by each', () => {
    for (const { index } of frames.slice(0, -1)) {
      for (const { message: earlier, index: which } of frames.filter((each) => each.index <= index)) {
        expectRefused(
          from,
          index,
          attack(from, index, (message) => [message, earlier]),
          true,
        );
        if (which < index)
          expectRefused(
            from,
            index,
            attack(from, index, () => [earlier]),
            index > 1,
          );
      }
    }
  });

  test('swapped with one that comes later', () => {
    for (const { index } of frames) {
      for (const { message: laterFrame } of frames.filter((each) => each.index > index)) {
        expectRefused(
          from,
          index,
          attack(from, index, () => [laterFrame]),
        );
      }
    }
  });

  test("reflected: the receiver's own, whichever", () => {
    for (const { index } of frames) {
      for (const own of reference.wire[from === 'client' ? 'server' : 'client'].slice(1)) {
        expectRefused(
          from,
          index,
          attack(from, index, () => [own]),
        );
      }
    }
  });

  test('spliced in from another session', () => {
    for (const { index } of frames) {
      expectRefused(
        from,
        index,
        attack(from, index, () => [stranger[from][index] as WireMessage]),
      );
    }
  });

  test('the hello of another session: neither end opens', () => {
    const { pair } = attack(from, 0, () => [stranger[from][0] as WireMessage]).run;
    expect(pair.client.failure?.closeCode).toBe(3768);
    expect(pair.client.events).not.toContain('opened');
    expect(pair.server.events).not.toContain('peerAccepted');
  });

  test('text in the place of a frame, and a hello once more', () => {
    for (const { index } of frames) {
      for (const text of ['', 'text', messages[0] as string]) {
        const { run } = attack(from, index, () => [text]);
        expect(run.pair.peerOf(from).failure?.closeCode).toBe(isHandshake(index) ? 3768 : 3772);
      }
    }
  });
});
