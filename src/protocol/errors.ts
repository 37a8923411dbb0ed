/** How a check inside the protocol fails, and what becomes of it: the codes and their meaning are in api/errors.ts. */
import { CLOSED_HANDSHAKE, CLOSED_RECORD, FAILURES, PQWebSocketError } from '../api/errors.ts';
import type { PQErrorCode } from '../api/errors.ts';

/** A part of the script tag has a copy of this class, whose refusals are known here by this. */
const BRAND = Symbol.for('pq-websocket.refusal');

/** Thrown inside `protocol/` by a check that fails; the session adds what depends on its phase. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly [BRAND] = true;

  constructor(
    readonly code: PQErrorCode,
    options?: ErrorOptions,
  ) {
    super(FAILURES[code].message, options);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

/**
 * @param accepted whether this side has accepted its peer's Finished: until then everything is 3768, but for
 *   3769 and 3770
 */
export function failureOf(refusal: Refusal, accepted: boolean): PQWebSocketError {
  const options = refusal.cause === undefined ? undefined : { cause: refusal.cause };
  return new PQWebSocketError(refusal.code, closeCodeOf(refusal.code, accepted), 'local', options);
}

/** The transport close code, `accepted` as in `failureOf`; undefined where there is none. */
export function closeCodeOf(code: PQErrorCode, accepted: boolean): number | undefined {
  const { closeCode } = FAILURES[code];
  if (accepted || closeCode === undefined) return closeCode;
  return closeCode >= CLOSED_RECORD ? CLOSED_HANDSHAKE : closeCode;
}
