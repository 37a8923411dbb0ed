/** The longest delay in milliseconds that a timer takes: 2^31 - 1. */
export const MAX_TIMER = 2 ** 31 - 1;

/** On Node a timer alone must not keep the process running. */
export function unref<T>(timer: T): T {
  (timer as { unref?: () => void }).unref?.();
  return timer;
}
