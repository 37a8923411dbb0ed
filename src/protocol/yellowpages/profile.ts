/**
 * The profile yellowpages, as a session has it (PROTOCOL.md 15). Order, key updates and closes it has none: the
 * transport's stand for them.
 */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { chain } from '../../base/maybe-promise.ts';
import type { PQWebSocketError } from '../../api/errors.ts';
import { Refusal } from '../errors.ts';
import type { CloseOutcome, TransportEnd } from '../outcome.ts';
import type { ChannelFacts, Profile, ProfileHost, YellowpagesConfig } from '../session-types.ts';
import { StateMachine } from '../state-machine.ts';
import type { CloseContent } from '../v1/record.ts';
import { YellowpagesFrames } from './frames.ts';
import type { YellowpagesKey } from './handshake.ts';
import { answerYellowpagesHello, YellowpagesClientHandshake } from './handshake.ts';
import { parseServerHello } from './hellos.ts';
import { yellowpagesFailure, yellowpagesOutcome } from './outcome.ts';
import type { YellowpagesState, YellowpagesTransition } from './states.ts';
import { YELLOWPAGES_STATES } from './states.ts';

export class Yellowpages<Text> implements Profile {
  readonly name = 'yellowpages';
  /** The transport's closes are not answered inside the seal. */
  readonly closeAnswered = undefined;
  readonly state: StateMachine<YellowpagesState, YellowpagesTransition>;
  readonly outbox: YellowpagesFrames;
  readonly #own: YellowpagesConfig;
  readonly #client: YellowpagesClientHandshake;
  #facts: ChannelFacts | undefined;

  /** @throws {Error} without the config's `yellowpages` */
  constructor(private readonly session: ProfileHost<Text>) {
    const { config, host } = session;
    if (config.yellowpages === undefined) throw new Error('no configuration of yellowpages');
    this.#own = config.yellowpages;
    this.state = new StateMachine(YELLOWPAGES_STATES[config.role]);
    this.#client = new YellowpagesClientHandshake(config, this.#own);
    this.outbox = new YellowpagesFrames(
      { random: config.random, maxPayload: config.limits.maxPayload, maxFrames: this.#own.maxFrames },
      host,
      (error) => {
        session.fail(error);
      },
    );
    this.#startStep();
  }

  get queuedBytes(): number {
    return this.outbox.queuedBytes;
  }

  get recordsSealed(): number {
    return this.outbox.recordsSealed;
  }

  get recordsOpened(): number {
    return this.outbox.recordsOpened;
  }

  get facts(): ChannelFacts | undefined {
    return this.#facts;
  }

  start(): MaybePromise<void> {
    // This profile has no fast open: a server waits for the first message.
    if (this.session.config.role === 'server') return undefined;
    this.#startStep();
    return chain(this.#client.start(), (clientHello) => {
      if (!this.state.is('client: idle')) return;
      this.state.move('start');
      this.session.host.transmit(clientHello, undefined);
    });
  }

  /** The bytes are only read. */
  accept(message: string | Uint8Array): MaybePromise<void> {
    const { state } = this;
    if (state.is('open')) return this.#acceptFrame(message);
    if (state.is('client: awaiting server hello')) return this.#acceptServerHello(message);
    if (state.is('server: awaiting client hello')) return this.#acceptClientHello(message);
    throw new Error(`a message was handled in state '${state.current}'`);
  }

  sendNow(): boolean {
    return false;
  }

  /** Each message goes in a frame of its own. */
  flush(): void {
    this.outbox.flush();
  }

  close(content: CloseContent): void {
    const { state, session } = this;
    state.move('close');
    this.outbox.after(() => {
      if (!state.is('closing')) return;
      state.move('handed over');
      session.ended(() => {
        session.host.closing(content);
      });
    });
  }

  transportGone(): void {
    if (this.state.may('accepted')) this.state.move('transport closed');
    else this.state.fail();
  }

  failureOf(refusal: Refusal): PQWebSocketError {
    return yellowpagesFailure(refusal, this.session.config.role, this.#wasOpen);
  }

  outcomeOf(end: TransportEnd, failure: PQWebSocketError | undefined): CloseOutcome {
    return yellowpagesOutcome(end, this.#wasOpen, failure);
  }

  release(reason: () => PQWebSocketError): void {
    this.#client.destroy();
    this.outbox.destroy(reason());
  }

  readonly generation = 0;
  readonly peerKey = undefined;
  readonly deadline = undefined;

  tick(): void {
    return;
  }

  async exchange(): Promise<never> {
    throw new Error('exchange: the profile yellowpages has none');
  }

  async ping(): Promise<never> {
    throw new Error('ping: the profile yellowpages has no sealed pings');
  }

  /** @throws {Error} always: this profile derives no keys */
  exportKey(): never {
    throw new Error('exportKey: the profile yellowpages has no exporter');
  }

  /** Also once it has failed. */
  get #wasOpen(): boolean {
    return this.state.may('accepted') || this.state.is('failed');
  }

  #startStep(): void {
    this.session.startTimer(this.#own.stepTimeout);
  }

  #acceptServerHello(message: string | Uint8Array): MaybePromise<void> {
    const { ciphertext, document } = parseServerHello(message);
    this.state.move('server hello');
    return chain(this.#client.verify(ciphertext, document), () =>
      this.state.is('client: verifying')
        ? chain(this.#client.finish(ciphertext), (agreed) => this.#agreed(agreed, 'client: verifying'))
        : undefined,
    );
  }

  #acceptClientHello(message: string | Uint8Array): MaybePromise<void> {
    this.state.move('client hello');
    this.#startStep();
    return chain(answerYellowpagesHello(this.session.config, this.#own, message), (agreed) =>
      this.#agreed(agreed, 'server: replying', agreed.serverHello),
    );
  }

  /** @param expected the state that the connection must still be in, after what took time */
  #agreed({ key, nativeKem }: YellowpagesKey, expected: YellowpagesState, serverHello?: string): MaybePromise<void> {
    const { state, outbox } = this;
    const { host } = this.session;
    if (!state.is(expected)) {
      key.destroy();
      return undefined;
    }
    this.#facts = { transcriptHash: undefined, kem: 'ml-kem-768', nativeKem };
    outbox.use(key);
    // A transport may deliver, and the peer answer, before transmit() returns: from here on that is in turn.
    state.move('agreed');
    if (serverHello !== undefined) host.transmit(serverHello, undefined);
    if (state.may('sends')) this.flush();
    return chain(outbox.handedOver(), () => {
      if (state.is('open')) host.opened();
    });
  }

  #acceptFrame(frame: string | Uint8Array): MaybePromise<void> {
    if (typeof frame === 'string') throw new Refusal('PQ_ERR_TEXT_FRAME');
    return chain(this.outbox.open(frame), (binary) => {
      const { host } = this.session;
      if (!this.state.is('open')) return;
      // The first frame that opens proves that the peer has the key.
      if (this.recordsOpened === 1) host.peerAccepted();
      if (this.state.is('open')) host.messages([{ binary }]);
    });
  }
}
