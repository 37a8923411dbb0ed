/** The client's steps up to `open` (PROTOCOL.md 3.1). Each is asked again, after a wait, whether it still is its turn. */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { attempt, chain } from '../../base/maybe-promise.ts';
import type { Authenticate } from '../authentication.ts';
import { Refusal } from '../errors.ts';
import { isSelectionAllowed } from './reserved-names.ts';
import type { Proof, ReceivedFinished } from './hellos.ts';
import { buildFinished } from './hellos.ts';
import { ClientKeyAgreement } from './key-agreement.ts';
import { destroyKeys } from './key-schedule.ts';
import type { Handshake, Link } from './link.ts';
import * as Kind from './kinds.ts';
import { CLIENT_STATES } from './states.ts';

export class ClientHandshake implements Handshake {
  static statesFor(): typeof CLIENT_STATES {
    return CLIENT_STATES;
  }

  readonly #keyAgreement: ClientKeyAgreement;

  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
    this.#keyAgreement = new ClientKeyAgreement(link.config);
  }

  start(selected: string): MaybePromise<void> {
    const { state, session, host, config } = this.#link;
    session.startTimer(config.limits.handshakeTimeout);
    if (!isSelectionAllowed(selected, config.offer)) throw new Refusal('PQ_ERR_FAST_OPEN');
    return chain(this.#keyAgreement.start(), (clientHello) => {
      if (!state.is('client: idle')) return;
      state.move('start');
      host.transmit(clientHello, undefined);
    });
  }

  accept(message: string | Uint8Array): MaybePromise<void> {
    const { state } = this.#link;
    if (state.is('client: awaiting server hello')) return this.#acceptServerHello(message);
    if (state.is('client: awaiting finished')) return this.#acceptFinished(message);
    throw new Error(`a message was handled in state '${state.current}'`);
  }

  destroy(): void {
    this.#keyAgreement.destroy();
  }

  #acceptServerHello(message: string | Uint8Array): MaybePromise<void> {
    const { state } = this.#link;
    return chain(this.#keyAgreement.finish(message), (agreement) => {
      if (!state.is('client: awaiting server hello')) {
        destroyKeys(agreement.keys);
        return;
      }
      this.#link.establish(agreement);
      state.move('server hello');
    });
  }

  #acceptFinished(frame: string | Uint8Array): MaybePromise<void> {
    const { state } = this.#link;
    return chain(this.#link.openFinished(frame), (finished) => {
      if (!state.is('client: awaiting finished')) return undefined;
      state.move('finished received');
      return chain(this.#authenticate(finished), (signedBy) => {
        if (!state.is('client: verifying')) return undefined;
        this.#link.keyed.peerKey = signedBy ?? undefined;
        return this.#sign();
      });
    });
  }

  #authenticate(finished: ReceivedFinished): ReturnType<Authenticate> {
    const { authenticate } = this.#link.config;
    const { transcriptHash } = this.#link.keyed.agreement;
    if (authenticate === undefined) return undefined;
    return attempt(
      () => authenticate(finished, transcriptHash, 'handshake', undefined),
      (error) => {
        throw error instanceof Refusal ? error : new Refusal('PQ_ERR_ATTESTATION_REFUSED', { cause: error });
      },
    );
  }

  /** Who is asked who he is says it once all that he asked for has passed (PROTOCOL.md 23). */
  #sign(): MaybePromise<void> {
    const { state, config, keyed } = this.#link;
    const { transcriptHash, features } = keyed.agreement;
    if (!features.has('client_identity')) return this.#accepted(buildFinished({}));
    state.move('to sign');
    const signed = attempt<Proof>(
      () => config.prove?.(transcriptHash, 'handshake') ?? {},
      (cause) => {
        // What signs did not load: that says nothing of the identity.
        throw cause instanceof Refusal ? cause : new Refusal('PQ_ERR_CLIENT_IDENTITY', { cause });
      },
    );
    return chain(signed, (proof) => (state.is('client: signing') ? this.#accepted(buildFinished(proof)) : undefined));
  }

  #accepted(finished: Uint8Array): MaybePromise<void> {
    const { state, host, keyed } = this.#link;
    state.move('peer accepted');
    keyed.sender.push(Kind.FINISHED, this.#link.finishedFrame(finished));
    this.#link.startExtensions();
    this.#link.flush();
    return chain(keyed.sender.handedOver(), () => {
      // Sealing may have failed the session, and what waited may have made the application close.
      if (state.may('accepted')) host.peerAccepted();
      if (state.may('sends')) host.opened();
    });
  }
}
