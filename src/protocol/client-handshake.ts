/** The client's steps up to `open` (PROTOCOL.md 3.1). Each is asked again, after a wait, whether it still is its turn. */
import type { MaybePromise } from '../crypto/backend.ts';
import { Refusal } from './errors.ts';
import { isSelectionAllowed } from './fast-open.ts';
import type { ReceivedFinished } from './handshake.ts';
import { buildFinished } from './handshake.ts';
import type { Agreement } from './key-agreement.ts';
import { ClientKeyAgreement } from './key-agreement.ts';
import { destroyKeys } from './key-schedule.ts';
import type { Link } from './link.ts';
import { attempt, chain } from './maybe-promise.ts';

const NO_OFFER = { application: false, fastOpen: false };

export class ClientHandshake {
  readonly #keyAgreement: ClientKeyAgreement;

  constructor(private readonly link: Link<unknown>) {
    this.#keyAgreement = new ClientKeyAgreement(link.config);
  }

  /**
   * @param selected the subprotocol that the server selected
   * @throws {Refusal} or rejects with one
   */
  start(selected: string): MaybePromise<void> {
    const { state, host, config } = this.link;
    if (!isSelectionAllowed(selected, config.offer ?? NO_OFFER)) throw new Refusal('PQ_ERR_FAST_OPEN');
    return chain(this.#keyAgreement.start(), (clientHello) => {
      if (!state.is('client: idle')) return;
      state.move('start');
      host.transmit(clientHello, undefined);
    });
  }

  /** @throws {Refusal} or rejects with one */
  acceptServerHello(message: string | Uint8Array): MaybePromise<void> {
    const { state } = this.link;
    return chain(this.#keyAgreement.finish(message), (agreement) => {
      if (!state.is('client: awaiting server hello')) {
        destroyKeys(agreement.keys);
        return;
      }
      this.link.establish(agreement);
      state.move('server hello');
    });
  }

  /** @throws {Refusal} or rejects with one */
  acceptFinished(frame: string | Uint8Array): MaybePromise<void> {
    const { state } = this.link;
    return chain(this.link.openFinished(frame), (finished) => {
      if (!state.is('client: awaiting finished')) return undefined;
      state.move('finished received');
      return chain(this.#authenticate(finished), () =>
        state.is('client: verifying') ? this.#accepted() : undefined,
      );
    });
  }

  destroy(): void {
    this.#keyAgreement.destroy();
  }

  #authenticate(finished: ReceivedFinished): MaybePromise<void> {
    const { authenticate } = this.link.config;
    const { transcriptHash } = this.link.agreement as Agreement;
    if (authenticate === undefined) return undefined;
    return attempt(
      () => authenticate(finished, transcriptHash),
      (error) => {
        throw error instanceof Refusal ? error : new Refusal('PQ_ERR_ATTESTATION_REFUSED', { cause: error });
      },
    );
  }

  #accepted(): MaybePromise<void> {
    const { state, host, outbound } = this.link;
    state.move('peer accepted');
    outbound.finished(buildFinished({}));
    outbound.flush();
    return chain(outbound.handedOver(), () => {
      // Sealing may have failed the session, and what waited may have made the application close.
      if (state.hasAcceptedPeer) host.peerAccepted();
      if (state.sends) host.opened();
    });
  }
}
