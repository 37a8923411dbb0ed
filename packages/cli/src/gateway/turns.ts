/**
 * Turns of the event loop, shared out among those who make much work. libuv reads up to 2 MiB from one socket before it looks
 * at the next: a flood on fifty conversations would be a second's wait for all others.
 */

/** Work after which a leg waits for its next turn, in what it costs to move so many bytes. */
export const SHARE = 128 * 1024;
/** So many legs get their turn in one of the event loop's. */
const LEGS_A_TURN = 8;
/** A share is used up after so many milliseconds in one go, too, whatever its work was thought to cost. */
export const SLICE = 3;
/**
 * While others converse, a leg whose share was mostly something else than bytes waits so many milliseconds, or three times what the share
 * took, where that is longer. It would leave the others the garbage of its many small things, too, which is collected in their time.
 */
const REST = 2;
const REST_FACTOR = 3;
/** Others converse who have said something within so many milliseconds. */
const RECENT = 1_000;

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
  /** Whose leg worked last, and when it was another's. */
  #last: object | undefined;
  #othersAt = -Infinity;

  /** @param now milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** @param conversation one of whose legs works */
  works(conversation: object): void {
    if (this.#last === conversation) return;
    if (this.#last !== undefined) this.#othersAt = this.now();
    this.#last = conversation;
  }

  /** Whether others than the one that works have worked, too. */
  get isShared(): boolean {
    return this.now() - this.#othersAt < RECENT;
  }

  /**
   * @param took milliseconds for what it rests from
   * @param goOn called at a turn after a rest
   */
  rest(took: number, goOn: () => void): void {
    setTimeout(
      () => {
        this.wait(goOn);
      },
      Math.max(REST, REST_FACTOR * took),
    );
  }

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
  /** What of it, since the last rest, is not bytes. */
  #overhead = 0;
  #isResting = false;

  constructor(
    private readonly turns: Turns,
    private readonly conversation: object,
    /** Stops and starts the leg's reading. */
    private readonly reading: { pause(): void; resume(): void },
  ) {}

  get isResting(): boolean {
    return this.#isResting;
  }

  /**
   * @param bytes that have come
   * @param overhead what was done with them, beside the bytes
   * @param took milliseconds since the leg's work began in this go: nothing else has had the thread since
   */
  add(bytes: number, overhead = 0, took = 0): void {
    this.turns.works(this.conversation);
    this.#work += bytes + overhead;
    this.#overhead += overhead;
    if ((this.#work < SHARE && took < SLICE) || this.#isResting) return;
    this.#isResting = true;
    this.reading.pause();
    const isMostlyOverhead = 2 * this.#overhead > this.#work;
    this.#overhead = 0;
    this.#wait(isMostlyOverhead && this.turns.isShared ? took : undefined);
  }

  /** @param took what the share took, where a rest comes before the turn */
  #wait(took: number | undefined): void {
    const goOn = (): void => {
      this.#work = Math.max(0, this.#work - SHARE);
      if (this.#work >= SHARE) {
        this.#wait(took);
        return;
      }
      this.#isResting = false;
      this.reading.resume();
    };
    if (took === undefined) this.turns.wait(goOn);
    else this.turns.rest(took, goOn);
  }
}
