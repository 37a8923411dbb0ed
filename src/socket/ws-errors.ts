/** What an 'error' listener of a `ws`-style socket gets, and when there must be one. */
import { CloseCode } from '../protocol/errors.ts';
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

/**
 * Whether npm `ws` would have an 'error' too: for a frame that breaks the rules, and not for a peer that is slow, gone
 * or complaining, which must not end the process of a server that listens to nothing but 'close'.
 */
export function isErrorOfWs({ failure }: CloseOutcome): boolean {
  if (failure?.origin === 'local') return (failure.closeCode ?? 0) >= CloseCode.RECORD || failure.code === 'PQ_ERR_INTERNAL';
  return failure?.code === 'PQ_ERR_TRANSPORT';
}
