/**
 * Messages that wait to be sealed. What waits at the same moment may share a record (PROTOCOL.md, "Batch");
 * nothing ever waits in order to share one.
 */
import { copyShort } from '#copy-short';
import { ON_NODE } from '#on-node';
import type { SentCallback, WaitingMessages } from '../receipt.ts';
import type { SessionLimits } from '../limits.ts';
import type { FrameConfig, MessageKind } from './record.ts';
import type { RecordKind } from './kinds.ts';
import * as Kind from './kinds.ts';
import {
  BATCH_ENTRY_HEADER_BYTES,
  blankFrame,
  composeFrame,
  frameLength,
  MAX_BATCH_BYTES,
  writeBatchEntry,
} from './record.ts';

/** A record to be sealed. */
export interface OutgoingRecord {
  readonly kind: RecordKind;
  readonly frame: Uint8Array;
  /** What `frame` was composed without, if it was; it is not looked at after the call that seals. */
  readonly content?: Uint8Array | undefined;
}

/** Above this a message gains nothing from company: its own record costs less than the copy into a batch. */
const BATCHABLE_BYTES = 16 * 1024;

const SMALLEST_BATCH_BUFFER = 4_096;

/** Its padding is read for each record, so that it may change while the connection lives. */
type OutboxConfig = FrameConfig & { readonly limits: Pick<SessionLimits, 'maxBatchBytes'> };

/** Messages that go out as one record. */
class Run {
  applicationBytes = 0;
  readonly sent: SentCallback[] = [];
  /** Set where one message goes alone and is above BATCHABLE_BYTES: composed in send() already. */
  frame: Uint8Array | undefined;
  #kind: MessageKind;
  /** The only message so far. */
  #first: Uint8Array;
  /** Of the entries, once there are two. */
  #batch: Uint8Array | undefined;
  #batchBytes = 0;

  constructor(kind: MessageKind, first: Uint8Array) {
    this.#kind = kind;
    this.#first = first;
    this.applicationBytes = first.length;
  }

  hasRoomFor(bytes: number, { padded, limits }: OutboxConfig): boolean {
    if (this.frame !== undefined) return false;
    const used = this.#batchBytes === 0 ? BATCH_ENTRY_HEADER_BYTES + this.#first.length : this.#batchBytes;
    const content = used + BATCH_ENTRY_HEADER_BYTES + bytes;
    return content <= MAX_BATCH_BYTES && frameLength(content, padded) <= limits.maxBatchBytes;
  }

  /** Copies the payload. */
  append(kind: MessageKind, payload: Uint8Array): void {
    if (this.#batchBytes === 0) this.#write(this.#kind, this.#first);
    this.#write(kind, payload);
    this.applicationBytes += payload.length;
  }

  compose(config: FrameConfig): OutgoingRecord {
    // Who seals on Node asks for the content, and must not get one from a polluted Object.prototype.
    if (this.frame !== undefined)
      return { kind: this.#kind, frame: this.frame, ...(ON_NODE && { content: undefined }) };
    const isBatch = this.#batch !== undefined;
    const content = this.#batch?.subarray(0, this.#batchBytes) ?? this.#first;
    const kind = isBatch ? Kind.BATCH : this.#kind;
    if (!ON_NODE) return { kind, frame: composeFrame(kind, content, config) };
    return { kind, frame: blankFrame(kind, content.length, config), content };
  }

  /** It is sealed, or has been copied. */
  release(): void {
    if (this.#batch !== undefined) giveBack(this.#batch, this.#batchBytes);
    this.#batch = undefined;
  }

  #write(kind: MessageKind, payload: Uint8Array): void {
    const end = this.#batchBytes + BATCH_ENTRY_HEADER_BYTES + payload.length;
    this.#batch ??= takeBuffer();
    if (end > this.#batch.length) {
      const larger = new Uint8Array(Math.min(MAX_BATCH_BYTES, Math.max(end, 4 * this.#batch.length)));
      larger.set(this.#batch.subarray(0, this.#batchBytes));
      this.#batch = larger;
    }
    writeBatchEntry(this.#batch, this.#batchBytes, kind, payload);
    this.#batchBytes = end;
  }
}

/** One buffer for the batches of all connections: most of them are filled and sealed within one turn. */
let spare: Uint8Array | undefined;

function takeBuffer(): Uint8Array {
  const buffer = spare ?? new Uint8Array(SMALLEST_BATCH_BUFFER);
  spare = undefined;
  return buffer;
}

/** Wiped, so that no other connection ever sees what stood there. */
function giveBack(buffer: Uint8Array, used: number): void {
  buffer.fill(0, 0, used);
  if (buffer.length > (spare?.length ?? 0)) spare = buffer;
}

export class Outbox implements WaitingMessages {
  #runs: Run[] = [];
  #bytes = 0;

  /** Why nothing goes out any more. */
  #abandoned: (() => Error) | undefined;

  readonly #config: OutboxConfig;

  constructor(config: OutboxConfig) {
    this.#config = config;
  }

  /** The application's bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** Whether a message of so many bytes is a record of its own, whatever waits beside it. */
  static goesAlone(bytes: number): boolean {
    return bytes > BATCHABLE_BYTES;
  }

  /** @param owned whether only we can change `payload`; otherwise its bytes are copied now */
  add(kind: MessageKind, payload: Uint8Array, owned: boolean, sent: SentCallback | undefined): void {
    if (this.#abandoned !== undefined) {
      sent?.(this.#abandoned());
      return;
    }
    const bytes = payload.length;
    this.#bytes += bytes;
    let run = this.#runs.at(-1);
    if (Outbox.goesAlone(bytes)) {
      run = new Run(kind, payload);
      // Its bytes are copied only once.
      run.frame = composeFrame(kind, payload, this.#config);
      this.#runs.push(run);
    } else if (run?.hasRoomFor(bytes, this.#config) === true) {
      run.append(kind, payload);
    } else {
      run = new Run(kind, owned ? payload : copyShort(payload));
      this.#runs.push(run);
    }
    if (sent !== undefined) run.sent.push(sent);
  }

  /** Takes everything out, as what goes out together. */
  take(): readonly Run[] {
    const runs = this.#runs;
    this.#runs = [];
    this.#bytes = 0;
    return runs;
  }

  /** Gives up on everything: each send callback gets the reason. The bytes still count, as the standard's `bufferedAmount` has it. */
  abandon(reason: () => Error): void {
    this.#abandoned ??= reason;
    const runs = this.#runs;
    this.#runs = [];
    for (const { sent } of runs) for (const callback of sent) callback(reason());
  }
}
