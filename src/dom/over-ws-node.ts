/** `#over-ws` where npm `ws` may run underneath, and has options of its own. */
import { platform } from '#platform';
import type { PQWebSocketOptions } from '../api/types.ts';
import { ownProperties } from '../base/own-properties.ts';

export { uninherited } from '../platform/ws-options.ts';

export const MAY_RUN_OVER_WS = true;

/** Those of the options that go to `ws`. */
export function wsOptions(options: object): Record<string, unknown> {
  const taken = Object.fromEntries(
    Object.entries(options).filter(([name, value]) => platform.transportOptions.has(name) && value !== undefined),
  );
  const { finishRequest } = ownProperties(taken) as PQWebSocketOptions;
  if (finishRequest !== undefined) {
    // ws shows it the socket that does not seal, too.
    taken['finishRequest'] = (request: never): void => {
      finishRequest(request);
    };
  }
  return taken;
}
