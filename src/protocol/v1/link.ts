/** What the parts of a connection in v1, its handshake and its conversation, work with in common. */
import { HAS_SERVERS } from '#has-servers';
import { ON_NODE } from '#on-node';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { attempt, chain, isPromise } from '../../base/maybe-promise.ts';
import { Refusal } from '../errors.ts';
import type { ProfileHost, SessionConfig, SessionHost } from '../session-types.ts';
import type { ExtensionLink, Extensions, ExtensionsMaker, Keyed } from './extension-types.ts';
import { StateMachine } from '../state-machine.ts';
import type { ReceivedFinished } from './hellos.ts';
import { parseFinished } from './hellos.ts';
import type { Agreement } from './key-agreement.ts';
import { destroyKeys } from './key-schedule.ts';
import { RecordReceiver } from './open.ts';
import { Outbox } from './outbox.ts';
import * as Kind from './kinds.ts';
import { composeFrame, maxInnerBytes } from './record.ts';
import { RecordSender } from './seal.ts';
import type { State, Transition, V1States } from './states.ts';

/** One end's half of the handshake. */
export interface Handshake {
  /**
   * The transport is open. A client says hello; a server answers the upgrade request's ClientHello, if there is one.
   * @param selected the subprotocol that the server selected
   * @throws {Refusal} or rejects with one
   */
  start(selected: string): MaybePromise<void>;
  /** A message that has come before `open`. @throws {Refusal} or rejects with one */
  accept(message: string | Uint8Array): MaybePromise<void>;
  /** Lets go of every secret. */
  destroy(): void;
}

export class Link<Text = unknown> implements ExtensionLink {
  readonly config: SessionConfig<Text>;
  readonly host: SessionHost<Text>;
  readonly state: StateMachine<State, Transition>;
  readonly outbox: Outbox;
  #keyed: Keyed | undefined;
  /** Where exchange or heartbeat is on: from the time on that the connection is open, or that their code is there. */
  #extensions: Extensions | undefined;
  #loading: MaybePromise<ExtensionsMaker> | undefined;

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

  /** Undefined where there are none, or not yet. */
  get extensions(): Extensions | undefined {
    return this.#extensions;
  }

  /** The peer is accepted: from now on its extensions run, where it has some and as soon as their code is there. */
  startExtensions(): void {
    if (this.#loading === undefined) return;
    void attempt<unknown>(
      () => this.loadExtensions(),
      // Whatever needs them asks again, and says why it can't have them.
      () => undefined,
    );
  }

  /** @throws {Refusal} or rejects with one where they are off, or their code can't be loaded */
  loadExtensions(): MaybePromise<Extensions> {
    if (this.#extensions !== undefined) return this.#extensions;
    if (this.#loading === undefined) throw new Refusal('PQ_ERR_KIND');
    const loading = attempt(
      () => this.#loading as MaybePromise<ExtensionsMaker>,
      () => (this.#loading = this.extensionsCode()) as never,
    );
    return chain(loading, (Live) => {
      if (this.#extensions === undefined && !this.state.isOver) {
        this.#extensions = new Live(this);
        if (!this.state.is('open')) this.#extensions.closing();
        this.host.timersChanged?.();
      }
      return this.#extensions as Extensions;
    });
  }

  /** Takes the keys over. */
  establish(agreement: Agreement): Keyed {
    const { role, limits } = this.config;
    const { client, server } = agreement.keys;
    const [own, peers] = !HAS_SERVERS || role === 'client' ? [client, server] : [server, client];
    if (agreement.features.has('exchange') || agreement.features.has('heartbeat')) {
      this.#loading = this.extensionsCode();
      // Whoever needs it asks again.
      if (isPromise(this.#loading)) this.#loading.catch(() => undefined);
    }
    this.#keyed = {
      agreement,
      peerKey: undefined,
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

  /** @throws {Refusal} or rejects with one where it can't be loaded */
  extensionsCode(): MaybePromise<ExtensionsMaker> {
    const loading = this.config.extensions?.();
    if (loading === undefined) throw new Error('no code of exchange and heartbeat');
    return loading;
  }

  /** Record 0's frame, to be sealed. It is never padded: the peer's limits are not known to be ours until it is accepted. */
  finishedFrame(content: Uint8Array): Uint8Array {
    return composeFrame(Kind.FINISHED, content, { padded: undefined });
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
      const record = run.compose(this.config);
      sender.push(record.kind, record.frame, run, ON_NODE ? record.content : undefined);
      run.release();
    }
  }

  /** Lets go of the keys, and of all that is not out. */
  release(reason: () => Error): void {
    this.#extensions?.release(reason);
    if (this.#keyed !== undefined) {
      const { agreement, sender, receiver } = this.#keyed;
      destroyKeys(agreement.keys);
      sender.destroyKeys();
      receiver.destroyKeys();
      sender.stop(reason);
    }
    this.outbox.abandon(reason);
  }
}
