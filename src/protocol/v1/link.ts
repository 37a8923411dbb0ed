/** What the parts of a connection in v1, its handshake and its conversation, work with in common. */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { chain } from '../../base/maybe-promise.ts';
import { Refusal } from '../errors.ts';
import type { ProfileHost, SessionConfig, SessionHost } from '../session-types.ts';
import { StateMachine } from '../state-machine.ts';
import type { ReceivedFinished } from './hellos.ts';
import { parseFinished } from './hellos.ts';
import type { Agreement } from './key-agreement.ts';
import { destroyKeys } from './key-schedule.ts';
import { RecordReceiver } from './open.ts';
import { Outbox } from './outbox.ts';
import { composeFrame, Kind, maxInnerBytes } from './record.ts';
import { RecordSender } from './seal.ts';
import type { State, Transition, V1States } from './states.ts';

/** One end's half of the handshake. */
export interface Handshake {
  /**
   * Client: the transport is open.
   * @param selected the subprotocol that the server selected
   * @throws {Refusal} or rejects with one
   */
  start(selected: string): MaybePromise<void>;
  /** Server: answers the upgrade request's ClientHello, if there is one. @throws {Refusal} or rejects with one */
  answerEarly(): MaybePromise<void>;
  /** A message that has come before `open`. @throws {Refusal} or rejects with one */
  accept(message: string | Uint8Array): MaybePromise<void>;
  /** Lets go of every secret. */
  destroy(): void;
}

/** What there is from the moment on that the key is agreed. */
export interface Keyed {
  readonly agreement: Agreement;
  readonly sender: RecordSender;
  readonly receiver: RecordReceiver;
}

export class Link<Text = unknown> {
  readonly config: SessionConfig<Text>;
  readonly host: SessionHost<Text>;
  readonly state: StateMachine<State, Transition>;
  readonly outbox: Outbox;
  #keyed: Keyed | undefined;

  constructor(
    readonly session: ProfileHost<Text>,
    states: V1States,
  ) {
    this.config = session.config;
    this.host = session.host;
    this.state = new StateMachine(states);
    this.outbox = new Outbox(session.config);
  }

  /** Undefined until the key is agreed. */
  get keyedIfAgreed(): Keyed | undefined {
    return this.#keyed;
  }

  /** @throws {Error} in a state in which no key is agreed */
  get keyed(): Keyed {
    if (this.#keyed === undefined) throw new Error(`no key is agreed in state '${this.state.current}'`);
    return this.#keyed;
  }

  /** Takes the keys over. */
  establish(agreement: Agreement): Keyed {
    const { role, limits } = this.config;
    const { client, server } = agreement.keys;
    const [own, peers] = role === 'client' ? [client, server] : [server, client];
    this.#keyed = {
      agreement,
      receiver: new RecordReceiver({
        keys: peers,
        maxInner: maxInnerBytes(limits.maxPayload),
        maxEpochRecords: limits.receivedEpochRecords,
      }),
      sender: new RecordSender(own, this.config, this.host, (error) => {
        this.session.fail(error);
      }),
    };
    return this.#keyed;
  }

  /** Record 0's frame, to be sealed. It is never padded: the peer's limits are not known to be ours until it is accepted. */
  finishedFrame(content: Uint8Array): Uint8Array {
    return composeFrame(Kind.FINISHED, content, { padding: 'off' });
  }

  /**
   * Opens the peer's record 0.
   * @throws {Refusal} or rejects with one
   */
  openFinished(frame: string | Uint8Array): MaybePromise<ReceivedFinished> {
    if (typeof frame === 'string') throw new Refusal('PQ_ERR_MESSAGE_TYPE');
    return chain(this.keyed.receiver.open(frame), ({ kind, content }) => {
      if (kind !== Kind.FINISHED) throw new Refusal('PQ_ERR_FINISHED');
      return parseFinished(content);
    });
  }

  /** Seals what waits. What waits together shares records. */
  flush(): void {
    if (this.outbox.isEmpty) return;
    const { sender } = this.keyed;
    for (const run of this.outbox.take()) {
      const { kind, frame, content } = run.compose(this.config);
      sender.push(kind, frame, run, content);
      run.release();
    }
  }

  /** Lets go of the keys, and of all that is not out. */
  release(reason: () => Error): void {
    if (this.#keyed !== undefined) {
      destroyKeys(this.#keyed.agreement.keys);
      this.#keyed.sender.stop(reason);
    }
    this.outbox.abandon(reason);
  }
}
