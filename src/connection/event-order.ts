/**
 * Keeps events in order where some must wait: a browser fires each message from a task of its own, so that microtasks
 * run in between, and of the messages of one record only the first has a task already.
 */
import { ON_NODE } from '#on-node';
import { platform } from '#platform';
import { setImmediate } from '../base/captured.ts';

export class EventOrder {
  /** Events that wait for a task of their own. */
  #queued = 0;

  /** Now, unless an earlier event still waits. */
  next(act: () => void): void {
    if (this.#queued > 0) this.asTask(act);
    else act();
  }

  /** Whether `next` would run what it is given at once. */
  get isFree(): boolean {
    return this.#queued === 0;
  }

  /** In a task of its own, everywhere. */
  asTask(act: () => void): void {
    this.#queued += 1;
    const post = ON_NODE ? (platform.queueTask ?? setImmediate) : (platform.queueTask as typeof setImmediate);
    post(() => {
      this.#queued -= 1;
      act();
    });
  }
}
