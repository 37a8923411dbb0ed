/** How a connection ended, as the application is to see it (PROTOCOL.md, "Closing"). */
import { CloseCode, PQWebSocketError } from '../../api/errors.ts';
import type { CloseContent } from './record.ts';
import type { State } from './states.ts';

export interface CloseOutcome {
  readonly code: number;
  readonly reason: string;
  /** Whether both sealed closes were exchanged. */
  readonly wasClean: boolean;
  readonly failure: PQWebSocketError | undefined;
}

/** RFC 6455 7.1.5 and 7.1.6: no status code was present; the connection closed abnormally. */
const NO_STATUS = 1005;
const ABNORMAL = 1006;

/** Transport codes that pass although nobody authenticated them: going away, and what servers say under strain. */
const HINTS: readonly number[] = [1001, 1012, 1013, 1014];

/**
 * @param peerClose what the peer's sealed close, or its answer to ours, said
 * @param transport the code that the transport closed with, and the cause if it failed
 */
export function outcomeOf(
  state: State,
  peerClose: CloseContent,
  failure: PQWebSocketError | undefined,
  transport: { readonly code: number; readonly cause: unknown },
): CloseOutcome {
  if (state === 'ended') {
    return { code: peerClose?.code ?? NO_STATUS, reason: peerClose?.reason ?? '', wasClean: true, failure: undefined };
  }
  if (failure !== undefined) return unclean(failure.closeCode ?? ABNORMAL, failure);
  const { code, cause } = transport;
  if (code >= CloseCode.HANDSHAKE && code <= CloseCode.LIMIT) {
    return unclean(code, new PQWebSocketError('PQ_ERR_PEER', code, 'transport'));
  }
  const cut =
    cause === undefined
      ? new PQWebSocketError('PQ_ERR_TRUNCATED', undefined, 'transport')
      : new PQWebSocketError('PQ_ERR_TRANSPORT', undefined, 'transport', { cause });
  return unclean(HINTS.includes(code) ? code : ABNORMAL, cut);
}

function unclean(code: number, failure: PQWebSocketError): CloseOutcome {
  return { code, reason: '', wasClean: false, failure };
}
