/**
 * Seals one direction's records: sequence numbers, epochs and nonces. Frames come out in the order in which
 * records went in, whether the backend answers at once or later.
 */
import { ON_NODE } from '#on-node';
import type { RandomSource } from '../../crypto/backend.ts';
import { NONCE_BYTES, TAG_BYTES } from '../../crypto/backend.ts';
import { writeU64be } from '../../base/bytes.ts';
import type { DirectionKeys } from './key-schedule.ts';
import type { RekeyLimits } from '../limits.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { isPromise, SerialQueue } from '../../base/maybe-promise.ts';
import { Queue } from '../../base/queue.ts';
import type { Receipt } from '../receipt.ts';
import type { FrameConfig } from './record.ts';
import type { RecordKind } from './kinds.ts';
import * as Kind from './kinds.ts';
import { blankFrame } from './record.ts';
import { Promise } from '../../base/captured.ts';

export interface SenderConfig extends FrameConfig {
  readonly random: RandomSource;
  /** Whether a key that can draws the nonces itself. Not where they have to be known, as in test vectors. Default false. */
  readonly keysDrawNonces?: boolean | undefined;
  readonly now: () => number;
  readonly limits: { readonly rekey: RekeyLimits };
}

/** Where frames go, in order, each with what its record was pushed with. */
export interface FrameOutput {
  transmit(frame: Uint8Array, receipt: Receipt | undefined): void;
}

/** Comes into being with the keys. */
export class RecordSender {
  /** Records sealed over the whole connection; the next record's sequence number. Never reset, never sent. */
  #sequence = 0;
  #epochRecords = 0;
  #epochBytes = 0;
  #epochStart: number;
  /** Why nothing comes out any more. */
  #stopped: (() => Error) | undefined;
  readonly #records: SerialQueue;
  /** What is to be done with each frame, in order. */
  readonly #results: SerialQueue;
  /** Of the records that hold messages and are not out, in order. */
  readonly #underWay = new Queue<Receipt>();
  #bytesUnderWay = 0;
  /** Of generations to come, in order. */
  readonly #nextKeys: DirectionKeys[] = [];

  #keys: DirectionKeys;
  readonly #config: SenderConfig;
  readonly #output: FrameOutput;
  readonly #failed: (error: unknown) => void;

  /** @param failed takes what an unawaited step has thrown */
  constructor(keys: DirectionKeys, config: SenderConfig, output: FrameOutput, failed: (error: unknown) => void) {
    this.#keys = keys;
    this.#config = config;
    this.#output = output;
    this.#failed = failed;
    this.#epochStart = config.now();
    const failedLater = (error: unknown): void => {
      if (this.#stopped === undefined) failed(error);
    };
    this.#records = new SerialQueue(failedLater);
    this.#results = new SerialQueue(failedLater);
  }

  get recordsSealed(): number {
    return this.#sequence;
  }

  /** Whether every record pushed so far is out. */
  get isIdle(): boolean {
    return this.#records.isIdle && this.#results.isIdle;
  }

  /** The application's bytes in records that have been pushed and are not out. */
  get bytesUnderWay(): number {
    return this.#bytesUnderWay;
  }

  /**
   * @param frame from `composeFrame`, or `blankFrame`: this sender's from now on, sealed in place
   * @param receipt of the messages in it
   * @param content what the frame was composed without: only read, and not after this call
   */
  push(kind: RecordKind, frame: Uint8Array, receipt?: Receipt, content?: Uint8Array): void {
    this.#bytesUnderWay += receipt?.applicationBytes ?? 0;
    if (this.#stopped !== undefined) {
      if (receipt !== undefined) drop(receipt, this.#stopped);
      return;
    }
    if (receipt !== undefined) this.#underWay.push(receipt);
    if (this.#mustUpdate(kind, innerLength(frame))) this.#update();
    const sequence = this.#count(frame);
    if (!ON_NODE || !this.#records.enter()) {
      // Its turn comes later, when the content may be another: it waits in memory of its own, which is not used again.
      const own = !ON_NODE || content === undefined ? frame : frame.slice();
      if (ON_NODE && content !== undefined) own.set(content, NONCE_BYTES);
      this.#sealNext(sequence, own, receipt);
      return;
    }
    try {
      const sealed = this.#seal(sequence, frame, content);
      if (isPromise(sealed) || !this.#results.isIdle) this.#later(sealed, receipt);
      else {
        this.#out(receipt);
        this.#output.transmit(sealed, receipt);
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#records.leave();
  }

  /**
   * Seals the epoch's last record, and goes on under other keys: where a key update would stand, and without one before it
   * (PROTOCOL.md 22.2). Both sets of keys are this sender's to destroy.
   */
  switchTo(frame: Uint8Array, keys: DirectionKeys): void {
    this.#nextKeys.push(keys);
    this.#endEpoch(frame, () => {
      this.#keys.destroy();
      this.#keys = this.#nextKeys.shift() as DirectionKeys;
    });
  }

  /** Lets go of the keys, those that are still to come too. */
  destroyKeys(): void {
    for (const keys of [this.#keys, ...this.#nextKeys]) keys.destroy();
  }

  /**
   * Seals the next record for the caller to transmit.
   * @throws {Error} while another is under way
   */
  sealAlone(frame: Uint8Array): MaybePromise<Uint8Array> {
    if (!this.isIdle) throw new Error('another record is under way');
    return this.#seal(this.#count(frame), frame);
  }

  /** Calls back when every record pushed so far is out: now, if nothing is under way. Not after `stop`. */
  after(act: () => void): void {
    this.#records.push(() => {
      this.#results.push(() => {
        if (this.#stopped === undefined) act();
      });
    });
  }

  /** Comes when every record pushed so far is out: now, if nothing is under way. Never after `stop`. */
  handedOver(): MaybePromise<void> {
    if (this.isIdle) return undefined;
    return new Promise((resolve) => {
      this.after(resolve);
    });
  }

  /**
   * From now on nothing comes out, not even what is being sealed at this moment.
   * @param reason each send callback of a message that is not out gets it
   */
  stop(reason: () => Error): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = reason;
    this.#records.clear();
    for (let next = this.#underWay.shift(); next !== undefined; next = this.#underWay.shift()) drop(next, reason);
  }

  #mustUpdate(kind: RecordKind, innerBytes: number): boolean {
    // An update straight after an update would be refused, and is never needed: an epoch starts empty.
    if (this.#epochRecords === 0) return false;
    if (kind === Kind.CLOSE || kind === Kind.CLOSE_ANSWER || kind === Kind.FINISHED) return false;
    const { records, bytes, milliseconds } = this.#config.limits.rekey;
    return (
      this.#epochRecords >= records - 1 ||
      this.#epochBytes + innerBytes > bytes ||
      this.#config.now() - this.#epochStart >= milliseconds
    );
  }

  #update(): void {
    this.#endEpoch(blankFrame(Kind.KEY_UPDATE, 0, this.#config), () => this.#keys.advance());
  }

  /** @param next enters the next epoch, behind the record that is this one's last */
  #endEpoch(frame: Uint8Array, next: () => MaybePromise<void>): void {
    this.#sealNext(this.#count(frame), frame, undefined);
    this.#records.push(next);
    this.#epochRecords = 0;
    this.#epochBytes = 0;
    this.#epochStart = this.#config.now();
  }

  /** @returns the sequence number of the record that the frame will be */
  #count(frame: Uint8Array): number {
    this.#epochRecords += 1;
    this.#epochBytes += innerLength(frame);
    this.#sequence += 1;
    return this.#sequence - 1;
  }

  #seal(sequence: number, frame: Uint8Array, content?: Uint8Array): MaybePromise<Uint8Array> {
    const additionalData = new Uint8Array(8);
    writeU64be(additionalData, sequence);
    const { key } = this.#keys;
    if (ON_NODE && this.#config.keysDrawNonces === true && key.sealFresh !== undefined) {
      return key.sealFresh(frame, additionalData, content);
    }
    this.#config.random(frame.subarray(0, NONCE_BYTES));
    return key.seal(frame, additionalData, content);
  }

  /** Behind what waits to be sealed. */
  #sealNext(sequence: number, frame: Uint8Array, receipt: Receipt | undefined): void {
    this.#records.push(() => {
      this.#later(this.#seal(sequence, frame), receipt);
    });
  }

  /** What is sealed comes out behind what was sealed before it. */
  #later(sealed: MaybePromise<Uint8Array>, receipt: Receipt | undefined): void {
    this.#results.pushResult(sealed, (frame) => {
      if (this.#stopped !== undefined) return;
      this.#out(receipt);
      this.#output.transmit(frame, receipt);
    });
  }

  #out(receipt: Receipt | undefined): void {
    if (receipt === undefined) return;
    this.#underWay.shift();
    this.#bytesUnderWay -= receipt.applicationBytes;
  }
}

function innerLength(frame: Uint8Array): number {
  return frame.length - NONCE_BYTES - TAG_BYTES;
}

function drop(receipt: Receipt, reason: () => Error): void {
  for (const sent of receipt.sent) sent(reason());
}
