/** The server's half of an exchange: it answers, shows who it is, and goes on in a new epoch (PROTOCOL.md 22). */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { Promise } from '../../base/captured.ts';
import { attempt, chain, isPromise } from '../../base/maybe-promise.ts';
import { KEM_SIZES, KemInputError } from '../../crypto/backend.ts';
import { Refusal } from '../errors.ts';
import { Exchange } from './exchange.ts';
import type { GenerationKeys } from './generation.ts';
import type { OpenedRecord } from './open.ts';
import * as Kind from './kinds.ts';

export class ServerExchange extends Exchange {
  /** The client's offer, until it is answered. */
  #offer: Uint8Array | undefined;
  #hasAsked = false;
  #next: { readonly keys: GenerationKeys; readonly transcriptHash: Uint8Array } | undefined;
  /** Lets what follows a Finished that is being checked be read. */
  #readOn: (() => void) | undefined;

  protected get wantsWork(): boolean {
    return this.#offer !== undefined || (this.asked.length > 0 && !this.#hasAsked);
  }

  /** Asked for once, an offer comes, or the time for it runs out. */
  protected get mayBegin(): boolean {
    return !this.#hasAsked;
  }

  protected begin(): void {
    const offer = this.#offer;
    if (offer !== undefined) {
      this.#answer(offer);
      return;
    }
    this.#hasAsked = true;
    this.say(Kind.EXCHANGE_WANTED, new Uint8Array(0));
    this.startStep('none', true);
  }

  protected acceptOwn({ kind, content }: OpenedRecord): MaybePromise<void> {
    if (kind === Kind.EXCHANGE_OFFER) {
      this.#offered(content);
      return undefined;
    }
    if (kind === Kind.EXCHANGE_END) {
      this.#ended();
      return undefined;
    }
    if (kind === Kind.FINISHED) return this.#finished(content);
    throw new Refusal('PQ_ERR_EXCHANGE');
  }

  protected stopWork(): void {
    if (this.phase === 'making') this.phase = 'none';
    if (this.phase === 'verifying') this.phase = 'over';
    this.#offer = undefined;
    this.#readOn?.();
  }

  protected destroy(): void {
    this.#next?.keys.client.destroy();
    this.#next?.keys.root.destroy();
    this.#next = undefined;
  }

  #offered(offer: Uint8Array): void {
    if (offer.length !== KEM_SIZES[this.host.keyed.agreement.kem].key) throw new Refusal('PQ_ERR_EXCHANGE');
    // Behind a close of ours, an exchange that was under way may have ended, and its client begin another.
    if (this.isClosing && (this.phase === 'none' || this.phase === 'over')) return;
    if (this.phase !== 'none' || this.#offer !== undefined) throw new Refusal('PQ_ERR_EXCHANGE');
    this.#hasAsked = false;
    this.#offer = offer.slice();
    this.startStep('none', false);
    this.tryToBegin();
  }

  #answer(offer: Uint8Array): void {
    const { backend, encapsulationRandomness } = this.host.config;
    const { kem } = this.host.keyed.agreement;
    this.#offer = undefined;
    this.serve();
    this.startStep('making', false);
    this.apart(() => {
      const made = attempt(
        () => backend.encapsulate(offer, encapsulationRandomness?.(kem, this.generation + 1), kem, true),
        (cause) => {
          throw cause instanceof KemInputError ? new Refusal('PQ_ERR_EXCHANGE', { cause }) : cause;
        },
      );
      return chain(made, ({ ciphertext, sharedSecret }) => {
        if (!this.still('making')) {
          sharedSecret.destroy();
          return undefined;
        }
        return chain(this.hash(offer, ciphertext), (transcriptHash) =>
          chain(this.derive(transcriptHash, sharedSecret), (keys) => this.#derived(ciphertext, keys, transcriptHash)),
        );
      });
    });
  }

  #derived(answer: Uint8Array, keys: GenerationKeys, transcriptHash: Uint8Array): MaybePromise<void> {
    const drop = (): void => {
      keys.client.destroy();
      keys.server.destroy();
      keys.root.destroy();
    };
    if (!this.still('making')) {
      drop();
      return undefined;
    }
    return attempt<void>(
      () =>
        chain(this.prove(transcriptHash), (finished) => {
          if (!this.still('making')) {
            drop();
            return;
          }
          this.#next = { keys, transcriptHash };
          this.phase = 'awaiting end';
          this.switchSending(Kind.EXCHANGE_ANSWER, answer, keys.server, finished);
          this.startStep('awaiting end', true);
        }),
      (error) => {
        drop();
        throw error;
      },
    );
  }

  #ended(): void {
    const next = this.#next;
    if (this.phase !== 'awaiting end' || next === undefined) throw new Refusal('PQ_ERR_EXCHANGE');
    this.host.keyed.receiver.switchTo(next.keys.client);
    if (this.isClosing) this.phase = 'awaiting finished';
    else this.startStep('awaiting finished', false);
  }

  /** What follows it waits for the check, or for a close of this end's: nothing is judged behind that. */
  #finished(content: Uint8Array): MaybePromise<void> {
    const finished = this.readFinished(content);
    const next = this.#next;
    if (next === undefined) throw new Refusal('PQ_ERR_EXCHANGE');
    if (this.isClosing) {
      this.phase = 'over';
      return undefined;
    }
    this.startStep('verifying', false);
    const isKnown = this.host.keyed.agreement.features.has('client_identity');
    const checked = chain(isKnown ? this.authenticate(finished, next.transcriptHash) : undefined, () => {
      if (!this.still('verifying') || this.isClosing) return;
      this.#next = undefined;
      this.transcriptHash = next.transcriptHash;
      this.root = next.keys.root;
      this.completed();
    });
    if (!isPromise(checked)) return undefined;
    return new Promise((resolve, reject) => {
      this.#readOn = resolve;
      checked.then(resolve, reject);
    });
  }
}
