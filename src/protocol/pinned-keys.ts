/** Whether a signature is by a pinned ML-DSA-65 key, of a server or of a client. */
import { equalBytes } from '../base/bytes.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { chain } from '../base/maybe-promise.ts';
import type { SignatureScheme } from '../crypto/signature.ts';

/** A pinned key, or the SHA-256 of one. */
export interface Pin {
  readonly type: 'key' | 'fingerprint';
  readonly bytes: Uint8Array;
}

/** What the platform lends to who signs or verifies. */
export interface LentCryptography {
  readonly signatures: () => MaybePromise<SignatureScheme>;
  readonly sha256: (data: Uint8Array) => MaybePromise<Uint8Array>;
}

/**
 * Of several pins any, so that keys can be rotated.
 * @param only the one key that it may be by
 * @returns the key that made the signature, or undefined
 */
export function verifyByPins(
  lent: LentCryptography,
  pins: readonly Pin[],
  message: Uint8Array,
  signature: Uint8Array,
  sentKey: Uint8Array | undefined,
  only: Uint8Array | undefined,
): MaybePromise<Uint8Array | undefined> {
  return chain(only === undefined ? trustedKeys(lent, pins, sentKey) : [only], (keys) =>
    chain(lent.signatures(), (signatures) => keys.find((key) => signatures.verify(key, message, signature))),
  );
}

/** Whether the key is pinned, itself or by its fingerprint. */
export function isPinned(lent: LentCryptography, pins: readonly Pin[], key: Uint8Array): MaybePromise<boolean> {
  return chain(trustedKeys(lent, pins, key), (keys) => keys.some((pinned) => equalBytes(pinned, key)));
}

/** The pinned keys, and the one that was sent if its fingerprint is pinned. */
function trustedKeys(
  { sha256 }: LentCryptography,
  pins: readonly Pin[],
  sentKey: Uint8Array | undefined,
): MaybePromise<Uint8Array[]> {
  const keys = pins.filter(({ type }) => type === 'key').map(({ bytes }) => bytes);
  const fingerprints = pins.filter(({ type }) => type === 'fingerprint');
  if (sentKey === undefined || fingerprints.length === 0) return keys;
  return chain(sha256(sentKey), (hash) =>
    fingerprints.some(({ bytes }) => equalBytes(bytes, hash)) ? [...keys, sentKey] : keys,
  );
}
