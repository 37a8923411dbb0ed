/**
 * Opens one direction's records: sequence numbers, epochs and limits. Every refusal is final; the session never
 * asks again after one.
 */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { NONCE_BYTES, TAG_BYTES } from '../../crypto/backend.ts';
import { writeU64be } from '../../base/bytes.ts';
import { Refusal } from '../errors.ts';
import type { DirectionKeys } from './key-schedule.ts';
import { chain } from '../../base/maybe-promise.ts';
import * as Kind from './kinds.ts';
import { MIN_FRAME_BYTES, parseInner } from './record.ts';

export interface ReceiverConfig {
  readonly keys: DirectionKeys;
  readonly maxInner: number;
  readonly maxEpochRecords: number;
}

export interface OpenedRecord {
  /** Any non-zero byte: which kinds are allowed when is the session's to judge. */
  readonly kind: number;
  readonly content: Uint8Array;
}

export class RecordReceiver {
  /** Records opened over the whole connection; the next record's sequence number. */
  #sequence = 0;
  #epochRecords = 0;
  #epochIsFresh = false;

  #keys: DirectionKeys;

  readonly #config: ReceiverConfig;

  constructor(config: ReceiverConfig) {
    this.#config = config;
    this.#keys = config.keys;
  }

  get recordsOpened(): number {
    return this.#sequence;
  }

  /**
   * Opens the frame as the next record. A key update has been carried out when the result is there.
   * @param owned whether the frame may be overwritten, and its memory given back
   * @throws {Refusal} or rejects with one
   */
  open(frame: Uint8Array, owned = false): MaybePromise<OpenedRecord> {
    if (frame.length < MIN_FRAME_BYTES) throw new Refusal('PQ_ERR_RECORD');
    if (frame.length - NONCE_BYTES - TAG_BYTES > this.#config.maxInner) throw new Refusal('PQ_ERR_FRAME_SIZE');
    if (this.#epochRecords >= this.#config.maxEpochRecords) throw new Refusal('PQ_ERR_EPOCH_LIMIT');
    const additionalData = new Uint8Array(8);
    writeU64be(additionalData, this.#sequence);
    return chain(this.#keys.key.open(frame, additionalData, owned), (inner) => {
      // SP 800-38D 7.2: FAIL, and nothing else, whatever was wrong.
      if (inner === undefined) throw new Refusal('PQ_ERR_RECORD');
      this.#sequence += 1;
      this.#epochRecords += 1;
      const record = parseInner(inner);
      return record.kind === Kind.KEY_UPDATE ? this.#update(record) : this.#note(record);
    });
  }

  /** The record that has just been opened was its epoch's last. The keys before are destroyed, these are this receiver's to destroy. */
  switchTo(keys: DirectionKeys): void {
    this.#keys.destroy();
    this.#keys = keys;
    this.#epochRecords = 0;
    this.#epochIsFresh = true;
  }

  destroyKeys(): void {
    this.#keys.destroy();
  }

  #note(record: OpenedRecord): OpenedRecord {
    this.#epochIsFresh = false;
    return record;
  }

  #update(record: OpenedRecord): MaybePromise<OpenedRecord> {
    if (record.content.length > 0 || this.#epochIsFresh) throw new Refusal('PQ_ERR_KEY_UPDATE');
    return chain(this.#keys.advance(), () => {
      this.#epochRecords = 0;
      this.#epochIsFresh = true;
      return record;
    });
  }
}
