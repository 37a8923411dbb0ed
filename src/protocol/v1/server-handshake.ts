/** The server's steps up to `open` (PROTOCOL.md 3.2). Each is asked again, after a wait, whether it still is its turn. */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { attempt, chain } from '../../base/maybe-promise.ts';
import { Refusal } from '../errors.ts';
import type { Proof, ReceivedFinished } from './hellos.ts';
import { buildFinished } from './hellos.ts';
import type { Answer } from './key-agreement.ts';
import { answerClientHello } from './key-agreement.ts';
import { destroyKeys } from './key-schedule.ts';
import type { Handshake, Link } from './link.ts';
import type { State } from './states.ts';
import type { SessionConfig } from '../session-types.ts';
import { DEMANDING_SERVER_STATES, SERVER_STATES } from './server-states.ts';

export class ServerHandshake implements Handshake {
  static statesFor({ authenticate }: SessionConfig<unknown>): typeof SERVER_STATES {
    return authenticate === undefined ? SERVER_STATES : DEMANDING_SERVER_STATES;
  }

  constructor(private readonly link: Link) {}

  /** PROTOCOL.md 13. A hello that is refused counts for nothing. */
  start(): MaybePromise<void> {
    const { state, config } = this.link;
    const { earlyHello } = config;
    if (earlyHello === undefined || !state.is('server: awaiting client hello')) return undefined;
    state.move('early hello');
    const answered = attempt<Answer | undefined>(() => answerClientHello(config, earlyHello), notOurs);
    return chain(answered, (answer) => {
      if (answer !== undefined) return this.#answer(answer, 'server: answering early');
      if (state.is('server: answering early')) state.move('early hello refused');
      return undefined;
    });
  }

  accept(message: string | Uint8Array): MaybePromise<void> {
    const { state } = this.link;
    if (state.is('server: awaiting client hello')) return this.#acceptClientHello(message);
    if (state.is('server: awaiting repeated hello', 'server: closing unrepeated'))
      return this.#acceptRepeatedHello(message);
    if (state.is('server: awaiting finished', 'server: closing unconfirmed')) return this.#acceptFinished(message);
    throw new Error(`a message was handled in state '${state.current}'`);
  }

  /** Whatever is secret is the link's. */
  destroy(): void {}

  #acceptClientHello(message: string | Uint8Array): MaybePromise<void> {
    const { state, config } = this.link;
    state.move('client hello');
    return chain(answerClientHello(config, message), (answer) => this.#answer(answer, 'server: replying'));
  }

  #acceptRepeatedHello(message: string | Uint8Array): void {
    // Valid UTF-8 on both sides: equal strings are equal bytes.
    if (message !== this.link.config.earlyHello) throw new Refusal('PQ_ERR_FAST_OPEN');
    this.link.state.move('hello repeated');
  }

  #acceptFinished(frame: string | Uint8Array): MaybePromise<void> {
    const { state, host } = this.link;
    return chain(this.link.openFinished(frame), (finished) => {
      if (!state.is('server: awaiting finished', 'server: closing unconfirmed')) return undefined;
      if (this.link.config.authenticate !== undefined) return this.#identify(finished);
      state.move('peer accepted');
      this.link.startExtensions();
      host.peerAccepted();
      return undefined;
    });
  }

  /** Who demands to know its client has accepted it, and is open, only when it does (PROTOCOL.md 23). */
  #identify(finished: ReceivedFinished): MaybePromise<void> {
    const { state, host, config, keyed } = this.link;
    state.move('client finished');
    const { transcriptHash, features } = keyed.agreement;
    // One that has offered no identity has been let in without it.
    const authenticate = features.has('client_identity') ? config.authenticate : undefined;
    return chain(authenticate?.(finished, transcriptHash, 'handshake', undefined), (key) => {
      if (!state.is('server: verifying client')) return;
      keyed.peerKey = key ?? undefined;
      state.move('peer accepted');
      this.link.startExtensions();
      host.peerAccepted();
      if (state.may('sends')) host.opened();
      if (state.may('sends')) this.link.flush();
    });
  }

  /** @param during the state that nothing may have changed meanwhile */
  #answer({ agreement, serverHello }: Answer, during: State): MaybePromise<void> {
    const { state } = this.link;
    if (!state.is(during)) {
      destroyKeys(agreement.keys);
      return undefined;
    }
    const { sender } = this.link.establish(agreement);
    return chain(this.#prove(agreement.transcriptHash), (proof) => {
      if (!state.is(during)) return undefined;
      // Sealed before anything goes out: ServerHello and Finished go out together or not at all.
      return chain(sender.sealAlone(this.link.finishedFrame(buildFinished(proof))), (finished) =>
        state.is(during) ? this.#reply(serverHello, finished) : undefined,
      );
    });
  }

  #prove(transcriptHash: Uint8Array): MaybePromise<Proof> {
    return attempt(
      () => this.link.config.prove?.(transcriptHash, 'handshake') ?? {},
      (error) => {
        throw new Refusal('PQ_ERR_IDENTITY', { cause: error });
      },
    );
  }

  #reply(serverHello: string, finished: Uint8Array): MaybePromise<void> {
    const { state, host, keyed } = this.link;
    // A transport may deliver, and the peer answer, before transmit() returns: from here on that is in turn.
    state.move('finished sent');
    host.transmit(serverHello, undefined);
    host.transmit(finished, undefined);
    if (state.may('sends')) this.link.flush();
    return chain(keyed.sender.handedOver(), () => {
      if (state.may('sends')) host.opened();
    });
  }
}

/** A ClientHello that PROTOCOL.md 4.1 refuses; anything else that went wrong is for others to handle. */
function notOurs(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error;
}
