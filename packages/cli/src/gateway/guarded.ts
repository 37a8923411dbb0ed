/** Listeners that cannot end the process: what one throws would leave its emitter uncaught. */

/** @param failed gets what `listener` throws, or what its promise rejects with */
export function guarded<Arguments extends readonly unknown[]>(
  listener: (...args: Arguments) => void | Promise<void>,
  failed: (error: unknown, args: Arguments) => void,
): (...args: Arguments) => void {
  return (...args) => {
    try {
      const result = listener(...args);
      if (result instanceof Promise) {
        result.catch((error: unknown) => {
          failed(error, args);
        });
      }
    } catch (error) {
      failed(error, args);
    }
  };
}
