/** An end of the connection that v1.json is about: its randomness, its limits, and its way to any state. */
import { expect } from 'vitest';
import type { CryptoBackend, RandomSource } from '../../src/crypto/backend.ts';
import { concat, utf8, writeU64be } from '../../src/base/bytes.ts';
import { DirectionKeys } from '../../src/protocol/v1/key-schedule.ts';
import { DEFAULT_REKEY } from '../../src/protocol/limits.ts';
import type { Pad } from '../../src/protocol/v1/padding.ts';
import { padTo } from '../../src/protocol/v1/padding.ts';
import type { RecordKind } from '../../src/protocol/v1/kinds.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import { composeFrame } from '../../src/protocol/v1/record.ts';
import { RecordSender } from '../../src/protocol/v1/seal.ts';
import type { EndOptions, Role } from '../support/session-pair.ts';
import { Clock, End } from '../support/session-pair.ts';
import { CountingBackend } from '../support/counting-backend.ts';
import type { RecordVector, SessionVector, Step } from '../support/v1-vectors.ts';
import { bytes, toHex, v1, wire } from '../support/v1-vectors.ts';

/** v1.json's nonces: those of `given` first, then four ASCII characters and a counter. */
export function vectorRandom(role: Role, given: Uint8Array[] = []): RandomSource {
  let count = 0;
  return (target) => {
    const next = given.shift();
    if (next !== undefined) {
      target.set(next);
      return target;
    }
    const counter = new Uint8Array(8);
    writeU64be(counter, count);
    count += 1;
    target.set(concat(utf8(role === 'client' ? 'clnt' : 'srvr'), counter));
    return target;
  };
}

export class VectorEnd extends End {
  /** Nonces of the next frames, where they do not follow the rule. */
  readonly nonces: Uint8Array[];
  readonly #backend: CountingBackend;

  constructor(role: Role, backend: CryptoBackend, options: EndOptions = {}) {
    const counting = new CountingBackend(backend);
    const nonces: Uint8Array[] = [];
    super(role, counting, new Clock(), {
      random: vectorRandom(role, nonces),
      keySeed: () => bytes(v1.inputs.keySeed),
      encapsulationRandomness: () => bytes(v1.inputs.m),
      limits: { maxPayload: v1.inputs.maxPayload },
      ...options,
    });
    this.#backend = counting;
    this.nonces = nonces;
  }

  /** A client has sent its hello. */
  async start(): Promise<this> {
    if (this.role === 'client') this.session.start();
    await this.settle();
    return this;
  }

  settle(): Promise<void> {
    return this.#backend.settled();
  }

  async receive(message: string | Uint8Array): Promise<void> {
    this.session.receive(message);
    await this.settle();
  }

  /** Up to where the peer's Finished is due. */
  async throughHellos(session: SessionVector = v1.session): Promise<this> {
    await this.start();
    await this.receive(this.role === 'client' ? session.serverHello : session.clientHello);
    expect(this.failure).toBeUndefined();
    return this;
  }

  /** Up to after both Finisheds. */
  async throughFinished(session: SessionVector = v1.session): Promise<this> {
    await this.throughHellos(session);
    await this.receive(bytes(this.role === 'client' ? session.serverFinished.frame : session.clientFinished.frame));
    expect(this.session.state).toBe('open');
    return this;
  }

  async take(step: Step): Promise<void> {
    if (step.close !== undefined) this.close(step.close.code, step.close.reason);
    if (step.receive !== undefined) this.session.receive(wire(step.receive));
    await this.settle();
    expect(this.failure).toBeUndefined();
  }

  /** Whether exactly this was transmitted last, without a difference of thousands of digits in the report. */
  hasSent(frame: string): boolean {
    return this.wire.at(-1) === frame;
  }

  /** What was transmitted, text as it is and frames in hex. */
  get wire(): string[] {
    return this.sent.map(({ message }) => (typeof message === 'string' ? message : toHex(message)));
  }
}

/** Seals records one after the other as v1's sender does, with the nonces, paddings and key updates that are given. */
export async function sealAll(backend: CryptoBackend, records: readonly RecordVector[]): Promise<string[]> {
  const counting = new CountingBackend(backend);
  const [{ from }] = records as readonly [RecordVector];
  const keys = await DirectionKeys.derive(
    counting,
    bytes(v1.session.th),
    from,
    await backend.importSecret(bytes(v1.session.ss)),
  );
  const nonces = records.map(({ nonce }) => bytes(nonce));
  const frames: string[] = [];
  // An update comes when the record after it is pushed, so what it depends on changes from record to record.
  const limits = { rekey: DEFAULT_REKEY };
  const config = { now: () => 0, random: vectorRandom(from, nonces), limits, padded: undefined as Pad | undefined };
  const sender = new RecordSender(keys, config, { transmit: (frame) => frames.push(toHex(frame)) }, (error) => {
    throw error;
  });
  for (const { kind, content, padding } of records) {
    const block = content.length / 2 + 1 + padding;
    if (kind === Kind.KEY_UPDATE) {
      limits.rekey = { ...DEFAULT_REKEY, records: 2 };
      config.padded = padTo(block);
      continue;
    }
    sender.push(kind as RecordKind, composeFrame(kind as RecordKind, bytes(content), { padded: padTo(block) }));
    limits.rekey = DEFAULT_REKEY;
  }
  await counting.settled();
  keys.destroy();
  return frames;
}
