import type { EventEmitter } from 'node:events';

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: Error) => void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
}

/** An EventTarget, or any emitter with `on` and `off`, npm `ws`'s and eventemitter3's among them. */
export type Emitting = EventTarget | Pick<EventEmitter, 'on' | 'off'>;

function listen(source: Emitting, event: string, listener: (...args: unknown[]) => void): () => void {
  // Sockets of npm `ws` have both styles, and know more events in the first.
  if ('on' in source) {
    source.on(event, listener);
    return () => {
      source.off(event, listener);
    };
  }
  source.addEventListener(event, listener);
  return () => {
    source.removeEventListener(event, listener);
  };
}

/**
 * The arguments of the next `event`, as node:events' `once` gives them, in the emitter's style where there is
 * one and as `[Event]` otherwise. Unlike that one it does not reject on `error`, which tests here wait for too.
 */
export function once<T extends unknown[] = unknown[]>(source: Emitting, event: string): Promise<T> {
  return new Promise((resolve) => {
    const stop = listen(source, event, (...args) => {
      stop();
      resolve(args as T);
    });
  });
}

/**
 * Resolves as soon as the predicate holds: looked at now and after every one of the events.
 * @returns what the predicate gave
 */
export function waitFor<T>(
  predicate: () => T | false | null | undefined,
  source: Emitting,
  ...events: string[]
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stops: (() => void)[] = [];
    const stop = (): void => {
      for (const each of stops) each();
    };
    const look = (): void => {
      try {
        const value = predicate();
        if (value === false || value === null || value === undefined) return;
        stop();
        resolve(value);
      } catch (error) {
        stop();
        reject(error);
      }
    };
    for (const event of events) stops.push(listen(source, event, look));
    look();
  });
}

/** A queue that is read with `await`: what arrives before it is asked for waits, and so does who asks early. */
export class AsyncQueue<T> {
  #items: T[] = [];
  /** How many were taken; tens of thousands are not moved for each. */
  #taken = 0;
  #waiting: Deferred<T>[] = [];
  #ended: Error | undefined;

  get size(): number {
    return this.#items.length - this.#taken;
  }

  push(item: T): void {
    const first = this.#waiting.shift();
    if (first === undefined) this.#items.push(item);
    else first.resolve(item);
  }

  /** From now on, `next()` rejects with this once the queue is empty. */
  end(reason: Error): void {
    this.#ended = reason;
    for (const each of this.#waiting.splice(0)) each.reject(reason);
  }

  next(): Promise<T> {
    if (this.size > 0) return Promise.resolve(this.#take());
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const waiting = deferred<T>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  #take(): T {
    const item = this.#items[this.#taken] as T;
    this.#taken += 1;
    if (this.size === 0) {
      this.#items = [];
      this.#taken = 0;
    }
    return item;
  }
}
