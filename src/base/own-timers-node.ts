/**
 * `#own-timers` on Node: its own, by the module that has them. Fake ones of a test may stand in the globals before this module loads (jest's
 * `fakeTimers.enableGlobally`, a set-up file), where `ws` delivers all the same.
 */
import { clearTimeout as clear, setImmediate as immediate, setTimeout as timeout } from 'node:timers';

const { Promise, queueMicrotask: present } = globalThis;
const settled = Promise.resolve();

export const setTimeout = timeout;
export const clearTimeout = clear;
export const setImmediate: (act: () => void) => void = immediate;

function microtask(act: () => void): void {
  settled.then(act).catch((error: unknown) => {
    setImmediate(() => {
      throw error;
    });
  });
}

/** As `queueMicrotask`, for what throws nothing: without the AsyncResource that Node makes for each of its own. */
export function atEndOfTurn(act: () => void): void {
  void settled.then(act);
}

/** No module has the real one. Those of @sinonjs/fake-timers, which are jest's and vitest's too, have a clock. */
export const queueMicrotask = Object.hasOwn(present, 'clock') ? microtask : present;
