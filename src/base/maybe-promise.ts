/**
 * One code path for synchronous and asynchronous cryptography: what a synchronous backend does stays in the
 * caller's turn, and only a real promise makes anything wait.
 */
import { ON_NODE } from '#on-node';
import { Queue } from './queue.ts';
import { Promise } from './captured.ts';

/** A value, or the promise of one. Only the WebCrypto backend, and one that is not loaded yet, return promises. */
export type MaybePromise<T> = T | Promise<T>;

export function isPromise<T>(value: MaybePromise<T> | PromiseLike<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** `next(value)`: now if the value is here, else when it comes. */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  // resolve(): what an application's callback gives may be a thenable that is no promise.
  return isPromise(value) ? Promise.resolve(value).then(next) : next(value);
}

/** `run()`; what it throws or rejects with goes to `recover`, which gives a value instead or throws. */
export function attempt<T>(run: () => MaybePromise<T>, recover: (error: unknown) => T): MaybePromise<T> {
  try {
    const result = run();
    return isPromise(result) ? Promise.resolve(result).catch(recover) : result;
  } catch (error) {
    return recover(error);
  }
}

/** `run()`, and `cleanUp()` once it is over, however it ends. */
export function finish<T>(run: () => MaybePromise<T>, cleanUp: () => void): MaybePromise<T> {
  let result: MaybePromise<T>;
  try {
    result = run();
  } catch (error) {
    cleanUp();
    throw error;
  }
  if (isPromise(result)) return Promise.resolve(result).finally(cleanUp);
  cleanUp();
  return result;
}

/** Holds a secret until it is destroyed. */
export interface Destroyable {
  destroy(): void;
}

/**
 * Several secrets at once, in the same turn when none of them is a promise. All or none: when one fails, every
 * other is destroyed, one that comes later too.
 */
export function allOrNone<T extends readonly Destroyable[]>(makers: {
  readonly [K in keyof T]: () => MaybePromise<T[K]>;
}): MaybePromise<T> {
  const made: MaybePromise<Destroyable>[] = [];
  const destroyAll = (): void => {
    for (const value of made) destroyWhenThere(value);
  };
  try {
    for (const make of makers) made.push(make());
  } catch (error) {
    destroyAll();
    throw error;
  }
  if (!made.some(isPromise)) return made as readonly Destroyable[] as T;
  return Promise.all(made as Promise<Destroyable>[]).catch((error: unknown) => {
    destroyAll();
    throw error;
  }) as Promise<readonly Destroyable[]> as Promise<T>;
}

function destroyWhenThere(value: MaybePromise<Destroyable>): void {
  void attempt<void>(
    () =>
      chain(value, (there) => {
        there.destroy();
      }),
    () => undefined,
  );
}

/** Runs steps strictly one after the other; a step runs at once when nothing is before it. */
export class SerialQueue {
  /** Undefined until a step has to wait: most queues never have one that does. */
  #waiting: Queue<() => MaybePromise<void>> | undefined;
  #running = false;

  readonly #fail: (error: unknown) => void;

  /** @param fail takes what a step throws; later steps still run, and see the state that `fail` left. */
  constructor(fail: (error: unknown) => void) {
    this.#fail = fail;
  }

  /** Whether no step runs or waits. */
  get isIdle(): boolean {
    return !this.#running;
  }

  push(step: () => MaybePromise<void>): void {
    if (this.#running) (this.#waiting ??= new Queue()).push(step);
    else this.#run(step);
  }

  /** What a computation that has begun gives, in its turn: so several run side by side, and their results stay in order. */
  pushResult<T>(result: MaybePromise<T>, take: (result: T) => void): void {
    // It may fail before its turn, in which that is said.
    if (isPromise(result)) result.catch(() => undefined);
    this.push(() => chain(result, take));
  }

  /**
   * A step without a function of its own, where every step counts: whoever is let in does it now, throws nothing, and
   * tells `leave`.
   * @returns whether nothing runs or waits; never elsewhere than on Node
   */
  enter(): boolean {
    if (!ON_NODE || this.#running) return false;
    this.#running = true;
    return true;
  }

  /** @param rest what of the step is still to come: the next one waits for it */
  leave(rest?: MaybePromise<void>): void {
    if (!ON_NODE) return;
    if (isPromise(rest)) this.#runAfter(rest);
    else {
      this.#running = false;
      if (this.#waiting !== undefined && this.#waiting.length > 0) this.#run(this.#waiting.shift());
    }
  }

  /** Drops the steps that have not begun, with all that they hold. */
  clear(): void {
    this.#waiting = undefined;
  }

  #run(first: (() => MaybePromise<void>) | undefined): void {
    this.#running = true;
    for (let step = first; step !== undefined; step = this.#waiting?.shift()) {
      try {
        const result = step();
        if (isPromise(result)) {
          this.#runAfter(result);
          return;
        }
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#running = false;
  }

  #runAfter(result: Promise<void>): void {
    void Promise.resolve(result)
      .catch(this.#fail)
      .then(() => {
        this.#run(this.#waiting?.shift());
      });
  }
}
