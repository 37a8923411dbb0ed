/** Work that strangers can ask for: how much at once, in which order, and whose is dropped. */
import { describe, expect, test } from 'vitest';
import { WorkQueue } from '../../src/base/work-queue.ts';
import { deferred } from '../support/deferred.ts';

/** A clock that moves when the work does. */
function clock(): { now: () => number; spend: (milliseconds: number) => void } {
  let time = 0;
  return {
    now: () => time,
    spend: (milliseconds) => {
      time += milliseconds;
    },
  };
}

describe('work that takes this thread', () => {
  test('is done in the very call while it is little', () => {
    const { now, spend } = clock();
    const queue = new WorkQueue(1, now);
    for (let i = 0; i < 3; i += 1) {
      expect(
        queue.run(() => {
          spend(20);
          return i;
        }, undefined),
      ).toBe(i);
    }
    expect(queue.length).toBe(0);
  });

  test('waits once it has had more than its half', () => {
    const { now, spend } = clock();
    const queue = new WorkQueue(1, now);
    void queue.run(() => {
      spend(201);
    }, undefined);
    expect(queue.run(() => 'later', undefined)).toBeInstanceOf(Promise);
    spend(101);
    // Time has passed, and what waits goes first.
    expect(queue.run(() => 'last', undefined)).toBeInstanceOf(Promise);
    expect(queue.length).toBe(2);
  });

  test('that throws is over', async () => {
    const queue = new WorkQueue(1);
    const broken = (): never => {
      throw new Error('broken');
    };
    expect(() => queue.run(broken, undefined)).toThrow('broken');
    await expect(queue.run(() => Promise.reject(new Error('broken')), undefined)).rejects.toThrow('broken');
    expect(queue.length).toBe(0);
  });
});

describe('work elsewhere', () => {
  test('is limited in number, and goes on in order', async () => {
    const queue = new WorkQueue(2);
    const begun: number[] = [];
    const pieces = Array.from({ length: 5 }, () => deferred<undefined>());
    const results = pieces.map((piece, index) =>
      queue.run(() => {
        begun.push(index);
        return piece.promise;
      }, undefined),
    );
    expect(begun).toEqual([0, 1]);
    pieces[1]?.resolve(undefined);
    await results[1];
    pieces[2]?.resolve(undefined);
    await results[2];
    expect(begun.slice(0, 3)).toEqual([0, 1, 2]);
    for (const piece of pieces) piece.resolve(undefined);
    await Promise.all(results.map((result) => Promise.resolve(result)));
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    expect(queue.length).toBe(0);
  });

  test('that nobody waits for any more is never begun', async () => {
    const queue = new WorkQueue(1);
    const first = deferred<undefined>();
    const done = queue.run(() => first.promise, undefined);
    const gone = new AbortController();
    let begun = false;
    const dropped = queue.run(() => {
      begun = true;
    }, gone.signal);
    const last = queue.run(() => 'last', undefined);
    gone.abort();
    await expect(dropped).rejects.toThrow('the connection has ended');
    first.resolve(undefined);
    await done;
    expect(await last).toBe('last');
    expect(begun).toBe(false);
  });
});
