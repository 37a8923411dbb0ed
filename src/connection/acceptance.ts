/** Whether the peer has proved that it holds the key, and a promise of that, made only when it is asked for. */
import { Promise } from '../base/captured.ts';
export class Acceptance {
  /** Undefined while nothing is decided; a function gives the reason why it never will be. */
  #outcome: 'accepted' | (() => unknown) | undefined;
  #promise: Promise<void> | undefined;
  #settle: (() => void) | undefined;

  accept(): void {
    this.#decide('accepted');
  }

  /** @param reason called at most once, and only where the promise was asked for */
  giveUp(reason: () => unknown): void {
    this.#decide(reason);
  }

  /** The same one each time. That it is rejected is no error of those who look elsewhere. */
  get promise(): Promise<void> {
    if (this.#promise === undefined) {
      this.#promise = new Promise((resolve, reject) => {
        this.#settle = (): void => {
          if (this.#outcome === 'accepted') resolve();
          else if (this.#outcome !== undefined) reject(this.#outcome());
        };
      });
      this.#promise.catch(() => undefined);
      this.#settle?.();
    }
    return this.#promise;
  }

  #decide(outcome: 'accepted' | (() => unknown)): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#settle?.();
  }
}
