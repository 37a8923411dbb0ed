/**
 * Why a connection failed, as stable codes, and the transport close code that goes with each
 * (PROTOCOL.md, "Failure codes"). Messages are constants: they name the check, never what came.
 */

import type { FailureKind, SeldomCode } from './seldom-failures.ts';
import { define } from '../base/own-properties.ts';

// Transport close codes of the secure layer, from the 3000-3999 range that RFC 6455 7.4.2 leaves to libraries. Each a constant of its own,
// which a build puts where it is named.

/** Malformed or refused handshake. */
export const CLOSED_HANDSHAKE = 3768;
/** A record did not open. */
export const CLOSED_RECORD = 3771;
/** A limit was exceeded: the last of them. Between these: 3769 for the time, 3770 for authentication, 3772 for what breaks the protocol. */
export const CLOSED_LIMIT = 3773;

/** Those that any connection of a client may come to. The others are next door, with what is loaded or a server's (./seldom-failures.ts). */
export const FAILURES = {
  PQ_ERR_HELLO: { closeCode: 3768, message: 'malformed hello' },
  PQ_ERR_NOT_PQ_WEBSOCKET: { closeCode: 3768, message: 'the peer does not speak pq-websocket' },
  PQ_ERR_VERSION: { closeCode: 3768, message: 'unsupported protocol version' },
  PQ_ERR_MESSAGE_TYPE: { closeCode: 3768, message: 'wrong message type in handshake' },
  PQ_ERR_FINISHED: { closeCode: 3768, message: 'malformed or missing Finished' },
  PQ_ERR_FAST_OPEN: { closeCode: 3768, message: 'fast open violated' },
  PQ_ERR_HANDSHAKE_TIMEOUT: { closeCode: 3769, message: 'handshake timed out' },
  PQ_ERR_ATTESTATION_REFUSED: { closeCode: 3770, message: 'attestation refused' },
  PQ_ERR_IDENTITY: { closeCode: 3770, message: 'server could not prove its identity' },
  PQ_ERR_CLIENT_IDENTITY: { closeCode: 3770, message: 'client identity missing, refused, or not to be shown' },
  PQ_ERR_RECORD: { closeCode: 3771, message: 'record did not open' },
  PQ_ERR_TEXT_FRAME: { closeCode: 3772, message: 'unsealed text frame' },
  PQ_ERR_UTF8: { closeCode: 3772, message: 'invalid UTF-8' },
  PQ_ERR_KIND: { closeCode: 3772, message: 'unexpected record kind' },
  PQ_ERR_BATCH: { closeCode: 3772, message: 'malformed batch' },
  PQ_ERR_KEY_UPDATE: { closeCode: 3772, message: 'malformed or repeated key update' },
  PQ_ERR_EXCHANGE: { closeCode: 3772, message: 'malformed or unasked exchange' },
  PQ_ERR_CLOSE: { closeCode: 3772, message: 'malformed or unasked close' },
  PQ_ERR_FRAME_SIZE: { closeCode: 3773, message: 'record too long' },
  PQ_ERR_MESSAGE_SIZE: { closeCode: 3773, message: 'message too long' },
  PQ_ERR_EPOCH_LIMIT: { closeCode: 3773, message: 'too many records under one key' },
  PQ_ERR_QUEUE_LIMIT: { closeCode: 3773, message: 'too much data waiting' },
  PQ_ERR_INTERNAL: { closeCode: undefined, message: 'internal error' },
  PQ_ERR_LOAD: { closeCode: undefined, message: 'a part of the code could not be loaded' },
  PQ_ERR_PEER: { closeCode: undefined, message: 'the peer, or the network, reported a failure of the secure layer' },
  PQ_ERR_CLOSED_EARLY: { closeCode: undefined, message: 'closed before the channel was open' },
  PQ_ERR_UNPROVED: { closeCode: undefined, message: 'closed before the peer had proved itself' },
  PQ_ERR_CLOSE_TIMEOUT: { closeCode: undefined, message: 'the close was not answered' },
  PQ_ERR_HEARTBEAT: { closeCode: undefined, message: 'the peer gave no sign of life' },
  PQ_ERR_TRUNCATED: { closeCode: undefined, message: 'the connection ended without a sealed close' },
  PQ_ERR_TRANSPORT: { closeCode: undefined, message: 'the transport failed' },
} as const satisfies Record<string, FailureKind>;

/** Stable: codes are added, never renamed. Each is explained in docs/failures.md. */
export type PQErrorCode = CommonCode | SeldomCode;
export type CommonCode = keyof typeof FAILURES;

/** The ES module and the CommonJS copy of this package in one process know each other's objects by this. */
const BRAND = Symbol.for('pq-websocket.error');

/**
 * The cause of a failed connection, at `socket.pq.failure` and in `ws`-style `error` events.
 *
 * `origin` tells whether this end found the failure itself (`'local'`) or only the transport, which is not
 * authenticated, claims it (`'transport'`).
 *
 * `instanceof` tells those of every copy of this package.
 */
export class PQWebSocketError extends Error {
  override readonly name = 'PQWebSocketError';

  constructor(
    readonly code: PQErrorCode,
    /** The transport close code that goes with it, or undefined where there is none. */
    readonly closeCode: number | undefined,
    readonly origin: 'local' | 'transport',
    options?: ErrorOptions,
    /** That of the code. */
    message: string = FAILURES[code as CommonCode].message,
  ) {
    super(message, options);
    define(this, BRAND, { value: true });
  }

  /** By a brand, so that errors of the package's other copy (ES module or CommonJS) are told too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // What extends this class asks for more than the brand. Named by its own member: a bundler renames a class that names itself.
    if (!Object.hasOwn(this, Symbol.hasInstance)) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}
