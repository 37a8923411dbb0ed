/** What an 'error' listener of a `ws`-style socket gets. */
import type { CloseOutcome } from '../protocol/outcome.ts';

/**
 * What `ws` itself found wrong is told in its words: applications look for ECONNREFUSED, or for the HTTP status.
 * @param closedEarly whether the application has closed the socket before it was open
 */
export function errorOf({ failure }: CloseOutcome, closedEarly: boolean): Error {
  const cause = failure?.cause;
  if (failure?.code === 'PQ_ERR_TRANSPORT' && cause instanceof Error) return cause;
  if (closedEarly) return new Error('WebSocket was closed before the connection was established', { cause: failure });
  return failure ?? new Error('the connection never opened');
}
