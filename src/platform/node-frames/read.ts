/**
 * Frames of npm `ws`, opened where they stand. What `ws` delivers is a view of what came from the network in one piece, which it has
 * unmasked in place already.
 */
import type { Duplex } from 'node:stream';
import { isNetwork } from './network.ts';

/** What is looked at inside npm `ws`. */
interface WsInternals {
  readonly _socket?: object | null;
  listenerCount?(event: string): number;
}

/** The listener of each network that sees how many bytes have come, and none of them. */
const counters = new WeakMap<object, (chunk: Uint8Array) => void>();

/**
 * Counts what comes from the network beneath npm `ws`. Frames are opened where they stand all the same, which any other listener of its
 * `data` would prevent: that one might keep what it is given.
 * @param count gets the length of each piece, in bytes
 */
export function countBytes(network: Duplex, count: (bytes: number) => void): void {
  const counter = (chunk: Uint8Array): void => {
    count(chunk.length);
  };
  counters.set(network, counter);
  network.on('data', counter);
}

/**
 * Whether nobody but `ws` gets what comes from the network underneath, and there is no stream between that may have kept what it handed
 * on.
 */
export function readsAlone(ws: object): boolean {
  const { _socket: network } = ws as WsInternals;
  if (!isNetwork(network)) return false;
  const counter = counters.get(network);
  const counting = counter === undefined ? 0 : network.listenerCount('data', counter);
  return network.listenerCount('data') - counting === 1;
}
