/** The server's steps up to `open` (PROTOCOL.md 3.2). Each is asked again, after a wait, whether it still is its turn. */
import type { MaybePromise } from '../crypto/backend.ts';
import { Refusal } from './errors.ts';
import type { ServerProof } from './handshake.ts';
import { buildFinished } from './handshake.ts';
import { answerClientHello } from './key-agreement.ts';
import { destroyKeys } from './key-schedule.ts';
import type { Link } from './link.ts';
import { attempt, chain } from './maybe-promise.ts';

export class ServerHandshake {
  constructor(private readonly link: Link<unknown>) {}

  /** @throws {Refusal} or rejects with one */
  acceptClientHello(message: string | Uint8Array): MaybePromise<void> {
    const { state, config } = this.link;
    state.move('client hello');
    return chain(answerClientHello(config, message), (agreement) => {
      if (!state.is('server: replying')) {
        destroyKeys(agreement.keys);
        return undefined;
      }
      this.link.establish(agreement);
      return chain(this.#prove(agreement.transcriptHash), (proof) => {
        return state.is('server: replying') ? this.#reply(agreement.serverHello, buildFinished(proof)) : undefined;
      });
    });
  }

  /** @throws {Refusal} or rejects with one */
  acceptFinished(frame: string | Uint8Array): MaybePromise<void> {
    const { state, host } = this.link;
    return chain(this.link.openFinished(frame), () => {
      if (!state.is('server: awaiting finished', 'server: closing unconfirmed')) return;
      state.move('peer accepted');
      host.peerAccepted();
    });
  }

  #prove(transcriptHash: Uint8Array): MaybePromise<ServerProof> {
    return attempt(
      () => this.link.config.prove?.(transcriptHash) ?? {},
      (error) => {
        throw new Refusal('PQ_ERR_IDENTITY', { cause: error });
      },
    );
  }

  /** ServerHello and Finished go out together or not at all. */
  #reply(serverHello: string, finished: Uint8Array): MaybePromise<void> {
    const { state, host, outbound } = this.link;
    outbound.finished(finished, () => {
      // A transport may deliver, and the peer answer, before transmit() returns: from here on that is in turn.
      state.move('finished sent');
      host.transmit(serverHello, undefined);
    });
    return chain(outbound.handedOver(), () => {
      if (state.sends) outbound.flush();
      return chain(outbound.handedOver(), () => {
        if (state.sends) host.opened();
      });
    });
  }
}
