/** What a server's proof asks of signers and attesters, which are told when the connection that asked has ended. */
import { abortControllerClass } from '../base/captured.ts';
import type { ChannelConfig } from '../options/channel.ts';

type Proving = Pick<ChannelConfig, 'prove' | 'yellowpages'>;

export class ProofWork {
  readonly #own: Proving;
  /** While something may be under way. */
  #controller: AbortController | undefined;

  private constructor(own: Proving) {
    this.#own = own;
  }

  /** Undefined where there is nothing to prove. */
  static of(own: Proving): ProofWork | undefined {
    return own.prove === undefined && own.yellowpages?.attest === undefined ? undefined : new ProofWork(own);
  }

  /** For the session, which knows of no signal. */
  get config(): Proving {
    const { prove, yellowpages } = this.#own;
    const attest = yellowpages?.attest;
    return {
      ...(prove && { prove: (transcriptHash, occasion) => prove(transcriptHash, occasion, this.#begin()) }),
      ...(attest && { yellowpages: { ...yellowpages, attest: (userData) => attest(userData, this.#begin()) } }),
    };
  }

  /** An open connection holds nothing of it. */
  done(): void {
    this.#controller = undefined;
  }

  end(): void {
    this.#controller?.abort();
    this.#controller = undefined;
  }

  #begin(): AbortSignal {
    return (this.#controller ??= new (abortControllerClass())()).signal;
  }
}
