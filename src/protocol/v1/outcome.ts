/** How a v1 connection ended (PROTOCOL.md, "Closing"). */
import { CLOSED_HANDSHAKE, CLOSED_LIMIT, PQWebSocketError } from '../../api/errors.ts';
import type { CloseOutcome, TransportEnd } from '../outcome.ts';
import { ABNORMAL_CLOSURE, NO_STATUS } from '../../base/rfc6455.ts';
import type { CloseContent } from './record.ts';
import type { State } from './states.ts';

/** Transport codes that pass although they are not authenticated: going away, and what servers say under strain. */
const HINTS: readonly number[] = [1001, 1012, 1013, 1014];

/** @param peerClose what the peer's sealed close, or its answer to ours, said */
export function outcomeOf(
  state: State,
  peerClose: CloseContent,
  failure: PQWebSocketError | undefined,
  { code, cause }: TransportEnd,
): CloseOutcome {
  if (state === 'ended') {
    return { code: peerClose?.code ?? NO_STATUS, reason: peerClose?.reason ?? '', wasClean: true, failure: undefined };
  }
  if (failure !== undefined) return unclean(failure.closeCode ?? ABNORMAL_CLOSURE, failure);
  if (code >= CLOSED_HANDSHAKE && code <= CLOSED_LIMIT) {
    return unclean(code, new PQWebSocketError('PQ_ERR_PEER', code, 'transport'));
  }
  const cut =
    cause === undefined
      ? new PQWebSocketError('PQ_ERR_TRUNCATED', undefined, 'transport')
      : new PQWebSocketError('PQ_ERR_TRANSPORT', undefined, 'transport', { cause });
  return unclean(HINTS.includes(code) ? code : ABNORMAL_CLOSURE, cut);
}

function unclean(code: number, failure: PQWebSocketError): CloseOutcome {
  return { code, reason: '', wasClean: false, failure };
}
