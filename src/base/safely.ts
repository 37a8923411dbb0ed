/** A listener or callback that throws is the application's bug to see, and must not end the connection that called it. */
import { queueMicrotask } from './captured.ts';
export function safely<Values extends unknown[]>(act: (...values: Values) => unknown): (...values: Values) => void {
  return (...values) => {
    try {
      act(...values);
    } catch (error) {
      throwLater(error);
    }
  };
}

/** As from an event of Node's own: uncaught, with nothing of ours on the stack. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** `act`, but never before the turn that it was given in has ended: as `ws` calls back. */
export function later<Values extends unknown[]>(act: (...values: Values) => void): (...values: Values) => void {
  let isSameTurn = true;
  queueMicrotask(() => {
    isSameTurn = false;
  });
  return (...values) => {
    if (isSameTurn)
      queueMicrotask(() => {
        act(...values);
      });
    else act(...values);
  };
}
