/** `#own-timers` where the globals are all that there is. */
export const { queueMicrotask, setTimeout, clearTimeout } = globalThis;

/** Where there is one; else what is nearest to it. */
export const setImmediate: (act: () => void) => void = /* @__PURE__ */ (() =>
  globalThis.setImmediate ?? globalThis.setTimeout)();
