/**
 * Turns of the event loop, shared out among those who make much work. libuv reads up to 2 MiB from one socket before it looks
 * at the next: a flood on fifty conversations would be a second's wait for all others.
 */

/** Work after which a leg waits for its next turn, in what it costs to move so many bytes. */
export const SHARE = 128 * 1024;
/** So many legs get their turn in one of the event loop's. */
const LEGS_A_TURN = 8;

/**
 * What a leg's doings cost beside their bytes, in the same unit. Estimates in round numbers, on the high side: what counts is that
 * whoever makes much work of few bytes waits for it, which `npm run load` shows with a flood of each.
 */
export const Cost = {
  /** A message, though it be empty. */
  MESSAGE: 512,
  /** A record to be opened. */
  RECORD: 4_096,
  /** A record without a message, which is a key update: two derivations. */
  SILENT_RECORD: 16_384,
  /** A ping or a pong, and what is said to the other leg for it. */
  CONTROL: 2_048,
} as const;

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

/** One leg's share: a leg that made several times the work waits for as many turns. */
export class Share {
  #work = 0;
  #isResting = false;

  constructor(
    private readonly turns: Turns,
    /** Stops and starts the leg's reading. */
    private readonly reading: { pause(): void; resume(): void },
  ) {}

  get isResting(): boolean {
    return this.#isResting;
  }

  add(work: number): void {
    this.#work += work;
    if (this.#work < SHARE || this.#isResting) return;
    this.#isResting = true;
    this.reading.pause();
    this.#wait();
  }

  #wait(): void {
    this.turns.wait(() => {
      this.#work -= SHARE;
      if (this.#work >= SHARE) {
        this.#wait();
        return;
      }
      this.#isResting = false;
      this.reading.resume();
    });
  }
}
