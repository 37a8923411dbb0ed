/** How a check inside the protocol fails, and what becomes of it: the codes and their meaning are in api/errors.ts. */
import { CLOSED_HANDSHAKE, CLOSED_RECORD, FAILURES, PQWebSocketError } from '../api/errors.ts';
import type { CommonCode, PQErrorCode } from '../api/errors.ts';
import type { FailureKind, SeldomCode } from '../api/seldom-failures.ts';

/** A part of the script tag has a copy of this class, whose refusals are known here by this. */
const BRAND = Symbol.for('pq-websocket.refusal');

/** Thrown inside `protocol/` by a check that fails; the session adds what depends on its phase. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly [BRAND] = true;

  /** Once the peer's Finished is accepted. */
  readonly closeCode: number | undefined;

  /** @param kind that of the code, where it is a seldom one */
  constructor(code: CommonCode, options?: ErrorOptions, kind?: undefined);
  constructor(code: SeldomCode, options: ErrorOptions | undefined, kind: FailureKind);
  constructor(
    readonly code: PQErrorCode,
    options?: ErrorOptions,
    { closeCode, message }: FailureKind = FAILURES[code as CommonCode],
  ) {
    super(message, options);
    this.closeCode = closeCode;
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
  const { code, cause, message } = refusal;
  const options = cause === undefined ? undefined : { cause };
  return new PQWebSocketError(code, closeCodeOf(refusal, accepted), 'local', options, message);
}

/** The transport close code, `accepted` as in `failureOf`; undefined where there is none. */
export function closeCodeOf({ closeCode }: Refusal, accepted: boolean): number | undefined {
  if (accepted || closeCode === undefined) return closeCode;
  return closeCode >= CLOSED_RECORD ? CLOSED_HANDSHAKE : closeCode;
}
