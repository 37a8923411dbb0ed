/**
 * Work that strangers can ask for, such as signatures: so many pieces at once, in the order in which they were asked for, and
 * never more than half of this thread's time.
 */
import type { MaybePromise } from './maybe-promise.ts';
import { isPromise } from './maybe-promise.ts';
import { Promise, Set, setTimeout } from './captured.ts';
import { now as clock } from './clock.ts';
import { unref } from './timers.ts';

/** Milliseconds of this thread that may be spent at once, after a rest: so that a usual number of peers at one moment is served at once. */
const BURST = 100;
/** Of work that took so long, this multiple passes before the next: the other half is everybody else's. */
const SHARE = 2;

interface Piece {
  readonly start: () => void;
}

export class WorkQueue {
  readonly #most: number;
  readonly #now: () => number;
  readonly #waiting = new Set<Piece>();
  #atWork = 0;
  /** On the clock: this thread has its share of everything up to here. */
  #paidUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param most pieces that are under way at once
   * @param now monotonic milliseconds
   */
  constructor(most: number, now: () => number = clock) {
    this.#most = most;
    this.#now = now;
  }

  /** Pieces that are under way or wait. */
  get length(): number {
    return this.#atWork + this.#waiting.size;
  }

  /**
   * Does it now, where it may, in this very call; else when its turn comes.
   * @param signal aborted when its result is no longer wanted: then it is not begun, and its promise is rejected
   */
  run<T>(work: () => MaybePromise<T>, signal: AbortSignal | undefined): MaybePromise<T> {
    if (this.#mayStart()) return this.#do(work);
    return new Promise<T>((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(piece);
        reject(new Error('the connection has ended'));
      };
      const piece: Piece = {
        start: () => {
          signal?.removeEventListener('abort', giveUp);
          try {
            resolve(this.#do(work));
          } catch (error) {
            reject(error);
          }
        },
      };
      this.#waiting.add(piece);
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#next();
    });
  }

  #mayStart(): boolean {
    return this.#waiting.size === 0 && this.#isFree();
  }

  #isFree(): boolean {
    return this.#atWork < this.#most && this.#paidUntil - this.#now() <= BURST;
  }

  #do<T>(work: () => MaybePromise<T>): MaybePromise<T> {
    const startedAt = this.#now();
    this.#atWork += 1;
    let result: MaybePromise<T>;
    try {
      result = work();
    } catch (error) {
      this.#done();
      throw error;
    } finally {
      this.#paidUntil = Math.max(this.#paidUntil, startedAt) + SHARE * (this.#now() - startedAt);
    }
    if (!isPromise(result)) {
      this.#done();
      return result;
    }
    return result.finally(() => {
      this.#done();
    });
  }

  #done(): void {
    this.#atWork -= 1;
    this.#next();
  }

  /** Begins what waits, one piece a task, so that what else there is to do comes between. */
  #next(): void {
    if (this.#timer !== undefined || this.#waiting.size === 0 || this.#atWork >= this.#most) return;
    this.#timer = unref(
      setTimeout(
        () => {
          this.#timer = undefined;
          const [first] = this.#waiting;
          if (first === undefined) return;
          if (this.#isFree()) {
            this.#waiting.delete(first);
            first.start();
          }
          this.#next();
        },
        Math.max(0, this.#paidUntil - this.#now() - BURST),
      ),
    );
  }
}
