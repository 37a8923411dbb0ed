/**
 * Frames of npm `ws`, opened where they stand. What `ws` delivers is a view of what came from the network in one piece, which it has
 * unmasked in place already, or memory of its own that it has joined several pieces in.
 */
import type { Duplex } from 'node:stream';
import { isNetwork } from './network.ts';

/** What is looked at inside npm `ws`. */
interface WsInternals {
  readonly _socket?: object | null;
}

/** Gets what the network has brought at once. */
type PieceListener = (piece: Uint8Array) => void;

/** The listeners of each network that keep nothing of what they are given. */
const keepingNothing = new WeakMap<object, readonly PieceListener[]>();

/**
 * Listens to what comes from the network beneath npm `ws`. Frames are opened where they stand all the same, which any other listener of its
 * `data` would prevent: that one might keep what it is given.
 * @param listener keeps no view of a piece, and gives nobody one
 * @param isFirst whether it hears of a piece before those that listen already
 */
export function listenWithin(network: Duplex, listener: PieceListener, isFirst = false): void {
  keepingNothing.set(network, [...(keepingNothing.get(network) ?? []), listener]);
  if (isFirst) network.prependListener('data', listener);
  else network.on('data', listener);
}

/** Whether it came by way of `listenWithin`. */
export function keepsNothing(network: Duplex, listener: unknown): boolean {
  return keepingNothing.get(network)?.includes(listener as PieceListener) === true;
}

/**
 * Counts what comes from the network beneath npm `ws`.
 * @param count gets the length of each piece, in bytes
 */
export function countBytes(network: Duplex, count: (bytes: number) => void): void {
  let bytes = 0;
  // Its memory may be given back before we come last.
  const measure = (piece: Uint8Array): void => {
    bytes = piece.length;
  };
  listenWithin(network, measure, true);
  listenWithin(network, () => {
    count(bytes);
  });
}

/**
 * Whether nobody but `ws` gets what comes from the network underneath, and there is no stream between that may have kept what it handed
 * on.
 */
export function readsAlone(ws: object): boolean {
  const { _socket: network } = ws as WsInternals;
  if (!isNetwork(network)) return false;
  let listening = network.listenerCount('data');
  // Whoever has all listeners removed removes ours too.
  for (const listener of keepingNothing.get(network) ?? []) listening -= network.listenerCount('data', listener);
  return listening === 1;
}
