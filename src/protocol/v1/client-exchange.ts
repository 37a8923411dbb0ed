/** The client's half of an exchange: it offers, checks who answers, and ends its epoch (PROTOCOL.md 22). */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { chain } from '../../base/maybe-promise.ts';
import type { KemKeyPair } from '../../crypto/backend.ts';
import { KEM_SIZES } from '../../crypto/backend.ts';
import { Refusal } from '../errors.ts';
import { Exchange } from './exchange.ts';
import { buildFinished } from './hellos.ts';
import type { GenerationKeys } from './generation.ts';
import type { OpenedRecord } from './open.ts';
import * as Kind from './kinds.ts';

export class ClientExchange extends Exchange {
  #pair: KemKeyPair | undefined;
  #offer: Uint8Array | undefined;
  #next: { readonly keys: GenerationKeys; readonly transcriptHash: Uint8Array } | undefined;
  #isWanted = false;

  protected readonly mayBegin = true;

  protected get wantsWork(): boolean {
    return this.asked.length > 0 || this.#isWanted;
  }

  protected begin(): void {
    const { backend, keySeed } = this.host.config;
    const { kem } = this.host.keyed.agreement;
    this.#isWanted = false;
    this.serve();
    this.startStep('offering', false);
    this.apart(() =>
      chain(backend.generateKeyPair(keySeed?.(kem, this.generation + 1), kem, true), (pair) => {
        if (!this.still('offering') || this.isClosing) {
          pair.destroy();
          return;
        }
        this.#pair = pair;
        this.#offer = pair.encapsulationKey;
        this.phase = 'offered';
        this.say(Kind.EXCHANGE_OFFER, pair.encapsulationKey);
        this.startStep('offered', true);
      }),
    );
  }

  protected acceptOwn({ kind, content }: OpenedRecord): MaybePromise<void> {
    if (kind === Kind.EXCHANGE_WANTED) {
      if (this.phase === 'none' && !this.isClosing) {
        this.#isWanted = true;
        this.tryToBegin();
      }
      return undefined;
    }
    if (kind === Kind.EXCHANGE_ANSWER) return this.#answered(content);
    if (kind === Kind.FINISHED) return this.#finished(content);
    throw new Refusal('PQ_ERR_EXCHANGE');
  }

  protected stopWork(): void {
    // What has been offered is followed to its end, so that what the peer says in its new epoch can be opened.
    if (this.phase === 'offering') this.phase = 'none';
  }

  protected destroy(): void {
    this.#pair?.destroy();
    this.#pair = undefined;
    this.#next?.keys.client.destroy();
    this.#next?.keys.root.destroy();
    this.#next = undefined;
  }

  #answered(ciphertext: Uint8Array): MaybePromise<void> {
    const { keyed } = this.host;
    const pair = this.#pair;
    const length = KEM_SIZES[keyed.agreement.kem].ciphertext;
    if (this.phase !== 'offered' || pair === undefined || ciphertext.length !== length)
      throw new Refusal('PQ_ERR_EXCHANGE');
    this.startStep('answered', false);
    const answer = ciphertext.slice();
    return chain(this.hash(this.#offer as Uint8Array, answer), (transcriptHash) =>
      chain(pair.decapsulate(answer), (sharedSecret) => {
        pair.destroy();
        this.#pair = undefined;
        return chain(this.derive(transcriptHash, sharedSecret), (keys) => {
          if (!this.still('answered')) {
            keys.client.destroy();
            keys.server.destroy();
            keys.root.destroy();
            return;
          }
          this.#next = { keys, transcriptHash };
          keyed.receiver.switchTo(keys.server);
        });
      }),
    );
  }

  #finished(content: Uint8Array): void {
    const finished = this.readFinished(content);
    const next = this.#next;
    if (next === undefined) throw new Refusal('PQ_ERR_EXCHANGE');
    if (this.isClosing) {
      this.phase = 'over';
      return;
    }
    this.startStep('verifying', false);
    const { transcriptHash } = next;
    this.apart(() =>
      chain(this.authenticate(finished, transcriptHash), () => {
        if (!this.still('verifying') || this.isClosing) return undefined;
        return chain(this.#prove(transcriptHash), (own) => {
          if (!this.still('verifying') || this.isClosing) return;
          this.#next = undefined;
          this.transcriptHash = transcriptHash;
          this.root = next.keys.root;
          this.switchSending(Kind.EXCHANGE_END, new Uint8Array(0), next.keys.client, own);
          this.completed();
        });
      }),
    );
  }

  /** Who has shown who he is in the handshake shows it again. */
  #prove(transcriptHash: Uint8Array): MaybePromise<Uint8Array> {
    const isKnown = this.host.keyed.agreement.features.has('client_identity');
    return isKnown ? this.prove(transcriptHash) : buildFinished({});
  }
}
