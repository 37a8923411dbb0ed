/** How a yellowpages connection fails and ends: by the transport's word, which is not authenticated (PROTOCOL.md 15). */
import { CLOSED_HANDSHAKE, CLOSED_LIMIT, PQWebSocketError } from '../../api/errors.ts';
import { closeCodeOf } from '../errors.ts';
import type { PQErrorCode } from '../../api/errors.ts';
import type { Refusal } from '../errors.ts';
import type { CloseOutcome, TransportEnd } from '../outcome.ts';
import { ABNORMAL_CLOSURE, NO_STATUS } from '../../base/rfc6455.ts';

const POLICY = 1008;
const INTERNAL = 1011;
const TIMED_OUT = 4000;

/** What a server has itself to blame for. Its peer sends nothing that could wait, so what waits too long is its own. */
const SERVERS_OWN: readonly PQErrorCode[] = ['PQ_ERR_IDENTITY', 'PQ_ERR_INTERNAL', 'PQ_ERR_LOAD', 'PQ_ERR_QUEUE_LIMIT'];

export function yellowpagesFailure(refusal: Refusal, role: 'client' | 'server', wasOpen: boolean): PQWebSocketError {
  const { code, cause, message } = refusal;
  const options = cause === undefined ? undefined : { cause };
  return new PQWebSocketError(code, wireCode(refusal, role, wasOpen), 'local', options, message);
}

/** A browser's client can send neither 1008 nor 1011: it says what it says in v1. */
function wireCode(refusal: Refusal, role: 'client' | 'server', wasOpen: boolean): number | undefined {
  const { code } = refusal;
  if (code === 'PQ_ERR_HANDSHAKE_TIMEOUT') return TIMED_OUT;
  const usual = closeCodeOf(refusal, wasOpen);
  if (role === 'client') return usual;
  if (SERVERS_OWN.includes(code)) return INTERNAL;
  return usual !== undefined && isOfV1(usual) ? POLICY : usual;
}

/** @param failure what this end found */
export function yellowpagesOutcome(
  { code, reason, wasClean, cause }: TransportEnd,
  wasOpen: boolean,
  failure: PQWebSocketError | undefined,
): CloseOutcome {
  if (failure !== undefined)
    return { code: failure.closeCode ?? ABNORMAL_CLOSURE, reason: '', wasClean: false, failure };
  const passed = { code, reason };
  if (isOfV1(code))
    return { ...passed, wasClean: false, failure: new PQWebSocketError('PQ_ERR_PEER', code, 'transport') };
  // A code that somebody sent is all that this profile has of a close, whether the transport was then cut or not (some
  // browsers report a close whose network went first as unclean, with its code).
  const isSaid = code !== NO_STATUS && code !== ABNORMAL_CLOSURE;
  if (wasOpen && (wasClean || isSaid)) return { ...passed, wasClean, failure: undefined };
  if (isSaid && cause === undefined)
    return { ...passed, wasClean: false, failure: new PQWebSocketError('PQ_ERR_PEER', code, 'transport') };
  const options = cause === undefined ? undefined : { cause };
  const what = wasOpen || cause !== undefined ? 'PQ_ERR_TRANSPORT' : 'PQ_ERR_CLOSED_EARLY';
  return { ...passed, wasClean: false, failure: new PQWebSocketError(what, undefined, 'transport', options) };
}

/** A yellowpages client says these too. */
function isOfV1(code: number): boolean {
  return code >= CLOSED_HANDSHAKE && code <= CLOSED_LIMIT;
}
