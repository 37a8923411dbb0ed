/** `#own-timers` where the globals are all that there is. */
export const { queueMicrotask, setTimeout, clearTimeout } = globalThis;

export { queueMicrotask as atEndOfTurn };

/** Node's own, which only its platform asks for. */
export const setImmediate = undefined as unknown as (act: () => void) => void;
