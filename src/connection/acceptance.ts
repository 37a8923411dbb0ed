/** Whether the peer has proved that it holds the key, and a promise of that, made only when it is asked for. */
import { Promise } from '../base/captured.ts';

/** Settles the promise. */
type Outcome = (resolve: () => void, reject: (reason: unknown) => void) => void;

export class Acceptance {
  /** Undefined while nothing is decided. */
  #outcome: Outcome | undefined;
  #promise: Promise<void> | undefined;
  #settle: (() => void) | undefined;

  accept(): void {
    this.#decide((resolve) => {
      resolve();
    });
  }

  /** @param reason called at most once, and only where the promise was asked for */
  giveUp(reason: () => unknown): void {
    this.#decide((_, reject) => {
      reject(reason());
    });
  }

  /** The same one each time. That it is rejected is no error of those who look elsewhere. */
  get promise(): Promise<void> {
    if (this.#promise === undefined) {
      this.#promise = new Promise((resolve, reject) => {
        this.#settle = (): void => this.#outcome?.(resolve, reject);
      });
      this.#promise.catch(() => undefined);
      this.#settle?.();
    }
    return this.#promise;
  }

  #decide(outcome: Outcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#settle?.();
  }
}
