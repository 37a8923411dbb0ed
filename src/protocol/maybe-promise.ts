/**
 * One code path for synchronous and asynchronous cryptography: what a synchronous backend does stays in the
 * caller's turn, and only a real promise makes anything wait.
 */
import type { MaybePromise } from '../crypto/backend.ts';

export function isPromise<T>(value: MaybePromise<T> | PromiseLike<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<T>).then === 'function';
}

/** `next(value)`: now if the value is here, else when it comes. */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return isPromise(value) ? value.then(next) : next(value);
}

/** Several values at once, in the same turn when none of them is a promise. */
export function all<T extends readonly unknown[]>(values: { [K in keyof T]: MaybePromise<T[K]> }): MaybePromise<T> {
  return values.some((value) => isPromise(value))
    ? (Promise.all(values) as unknown as Promise<T>)
    : (values as unknown as T);
}

/** Runs steps strictly one after the other; a step runs at once when nothing is before it. */
export class SerialQueue {
  readonly #waiting: (() => MaybePromise<void>)[] = [];
  #running = false;

  /** @param fail takes what a step throws; later steps still run, and see the state that `fail` left. */
  constructor(private readonly fail: (error: unknown) => void) {}

  push(step: () => MaybePromise<void>): void {
    this.#waiting.push(step);
    if (!this.#running) this.#run();
  }

  #run(): void {
    this.#running = true;
    for (let step = this.#waiting.shift(); step !== undefined; step = this.#waiting.shift()) {
      try {
        const result = step();
        if (isPromise(result)) {
          void result.catch(this.fail).then(() => {
            this.#run();
          });
          return;
        }
      } catch (error) {
        this.fail(error);
      }
    }
    this.#running = false;
  }
}

/** Lets computations run side by side and gives their results in the order in which they were started. */
export class OrderedResults<T> {
  #last: Promise<void> | undefined;

  constructor(
    private readonly deliver: (result: T) => void,
    private readonly fail: (error: unknown) => void,
  ) {}

  push(result: MaybePromise<T>): void {
    if (this.#last === undefined && !isPromise(result)) {
      this.deliver(result);
      return;
    }
    const previous = this.#last;
    const current: Promise<void> = Promise.resolve(result)
      .then(async (value) => {
        await previous;
        this.deliver(value);
      })
      .catch(this.fail)
      .then(() => {
        if (this.#last === current) this.#last = undefined;
      });
    this.#last = current;
  }
}
