/**
 * Seals one direction's records: sequence numbers, epochs and nonces. Frames come out in the order in which
 * records went in, whether the backend answers at once or later.
 */
import type { RandomSource } from '../../crypto/backend.ts';
import { NONCE_BYTES, TAG_BYTES } from '../../crypto/backend.ts';
import { writeU64be } from '../../base/bytes.ts';
import type { DirectionKeys } from './key-schedule.ts';
import type { RekeyLimits } from '../limits.ts';
import { chain, isPromise, OrderedResults, SerialQueue } from '../../base/maybe-promise.ts';
import type { Padding } from './record.ts';
import { composeFrame, Kind } from './record.ts';

export interface SenderConfig {
  readonly random: RandomSource;
  readonly now: () => number;
  readonly limits: { readonly rekey: RekeyLimits };
  /** Read for each record. */
  readonly padding: Padding;
}

export interface SenderOutput<T> {
  /** The next frame, in order, with what its record was pushed with. */
  frame(frame: Uint8Array, ticket: T | undefined): void;
  failed(error: unknown): void;
}

/** @typeParam T what goes with a record and comes out with its frame */
export class RecordSender<T> {
  /** Records sealed over the whole connection; the next record's sequence number. Never reset, never sent. */
  #sequence = 0;
  #epochRecords = 0;
  #epochBytes = 0;
  #epochStart: number;
  #output: SenderOutput<T> | undefined;
  readonly #records: SerialQueue;
  /** What is to be done with each frame, in order. */
  readonly #results: OrderedResults<() => void>;

  constructor(
    private readonly keys: DirectionKeys,
    private readonly config: SenderConfig,
    output: SenderOutput<T>,
  ) {
    this.#output = output;
    this.#epochStart = config.now();
    const failed = (error: unknown): void => {
      this.#output?.failed(error);
    };
    this.#records = new SerialQueue(failed);
    this.#results = new OrderedResults(run, failed);
  }

  get recordsSealed(): number {
    return this.#sequence;
  }

  /** Whether every record pushed so far is out. */
  get isIdle(): boolean {
    return this.#records.isIdle && this.#results.isIdle;
  }

  /**
   * @param frame from `composeFrame`: this sender's from now on, sealed in place
   * @param content what the frame was composed without: only read, and not after this call
   */
  push(kind: Kind, frame: Uint8Array, ticket?: T, content?: Uint8Array): void {
    if (this.#mustUpdate(kind, frame.length - NONCE_BYTES - TAG_BYTES)) this.#update();
    this.#seal(frame, ticket, content);
  }

  /** Calls back when every record pushed so far is out: now, if nothing is under way. Not after `stop`. */
  after(act: () => void): void {
    this.#records.push(() => {
      this.#results.push(() => {
        if (this.#output !== undefined) act();
      });
    });
  }

  /** From now on nothing comes out, not even what is being sealed at this moment. */
  stop(): void {
    this.#output = undefined;
    this.#records.clear();
  }

  #mustUpdate(kind: Kind, innerBytes: number): boolean {
    // An update straight after an update would be refused, and is never needed: an epoch starts empty.
    if (this.#epochRecords === 0) return false;
    if (kind === Kind.CLOSE || kind === Kind.CLOSE_ANSWER || kind === Kind.FINISHED) return false;
    const { records, bytes, milliseconds } = this.config.limits.rekey;
    return (
      this.#epochRecords >= records - 1 ||
      this.#epochBytes + innerBytes > bytes ||
      this.config.now() - this.#epochStart >= milliseconds
    );
  }

  #update(): void {
    this.#seal(composeFrame(Kind.KEY_UPDATE, 0, this.config.padding), undefined);
    this.#records.push(() => this.keys.advance());
    this.#epochRecords = 0;
    this.#epochBytes = 0;
    this.#epochStart = this.config.now();
  }

  #seal(frame: Uint8Array, ticket: T | undefined, content?: Uint8Array): void {
    const sequence = this.#sequence;
    this.#sequence += 1;
    this.#epochRecords += 1;
    this.#epochBytes += frame.length - NONCE_BYTES - TAG_BYTES;
    if (!this.#records.enter()) {
      // Its turn comes later, when the content may be another: it waits in memory of its own, which is not used again.
      const own = content === undefined ? frame : frame.slice();
      if (content !== undefined) own.set(content, NONCE_BYTES);
      this.#records.push(() => {
        this.#sealAs(sequence, own, ticket);
      });
      return;
    }
    try {
      this.#sealAs(sequence, frame, ticket, content);
    } catch (error) {
      this.#output?.failed(error);
    }
    this.#records.leave();
  }

  #sealAs(sequence: number, frame: Uint8Array, ticket: T | undefined, content?: Uint8Array): void {
    if (this.#output === undefined) return;
    const additionalData = new Uint8Array(8);
    writeU64be(additionalData, sequence);
    this.config.random(frame.subarray(0, NONCE_BYTES));
    const sealed = this.keys.key.seal(frame, additionalData, content);
    if (this.#results.isIdle && !isPromise(sealed)) this.#output.frame(sealed, ticket);
    else this.#results.push(chain(sealed, (result) => (): void => this.#output?.frame(result, ticket)));
  }
}

function run(act: () => void): void {
  act();
}
