/**
 * Everything that this end says, from the application's call to the frame: messages wait in the outbox until they
 * may be sealed, are sealed in order, and are given to the transport. What is on its way is counted, and its
 * sender is told what became of it.
 */
import type { MaybePromise } from '../../crypto/backend.ts';
import type { DirectionKeys } from './key-schedule.ts';
import type { Receipt, RecordSink, SentCallback } from './outbox.ts';
import { Outbox } from './outbox.ts';
import type { CloseContent, MessageKind } from './record.ts';
import { composeFrame, encodeClose, Kind } from './record.ts';
import type { SenderConfig, SenderOutput } from './seal.ts';
import { RecordSender } from './seal.ts';

export interface OutboundOutput {
  transmit(message: string | Uint8Array, receipt: Receipt | undefined): void;
  failed(error: unknown): void;
}

/** What goes with a record and comes out with its frame. */
interface Ticket extends Receipt {
  /** Called when the frame is sealed, straight before it is given to the transport. */
  readonly sealed?: (() => void) | undefined;
}

/** Never written to: what every connection at rest is sealing. */
const NOTHING: Receipt[] = [];
const NO_RECEIPT: Receipt = { applicationBytes: 0, sent: [] };

export class Outbound implements RecordSink, SenderOutput<Ticket> {
  readonly #outbox: Outbox;
  #sender: RecordSender<Ticket> | undefined;
  /** Messages whose frames are being sealed, in the order in which the frames come out. */
  #sealing = NOTHING;
  #sealingBytes = 0;
  /** Why nothing goes out any more. */
  #abandoned: (() => Error) | undefined;

  constructor(
    private readonly config: SenderConfig,
    private readonly output: OutboundOutput,
  ) {
    this.#outbox = new Outbox(config);
  }

  /** The application's bytes that have not been given to the transport. */
  get queuedBytes(): number {
    return this.#outbox.bytes + this.#sealingBytes;
  }

  get recordsSealed(): number {
    return this.#sender?.recordsSealed ?? 0;
  }

  /** From now on records can be sealed. */
  open(keys: DirectionKeys): void {
    this.#sender = new RecordSender<Ticket>(keys, this.config, this);
  }

  /** @param owned whether nobody else can change `payload`; otherwise it is copied now */
  add(kind: MessageKind, payload: Uint8Array, owned: boolean, sent: SentCallback | undefined): void {
    if (this.#abandoned === undefined) this.#outbox.add(kind, payload, owned, sent);
    else sent?.(this.#abandoned());
  }

  /**
   * Seals a message that would go alone right away, behind what waits, so that its bytes are never copied.
   * @returns whether it did
   */
  sendNow(kind: MessageKind, payload: Uint8Array, sent: SentCallback | undefined): boolean {
    if (this.#sender === undefined || !Outbox.goesAlone(payload.length)) return false;
    this.flush();
    const receipt = { applicationBytes: payload.length, sent: sent === undefined ? [] : [sent] };
    this.push(kind, composeFrame(kind, payload.length, this.config.padding), receipt, payload);
    return true;
  }

  /** Seals what waits. */
  flush(): void {
    if (this.#sender === undefined || this.#outbox.isEmpty) return;
    this.#outbox.flush(this);
  }

  /**
   * Record 0. It is never padded: the peer's limits are not known to be ours until it is accepted.
   * @param sealed is called when nothing can keep it back any more, straight before it is given to the transport
   */
  finished(content: Uint8Array, sealed?: () => void): void {
    this.#sender?.push(Kind.FINISHED, composeFrame(Kind.FINISHED, content, 'off'), { ...NO_RECEIPT, sealed });
  }

  /** This end's last record. */
  close(kind: typeof Kind.CLOSE | typeof Kind.CLOSE_ANSWER, content: CloseContent): void {
    this.#sender?.push(kind, composeFrame(kind, encodeClose(content), this.config.padding));
  }

  /** Calls back when everything so far has been given to the transport. Not after `abandon`. */
  after(act: () => void): void {
    this.#sender?.after(act);
  }

  /** Comes when everything so far has been given to the transport: now, if it has been. Never after `abandon`. */
  handedOver(): MaybePromise<void> {
    if (this.#sender?.isIdle === true) return undefined;
    return new Promise((resolve) => {
      this.after(resolve);
    });
  }

  /**
   * Gives up on everything that is not yet out; who asked to be told is told why.
   * @param reason called where somebody is told
   */
  abandon(reason: () => Error): void {
    if (this.#abandoned !== undefined) return;
    this.#abandoned = reason;
    this.#sender?.stop();
    const sealing = this.#sealing;
    this.#sealing = NOTHING;
    for (const receipt of sealing) drop(receipt, reason);
    this.#outbox.abandon(reason);
  }

  /** @internal Seals a record of messages. */
  push(kind: Kind, frame: Uint8Array, receipt: Receipt, content?: Uint8Array): void {
    this.#sealingBytes += receipt.applicationBytes;
    if (this.#abandoned !== undefined) {
      drop(receipt, this.#abandoned);
      return;
    }
    if (this.#sealing === NOTHING) this.#sealing = [];
    this.#sealing.push(receipt);
    this.#sender?.push(kind, frame, receipt, content);
  }

  /** @internal */
  failed(error: unknown): void {
    this.output.failed(error);
  }

  /** @internal A record is sealed. */
  frame(frame: Uint8Array, ticket: Ticket | undefined): void {
    ticket?.sealed?.();
    if (ticket !== undefined && this.#sealing[0] === ticket) {
      this.#sealing.shift();
      this.#sealingBytes -= ticket.applicationBytes;
    }
    this.output.transmit(frame, ticket);
  }
}

function drop(receipt: Receipt, reason: () => Error): void {
  for (const sent of receipt.sent) sent(reason());
}
