/** Failures of what is loaded for few connections, or runs on servers alone (./errors.ts has the others): a page's first file has none of them. */

export interface FailureKind {
  /** Close code once the peer's Finished is accepted; before that everything but 3769 and 3770 is 3768. */
  readonly closeCode: number | undefined;
  readonly message: string;
}

export const SELDOM_FAILURES = {
  PQ_ERR_KEM: { closeCode: 3768, message: 'encapsulation key or ciphertext refused' },
  PQ_ERR_SIGNATURE_MISSING: { closeCode: 3770, message: 'server signature missing' },
  PQ_ERR_SIGNATURE_INVALID: { closeCode: 3770, message: 'server signature refused' },
  PQ_ERR_ATTESTATION_MISSING: { closeCode: 3770, message: 'attestation missing' },
  PQ_ERR_EXCHANGE_TIMEOUT: { closeCode: 3769, message: 'exchange timed out' },
  PQ_ERR_PING: { closeCode: 3772, message: 'malformed ping or pong' },
  PQ_ERR_OVERLOAD: { closeCode: 1013, message: 'too many pending handshakes' },
  PQ_ERR_GOING_AWAY: { closeCode: 1001, message: 'server is closing' },
} as const satisfies Record<string, FailureKind>;

export type SeldomCode = keyof typeof SELDOM_FAILURES;
