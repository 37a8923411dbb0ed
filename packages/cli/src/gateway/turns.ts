/**
 * Turns of the event loop, shared out among those who have much to say. libuv reads up to 2 MiB from one socket before it looks
 * at the next: a flood on fifty conversations would be a second's wait for all others.
 */

/** Bytes of messages after which a leg waits for its next turn. */
export const SHARE_BYTES = 128 * 1024;
/** So many legs get their turn in one of the event loop's. */
const LEGS_A_TURN = 8;

export class Turns {
  readonly #waiting: (() => void)[] = [];
  #isComing = false;

  /** @param goOn called at this one's next turn, in the order in which they asked */
  wait(goOn: () => void): void {
    this.#waiting.push(goOn);
    this.#come();
  }

  #come(): void {
    if (this.#isComing) return;
    this.#isComing = true;
    setImmediate(() => {
      this.#isComing = false;
      for (const goOn of this.#waiting.splice(0, LEGS_A_TURN)) goOn();
      if (this.#waiting.length > 0) this.#come();
    });
  }
}
