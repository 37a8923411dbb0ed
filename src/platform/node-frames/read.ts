/**
 * Frames of npm `ws`, opened where they stand. What `ws` delivers is a view of what came from the network in one piece, which it has
 * unmasked in place already.
 */
import { isNetwork } from './network.ts';

/** What is looked at inside npm `ws`. */
interface WsInternals {
  readonly _socket?: object | null;
  listenerCount?(event: string): number;
}

/**
 * Whether nobody but `ws` hears what comes from the network underneath, and there is no stream between that may have kept what it handed
 * on.
 */
export function readsAlone(ws: object): boolean {
  const { _socket: network } = ws as WsInternals;
  return isNetwork(network) && network.listenerCount('data') === 1;
}
