/** The errors of a `ws`-style socket: for 'error' listeners, and for sends that are too early or too late. */
import type { CloseOutcome } from '../../protocol/outcome.ts';

/**
 * What `ws` itself found wrong keeps its message: applications look for ECONNREFUSED, or for the HTTP status.
 * @param closedEarly whether the application has closed the socket before it was open
 */
export function errorOf({ failure }: CloseOutcome, closedEarly: boolean): Error {
  const cause = failure?.cause;
  if (failure?.code === 'PQ_ERR_TRANSPORT' && cause instanceof Error) return cause;
  if (closedEarly) return new Error('WebSocket was closed before the connection was established', { cause: failure });
  return failure ?? new Error('the connection never opened');
}

const STATE_NAMES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];

export function notOpen(readyState: number): Error {
  return new Error(`WebSocket is not open: readyState ${readyState} (${STATE_NAMES[readyState]})`);
}
