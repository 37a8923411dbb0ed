/** A monotonic clock, in milliseconds, taken when this module loads: the fake timers of a test put another one in its place. */
export const now: () => number = /* @__PURE__ */ performance.now.bind(performance);
