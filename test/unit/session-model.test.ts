/** Random interleavings of everything that can happen, checked after each step against a model of a few lines. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LiveExtensions } from '../../src/protocol/v1/extensions.ts';
import { padTo } from '../../src/protocol/v1/padding.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import { parseInner } from '../../src/protocol/v1/record.ts';
import { BACKENDS, SessionPair } from '../support/session-pair.ts';
import type { Role } from '../support/session-pair.ts';
import type { Item } from '../support/session-model.ts';
import { ModelEnd } from '../support/session-model.ts';

const rekey = { records: 3, bytes: 2 ** 36, milliseconds: 20_000 };
const other = (role: Role): Role => (role === 'client' ? 'server' : 'client');

class Model {
  readonly client = new ModelEnd('client');
  readonly server = new ModelEnd('server');
}

/** The two real sessions, and for each thing on its way what it is, known from who made it and when. */
class Real {
  readonly pair: SessionPair;
  readonly items: Record<Role, Item[]> = { client: [], server: [] };
  /** What the last frames that an end transmits are, when not messages. */
  expecting: Record<Role, Item | undefined> = { client: undefined, server: undefined };
  #transportClosed = new Set<Role>();

  constructor(backend: 'node' | 'webcrypto') {
    this.pair = new SessionPair({
      backend: BACKENDS[backend],
      both: {
        limits: { rekey, handshakeTimeout: 1e12 },
        takesBatches: backend === 'node',
        features: new Set(['exchange', 'heartbeat']),
        extensions: () => LiveExtensions,
        exchange: { milliseconds: 15_000, timeout: 1e12 },
      },
      server: { padded: padTo(16) },
    });
    for (const role of ['client', 'server'] as const) {
      const end = this.pair.end(role);
      const { onTransmit, onCloseTransport } = end;
      let frames = 0;
      end.onTransmit = (message): void => {
        const receipt = end.sent.at(-1)?.receipt;
        if (typeof message === 'string') this.#push(role, { is: 'hello' });
        else if (frames++ === 0) this.#push(role, { is: 'finished' });
        else if (receipt !== undefined && receipt.sent.length > 0)
          this.#push(role, { is: 'messages', messages: receipt.sent.length });
        else this.#push(role, { is: 'nothing' });
        onTransmit(message);
      };
      end.onCloseTransport = (code): void => {
        this.#transportEnds(role, code ?? 1005);
        onCloseTransport(code);
      };
      end.onEvent = (event): void => {
        if (event === 'closeTransmitted') end.session.closeDrained();
      };
    }
  }

  /** The last thing that an end has sent is its close, or its answer. */
  mark(role: Role, item: Item): void {
    if (!this.#transportClosed.has(role)) this.items[role][this.items[role].length - 1] = item;
  }

  deliver(from: Role): Item | undefined {
    const item = this.items[from].shift();
    if (item?.is === 'transport close') this.#transportEnds(other(from), item.code);
    expect(this.pair.deliver(from)).toBe(item !== undefined);
    return item;
  }

  /** Nothing of what an end has sent arrives any more. */
  cut(): void {
    for (const role of ['client', 'server'] as const) {
      this.items[role].length = 0;
      this.pair.inFlight[role].length = 0;
      this.#transportClosed.add(role);
      this.pair.closeTransport(role, 1006);
      this.pair.inFlight[role].length = 0;
      this.pair.end(role).session.transportClosed(1006);
    }
  }

  /** An attacker closes an end's transport with a code of his choice, and the other end's with the same. */
  forge(role: Role, code: number): void {
    this.#transportEnds(role, code);
    this.pair.closeTransport(role, code);
    this.pair.end(role).session.transportClosed(code);
  }

  #push(role: Role, item: Item): void {
    if (!this.#transportClosed.has(role)) this.items[role].push(item);
  }

  #transportEnds(role: Role, code: number): void {
    if (this.#transportClosed.has(role)) return;
    this.items[role].push({ is: 'transport close', code });
    this.#transportClosed.add(role);
  }
}

function check(model: Model, { pair }: Real): void {
  for (const role of ['client', 'server'] as const) {
    const [expected, end] = [model[role], pair.end(role)];
    expect(end.received).toEqual(model[other(role)].said.slice(0, expected.seen));
    const seen = end.outcome && { code: end.outcome.code, wasClean: end.outcome.wasClean };
    expect(seen).toEqual(expected.ended ? expected.outcome : undefined);
    if (expected.ended && expected.outcome?.wasClean) expect(end.session.channel.closeAnswered).toBe(expected.answered);
    expect(end.failure !== undefined && expected.phase !== 'dead').toBe(false);
  }
}

type Command = fc.AsyncCommand<Model, Real>;

function command(text: string, run: (model: Model, real: Real) => Promise<void> | void): Command {
  return {
    check: () => true,
    run: async (model, real) => {
      await run(model, real);
      await real.pair.settle();
      check(model, real);
    },
    toString: () => text,
  };
}

const send = (role: Role, flush: boolean): Command =>
  command(`${role} sends${flush ? ', flushes' : ''}`, (model, { pair }) => {
    const text = `${role} ${model[role].said.length}`;
    expect(pair.end(role).send(text, () => undefined)).toBe(model[role].canSay);
    if (model[role].canSay) model[role].said.push(text);
    if (flush) pair.end(role).session.flush();
  });

const close = (role: Role, code: number): Command =>
  command(`${role} closes ${code}`, async (model, real) => {
    const seals = model[role].canSeal;
    model[role].close(code);
    real.pair.end(role).close(code, 'why');
    await real.pair.settle();
    if (!seals) return;
    real.mark(role, { is: 'close', code });
    model[role].drainedAt = real.pair.clock.time;
  });

const deliver = (from: Role): Command =>
  command(`the ${from}'s next arrives`, async (model, real) => {
    const to = model[other(from)];
    const answers = to.phase === 'open' && to.closed === undefined;
    const item = real.deliver(from);
    await real.pair.settle();
    if (item === undefined) return;
    to.arrive(item);
    if (item.is !== 'close' || !answers) return;
    // The answer stands last before the end of the transport, which follows it.
    const items = real.items[to.role];
    const at = items.map(({ is }) => is).lastIndexOf('nothing');
    expect(at).toBeGreaterThanOrEqual(0);
    items[at] = { is: 'answer', code: item.code };
  });

/** Neither application sees anything of it, whatever it crosses. */
const exchange = (role: Role): Command =>
  command(`the ${role} wants an exchange`, (_model, { pair }) => {
    pair
      .end(role)
      .session.channel.exchange()
      .catch(() => undefined);
  });

const ping = (role: Role): Command =>
  command(`the ${role} pings`, (_model, { pair }) => {
    pair
      .end(role)
      .session.channel.ping(new Uint8Array(3))
      .catch(() => undefined);
  });

const tick = (milliseconds: number): Command =>
  command(`${milliseconds} ms pass`, (model, { pair }) => {
    pair.clock.time += milliseconds;
    for (const role of ['client', 'server'] as const) {
      pair.end(role).session.tick();
      model[role].tick(pair.clock.time);
    }
  });

const cut = (): Command =>
  command('the transport is cut', (model, real) => {
    real.cut();
    for (const role of ['client', 'server'] as const) model[role].transportClosed(1006);
  });

const forge = (role: Role, code: number): Command =>
  command(`the ${role}'s transport is closed with ${code} by somebody`, (model, real) => {
    real.forge(role, code);
    model[role].transportClosed(code);
  });

const role = fc.constantFrom<Role>('client', 'server');
const commands = fc.commands(
  [
    ...Array.from({ length: 10 }, () => fc.tuple(role, fc.boolean()).map((args) => send(...args))),
    ...Array.from({ length: 20 }, () => role.map(deliver)),
    ...Array.from({ length: 2 }, () =>
      fc.tuple(role, fc.integer({ min: 4000, max: 4999 })).map((args) => close(...args)),
    ),
    ...Array.from({ length: 3 }, () => role.map(exchange)),
    role.map(ping),
    fc.integer({ min: 1, max: 31_000 }).map(tick),
    fc
      .tuple(role, fc.constantFrom(1000, 1001, 1005, 1006, 1011, 1013, 3768, 3771, 3773, 3774, 4000))
      .map((args) => forge(...args)),
    fc.constant(undefined).map(cut),
  ],
  { maxCommands: 80, size: 'max' },
);

describe.each([
  ['node', 800],
  ['webcrypto', 300],
] as const)('%s', (backend, numRuns) => {
  test('what each application sees is what the model says', { timeout: 240_000 }, async () => {
    const ends = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(commands, fc.boolean(), async (steps, handshake) => {
        const [model, real] = [new Model(), new Real(backend)];
        await fc.asyncModelRun(async () => {
          real.pair.client.session.start();
          await real.pair.settle();
          if (handshake)
            for (const from of ['client', 'server', 'server', 'client'] as const) await deliver(from).run(model, real);
          return { model, real };
        }, steps);
        // Whatever was left open is cut; then nobody holds a secret and nothing is timed.
        await cut().run(model, real);
        expect(real.pair.backend.live.size).toBe(0);
        for (const each of ['client', 'server'] as const) {
          expect(real.pair.end(each).session.deadline).toBeUndefined();
          expect(real.pair.end(each).events.filter((event) => event === 'closed').length).toBe(1);
          const { code, wasClean } = real.pair.end(each).outcome ?? { code: 0, wasClean: false };
          const kind = wasClean
            ? `clean, ${model[each].answered ? 'answered' : 'crossed'}`
            : code === 1006
              ? '1006'
              : 'hint';
          ends.set(kind, (ends.get(kind) ?? 0) + 1);
        }
        const kinds = new Set(real.pair.backend.inners.map((inner) => parseInner(inner).kind));
        if (kinds.has(Kind.KEY_UPDATE)) ends.set('with updates', (ends.get('with updates') ?? 0) + 1);
        if (kinds.has(Kind.EXCHANGE_END)) ends.set('with exchanges', (ends.get('with exchanges') ?? 0) + 1);
        if (kinds.has(Kind.EXCHANGE_OFFER) && !kinds.has(Kind.EXCHANGE_END))
          ends.set('with half an exchange', (ends.get('with half an exchange') ?? 0) + 1);
      }),
      { numRuns },
    );
    // A model that never gets anywhere checks nothing.
    const missing = [
      ...['clean, answered', 'clean, crossed', '1006', 'hint', 'with updates'],
      ...['with exchanges', 'with half an exchange'],
    ].filter((kind) => !ends.has(kind));
    expect(missing).toEqual([]);
  });
});
