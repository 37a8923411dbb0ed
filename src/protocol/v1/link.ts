/** What the parts of a session, the handshakes and the conversation, work with in common. */
import type { MaybePromise } from '../../crypto/backend.ts';
import { Refusal } from '../errors.ts';
import type { ReceivedFinished } from './hellos.ts';
import { parseFinished } from './hellos.ts';
import type { Agreement } from './key-agreement.ts';
import { destroyKeys } from './key-schedule.ts';
import { chain } from '../../base/maybe-promise.ts';
import type { Receipt } from './outbox.ts';
import type { OutboundOutput } from './outbound.ts';
import { Outbound } from './outbound.ts';
import type { OpenedRecord } from './open.ts';
import { RecordReceiver } from './open.ts';
import { Kind, maxInnerBytes } from './record.ts';
import type { SessionConfig, SessionHost } from '../session-types.ts';
import type { States } from './states.ts';
import { StateMachine } from './states.ts';

export class Link<Text> implements OutboundOutput {
  readonly state: StateMachine;
  readonly outbound: Outbound;
  #agreement: Agreement | undefined;
  #receiver: RecordReceiver | undefined;

  constructor(
    readonly config: SessionConfig<Text>,
    readonly host: SessionHost<Text>,
    states: States,
    private readonly fail: (error: unknown) => void,
  ) {
    this.state = new StateMachine(states);
    this.outbound = new Outbound(config, this);
  }

  /** @internal */
  transmit(message: string | Uint8Array, receipt: Receipt | undefined): void {
    this.host.transmit(message, receipt);
  }

  /** @internal */
  failed(error: unknown): void {
    this.fail(error);
  }

  get agreement(): Agreement | undefined {
    return this.#agreement;
  }

  get recordsOpened(): number {
    return this.#receiver?.recordsOpened ?? 0;
  }

  /** Takes the keys over. */
  establish(agreement: Agreement): void {
    const { role, limits } = this.config;
    const { client, server } = agreement.keys;
    this.#agreement = agreement;
    this.#receiver = new RecordReceiver({
      keys: role === 'client' ? server : client,
      maxInner: maxInnerBytes(limits.maxPayload),
      maxEpochRecords: limits.receivedEpochRecords,
    });
    this.outbound.open(role === 'client' ? client : server);
  }

  /**
   * @param owned whether the frame's memory may be given back
   * @throws {Refusal} or rejects with one
   */
  open(frame: Uint8Array, owned: boolean): MaybePromise<OpenedRecord> {
    if (this.#receiver === undefined) throw new Error('no key is agreed');
    return this.#receiver.open(frame, owned);
  }

  /**
   * Opens the peer's record 0.
   * @throws {Refusal} or rejects with one
   */
  openFinished(frame: string | Uint8Array): MaybePromise<ReceivedFinished> {
    if (typeof frame === 'string') throw new Refusal('PQ_ERR_MESSAGE_TYPE');
    return chain(this.open(frame, false), ({ kind, content }) => {
      if (kind !== Kind.FINISHED) throw new Refusal('PQ_ERR_FINISHED');
      return parseFinished(content);
    });
  }

  destroyKeys(): void {
    if (this.#agreement !== undefined) destroyKeys(this.#agreement.keys);
  }
}
