/**
 * Exchange: a fresh key agreement inside a running connection (PROTOCOL.md 22). What a thief of an end's state can read
 * ends with the next exchange that begins after the theft and in which he takes no part.
 *
 *     client [none] --due, told, wanted / offer--> [offered] --answer / derive--> [answered] --Finished-->
 *            [verifying] --passed, signed / end, Finished--> [none]
 *     server [none] --offer / encapsulate, sign, attest--> [making] --made / answer, Finished--> [awaiting end]
 *            --end--> [awaiting finished] --Finished--> [none]
 */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { Promise } from '../../base/captured.ts';
import { attempt, chain } from '../../base/maybe-promise.ts';
import type { Secret } from '../../crypto/backend.ts';
import { Refusal } from '../errors.ts';
import { seldomRefusal } from '../seldom-refusal.ts';
import type { ExtensionHost } from './extension-types.ts';
import type { Proof, ReceivedFinished } from './hellos.ts';
import { exchangeTranscript, deriveGeneration } from './generation.ts';
import type { GenerationKeys } from './generation.ts';
import { buildFinished, parseFinished } from './hellos.ts';
import type { DirectionKeys } from './key-schedule.ts';
import type { OpenedRecord } from './open.ts';
import type { RecordKind } from './kinds.ts';
import * as Kind from './kinds.ts';
import { composeFrame } from './record.ts';

const HOUR = 60 * 60 * 1000;
const DEFAULT_TIMEOUT = 60_000;
/** A peer, or an application, can ask for work: so many exchanges at once, then one in so many milliseconds. */
const BURST = 8;
const REFILL = 10_000;

interface Asked {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const NOBODY: readonly Asked[] = [];

export abstract class Exchange {
  generation = 0;
  protected phase: string = 'none';
  protected transcriptHash: Uint8Array;
  /** Of the present generation, for the next exchange. */
  protected root: Secret | undefined;
  /** Who wants an exchange that has not begun, and who waits for the one under way. */
  protected asked: readonly Asked[] = NOBODY;
  #served: readonly Asked[] = NOBODY;
  /** Whether a close has been sent or received. */
  protected isClosing = false;
  #isReleased = false;
  #generationBegan: number;
  #stepDeadline: number | undefined;
  /** Counts steps, so that a clock that would start late starts for its own step only. */
  #step = 0;
  #tokens = BURST;
  #refilledAt: number;

  constructor(protected readonly host: ExtensionHost) {
    const { agreement } = host.keyed;
    this.transcriptHash = agreement.transcriptHash;
    this.root = agreement.keys.root;
    this.#generationBegan = host.config.now();
    this.#refilledAt = this.#generationBegan;
  }

  get deadline(): number | undefined {
    if (this.isClosing || this.#isReleased) return undefined;
    const begins = this.#beginsAt;
    return begins === undefined ? this.#stepDeadline : Math.min(begins, this.#stepDeadline ?? Infinity);
  }

  tick(): void {
    if (this.isClosing || this.#isReleased) return;
    const now = this.host.config.now();
    if (now >= (this.#stepDeadline ?? Infinity)) this.host.fail(seldomRefusal('PQ_ERR_EXCHANGE_TIMEOUT'));
    else if (now >= (this.#beginsAt ?? Infinity) && this.#take()) this.begin();
  }

  get awaitsFinished(): boolean {
    return this.phase === 'answered' || this.phase === 'awaiting finished';
  }

  accept(record: OpenedRecord): MaybePromise<void> {
    if (record.kind !== Kind.FINISHED) {
      const isEmpty = record.kind === Kind.EXCHANGE_WANTED || record.kind === Kind.EXCHANGE_END;
      if (isEmpty && record.content.length > 0) throw new Refusal('PQ_ERR_EXCHANGE');
    } else if (!this.awaitsFinished) throw new Refusal('PQ_ERR_KIND');
    return this.acceptOwn(record);
  }

  /** Told to: resolves when an exchange that begins from now on has completed. */
  ask(): Promise<void> {
    if (this.isClosing || this.#isReleased) return Promise.reject(new Error('exchange: the connection is not open'));
    return new Promise((resolve, reject) => {
      this.asked = [...this.asked, { resolve, reject }];
      this.tryToBegin();
    });
  }

  closing(): void {
    this.isClosing = true;
    this.#stepDeadline = undefined;
    this.#step += 1;
    this.stopWork();
  }

  release(reason: () => Error): void {
    this.#isReleased = true;
    this.isClosing = true;
    this.#step += 1;
    this.root?.destroy();
    this.root = undefined;
    this.stopWork();
    this.destroy();
    const waiting = [...this.#served, ...this.asked];
    this.#served = NOBODY;
    this.asked = NOBODY;
    for (const { reject } of waiting) reject(reason());
  }

  /** Whether it is this end's to begin when the time has come. */
  protected abstract get mayBegin(): boolean;
  /** Whether there is something to begin that waits only for its turn. */
  protected abstract get wantsWork(): boolean;
  /** Begins: a client offers, a server asks for an offer, or answers one. */
  protected abstract begin(): void;
  protected abstract acceptOwn(record: OpenedRecord): MaybePromise<void>;
  /** Work under way has nobody who waits for it. */
  protected abstract stopWork(): void;
  /** Lets go of every secret. */
  protected abstract destroy(): void;

  protected tryToBegin(): void {
    if (this.phase === 'none' && !this.isClosing && this.wantsWork && this.#take()) this.begin();
    this.host.timersChanged();
  }

  /** The next step has its time from now on: own work, or what the peer owes once `drained` says so. */
  protected startStep(phase: string, drained: boolean): void {
    this.phase = phase;
    this.#step += 1;
    this.#stepDeadline = undefined;
    const step = this.#step;
    const start = (): void => {
      if (step !== this.#step || this.isClosing) return;
      this.#stepDeadline = this.host.config.now() + (this.host.config.exchange?.timeout ?? DEFAULT_TIMEOUT);
      this.host.timersChanged();
    };
    if (drained)
      this.host.keyed.sender.after(() => {
        this.host.whenDrained(start);
      });
    else start();
  }

  /** Whether this is still the step that was begun, for what comes later. */
  protected still(phase: string): boolean {
    return this.phase === phase && !this.#isReleased;
  }

  protected say(kind: RecordKind, content: Uint8Array): void {
    this.host.flush();
    this.host.keyed.sender.push(kind, composeFrame(kind, content, this.host.config));
  }

  /** The epoch's last record, and straight behind it Finished under the new keys. */
  protected switchSending(kind: RecordKind, content: Uint8Array, keys: DirectionKeys, finished: Uint8Array): void {
    const { sender } = this.host.keyed;
    this.host.flush();
    sender.switchTo(composeFrame(kind, content, this.host.config), keys);
    sender.push(Kind.FINISHED, composeFrame(Kind.FINISHED, finished, this.host.config));
  }

  /** Those who are asking are served by the exchange that begins now. */
  protected serve(): void {
    this.#served = [...this.#served, ...this.asked];
    this.asked = NOBODY;
  }

  protected completed(): void {
    this.generation += 1;
    this.phase = 'none';
    this.#step += 1;
    this.#stepDeadline = undefined;
    this.#generationBegan = this.host.config.now();
    const served = this.#served;
    this.#served = NOBODY;
    for (const { resolve } of served) resolve();
    this.tryToBegin();
  }

  /** The hash of the exchange under way. */
  protected hash(offer: Uint8Array, answer: Uint8Array): MaybePromise<Uint8Array> {
    return this.host.config.backend.sha256(exchangeTranscript(this.transcriptHash, offer, answer));
  }

  /** Joins the root, which is gone then, to the fresh secret. */
  protected derive(transcriptHash: Uint8Array, sharedSecret: Secret): MaybePromise<GenerationKeys> {
    const { root } = this;
    if (root === undefined) {
      sharedSecret.destroy();
      throw new Error('an exchange without a root');
    }
    this.root = undefined;
    return deriveGeneration(this.host.config.backend, transcriptHash, root, sharedSecret);
  }

  /** @throws {Refusal} or rejects with one */
  protected prove(transcriptHash: Uint8Array): MaybePromise<Uint8Array> {
    const proof = attempt<Proof>(
      () => this.host.config.prove?.(transcriptHash, 'exchange') ?? {},
      (cause) => {
        if (cause instanceof Refusal) throw cause;
        throw new Refusal(this.host.config.role === 'client' ? 'PQ_ERR_CLIENT_IDENTITY' : 'PQ_ERR_IDENTITY', { cause });
      },
    );
    return chain(proof, buildFinished);
  }

  /** @throws {Refusal} */
  protected readFinished(content: Uint8Array): ReceivedFinished {
    try {
      return parseFinished(content);
    } catch (cause) {
      throw new Refusal('PQ_ERR_EXCHANGE', { cause });
    }
  }

  /** @throws {Refusal} or rejects with one */
  protected authenticate(finished: ReceivedFinished, transcriptHash: Uint8Array): MaybePromise<void> {
    const { config, keyed } = this.host;
    if (config.authenticate === undefined) return undefined;
    return chain(
      attempt(
        () => config.authenticate?.(finished, transcriptHash, 'exchange', keyed.peerKey),
        (cause) => {
          throw cause instanceof Refusal ? cause : new Refusal('PQ_ERR_ATTESTATION_REFUSED', { cause });
        },
      ),
      () => undefined,
    );
  }

  /** Work that the peer's records do not wait for: what it throws ends the connection. */
  protected apart(act: () => MaybePromise<void>): void {
    void attempt(act, (error) => {
      if (!this.isClosing) this.host.fail(error);
    });
  }

  get #beginsAt(): number | undefined {
    if (this.phase !== 'none') return undefined;
    if (this.wantsWork) return this.#allowedAt;
    if (!this.mayBegin) return undefined;
    return Math.max(this.#generationBegan + (this.host.config.exchange?.milliseconds ?? HOUR), this.#allowedAt);
  }

  get #allowedAt(): number {
    return this.#tokens > 0 ? -Infinity : this.#refilledAt + REFILL;
  }

  #take(): boolean {
    const now = this.host.config.now();
    const refills = Math.floor((now - this.#refilledAt) / REFILL);
    if (this.#tokens + refills >= BURST) {
      this.#tokens = BURST;
      this.#refilledAt = now;
    } else if (refills > 0) {
      this.#tokens += refills;
      this.#refilledAt += refills * REFILL;
    }
    if (this.#tokens === 0) return false;
    this.#tokens -= 1;
    return true;
  }
}
