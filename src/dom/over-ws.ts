/** `#over-ws` of pages, where npm `ws` does not run: what it would need is left out of the code. */

export const MAY_RUN_OVER_WS = false;

export function wsOptions(_options: object): Record<string, unknown> {
  return {};
}

export function uninherited(options: object): object {
  return options;
}
