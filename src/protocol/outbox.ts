/**
 * Messages that wait to be sealed. What waits at the same moment may share a record (PROTOCOL.md, "Batch");
 * nothing ever waits in order to share one.
 */
import type { BatchEntry, MessageKind, Padding } from './record.ts';
import { BATCH_ENTRY_HEADER_BYTES, composeBatch, composeFrame, Kind, MAX_BATCH_BYTES } from './record.ts';

/** Called once, when the message is handed to the transport, or with the reason why it never will be. */
export type SentCallback = (error?: Error) => void;

/** What travels beside a frame: whose bytes it holds. */
export interface Receipt {
  /** The application's bytes in this frame, without any overhead. */
  readonly applicationBytes: number;
  readonly sent: readonly SentCallback[];
}

/** Above this a message gains nothing from company: its own record costs less than the copy into a batch. */
const BATCHABLE_BYTES = 16 * 1024;

interface Waiting extends BatchEntry {
  /** Set where the message goes alone: composed in send() already, so that its bytes are copied only once. */
  readonly frame?: Uint8Array;
  readonly bytes: number;
  readonly sent: SentCallback | undefined;
}

const NOTHING = new Uint8Array(0);

export class Outbox {
  #messages: Waiting[] = [];
  #bytes = 0;

  /** @param config its padding is read for each record, so that it may change while the connection lives */
  constructor(private readonly config: { readonly padding: Padding }) {}

  /** The application's bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /** @param owned whether nobody else can change `payload`; otherwise its bytes are copied now */
  add(kind: MessageKind, payload: Uint8Array, owned: boolean, sent: SentCallback | undefined): void {
    const bytes = payload.length;
    this.#bytes += bytes;
    this.#messages.push(
      bytes > BATCHABLE_BYTES
        ? { kind, payload: NOTHING, frame: composeFrame(kind, payload, this.config.padding), bytes, sent }
        : { kind, payload: owned ? payload : payload.slice(), bytes, sent },
    );
  }

  /** Takes everything out, as frames to be sealed. */
  flush(push: (kind: Kind, frame: Uint8Array, receipt: Receipt) => void): void {
    const messages = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    let run: Waiting[] = [];
    let runBytes = 0;
    const endRun = (): void => {
      if (run.length > 0) this.#pushRun(run, runBytes, push);
      run = [];
      runBytes = 0;
    };
    for (const message of messages) {
      if (message.frame !== undefined) {
        endRun();
        push(message.kind, message.frame, receiptOf([message]));
        continue;
      }
      const entryBytes = BATCH_ENTRY_HEADER_BYTES + message.bytes;
      if (runBytes + entryBytes > MAX_BATCH_BYTES) endRun();
      run.push(message);
      runBytes += entryBytes;
    }
    endRun();
  }

  #pushRun(
    run: readonly Waiting[],
    runBytes: number,
    push: (kind: Kind, frame: Uint8Array, receipt: Receipt) => void,
  ): void {
    const first = run[0] as Waiting;
    if (run.length === 1) {
      push(first.kind, composeFrame(first.kind, first.payload, this.config.padding), receiptOf(run));
    } else {
      push(Kind.BATCH, composeBatch(run, runBytes, this.config.padding), receiptOf(run));
    }
  }

  /** Gives up on everything; who asked to be told is told why. */
  abandon(error: Error): void {
    const messages = this.#messages;
    this.#messages = [];
    for (const { sent } of messages) sent?.(error);
  }
}

function receiptOf(messages: readonly Waiting[]): Receipt {
  let applicationBytes = 0;
  const sent: SentCallback[] = [];
  for (const message of messages) {
    applicationBytes += message.bytes;
    if (message.sent !== undefined) sent.push(message.sent);
  }
  return { applicationBytes, sent };
}
