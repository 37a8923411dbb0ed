/** The profile v1, as a session has it: the handshake until `open`, the conversation from then on. */
import { ON_NODE } from '#on-node';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { chain } from '../../base/maybe-promise.ts';
import { failureOf } from '../errors.ts';
import type { PQWebSocketError } from '../../api/errors.ts';
import type { Refusal } from '../errors.ts';
import type { CloseOutcome, TransportEnd } from '../outcome.ts';
import type { Profile, ProfileHost, SessionConfig } from '../session-types.ts';
import type { SentCallback } from '../receipt.ts';
import { Outbox } from './outbox.ts';
import { ClientHandshake } from './client-handshake.ts';
import { Conversation } from './conversation.ts';
import type { Agreement } from './key-agreement.ts';
import type { Handshake } from './link.ts';
import { Link } from './link.ts';
import { outcomeOf } from './outcome.ts';
import type { CloseContent, MessageKind } from './record.ts';
import { blankFrame } from './record.ts';
import type { Extensions } from './extension-types.ts';
import type { State, Transition, V1States } from './states.ts';
import type { StateMachine } from '../state-machine.ts';

interface HandshakeMaker {
  statesFor(config: SessionConfig<unknown>): V1States;
  new (link: Link): Handshake;
}

/** The server's is in a file of its own: a page has no use for what it stands on. */
export abstract class V1<Text> implements Profile {
  readonly name = 'v1';
  readonly state: StateMachine<State, Transition>;
  readonly outbox: Outbox;
  readonly #link: Link<Text>;
  readonly #handshake: Handshake;
  readonly #conversation: Conversation<Text>;

  constructor(session: ProfileHost<Text>, role: HandshakeMaker) {
    this.#link = new Link(session, role.statesFor(session.config));
    this.state = this.#link.state;
    this.outbox = this.#link.outbox;
    this.#handshake = new role(this.#link);
    this.#conversation = new Conversation(this.#link);
  }

  get queuedBytes(): number {
    return this.outbox.bytes + (this.#link.keyedIfAgreed?.sender.bytesUnderWay ?? 0);
  }

  get recordsSealed(): number {
    return this.#link.keyedIfAgreed?.sender.recordsSealed ?? 0;
  }

  get recordsOpened(): number {
    return this.#link.keyedIfAgreed?.receiver.recordsOpened ?? 0;
  }

  get facts(): Agreement | undefined {
    return this.#link.keyedIfAgreed?.agreement;
  }

  get closeAnswered(): boolean | undefined {
    return this.state.is('ended') ? this.#conversation.closeAnswered : undefined;
  }

  start(selected: string): MaybePromise<void> {
    return this.#handshake.start(selected);
  }

  accept(message: string | Uint8Array, owned: boolean): MaybePromise<void> {
    return this.state.is('open', 'close sent')
      ? this.#conversation.accept(message, owned)
      : this.#handshake.accept(message);
  }

  sendNow(kind: MessageKind, payload: Uint8Array, sent: SentCallback | undefined): boolean {
    if (!ON_NODE || !Outbox.goesAlone(payload.length)) return false;
    this.flush();
    const receipt = { applicationBytes: payload.length, sent: sent === undefined ? [] : [sent] };
    const frame = blankFrame(kind, payload.length, this.#link.config);
    this.#link.keyed.sender.push(kind, frame, receipt, payload);
    return true;
  }

  flush(): void {
    this.#link.flush();
  }

  close(content: CloseContent): void {
    this.#conversation.close(content);
  }

  transportGone(): void {
    this.state.fail();
  }

  failureOf(refusal: Refusal): PQWebSocketError {
    return failureOf(refusal, this.state.may('accepted'));
  }

  outcomeOf(end: TransportEnd, failure: PQWebSocketError | undefined): CloseOutcome {
    return outcomeOf(this.state.current, this.#conversation.peerClose, failure, end);
  }

  release(reason: () => PQWebSocketError): void {
    this.#handshake.destroy();
    this.#link.release(reason);
  }

  get generation(): number {
    return this.#link.extensions?.generation ?? 0;
  }

  get peerKey(): Uint8Array | undefined {
    return this.#link.keyedIfAgreed?.peerKey;
  }

  get deadline(): number | undefined {
    return this.#link.extensions?.deadline;
  }

  tick(): void {
    this.#link.extensions?.tick();
  }

  async exchange(): Promise<void> {
    return (await this.#extensions('exchange')).exchange();
  }

  async ping(content: Uint8Array): Promise<Uint8Array> {
    return (await this.#extensions('heartbeat')).ping(content);
  }

  /** @throws {Error} in a connection that is not open, or has no such thing */
  #extensions(feature: 'exchange' | 'heartbeat'): MaybePromise<Extensions> {
    if (!this.state.is('open')) throw new Error(`${feature}: the connection is not open`);
    if (!this.#link.keyed.agreement.features.has(feature)) throw new Error(`${feature} is off in this connection`);
    return this.#link.loadExtensions();
  }

  exportKey(label: string, length: number): MaybePromise<Uint8Array> {
    if (!this.state.may('exports')) throw new Error('exportKey: the connection is not open');
    const { config, keyed } = this.#link;
    return chain(this.#link.extensionsCode(), (code) => {
      // Its secret may be gone since.
      if (!this.state.may('exports')) throw new Error('exportKey: the connection is not open');
      return code.exportKey(config.backend, keyed.agreement, label, length);
    });
  }
}

export class V1Client<Text> extends V1<Text> {
  constructor(session: ProfileHost<Text>) {
    super(session, ClientHandshake);
  }
}
