/** Pinned ML-DSA-65 keys, of servers and of clients. */
import { platform } from '#platform';
import type { ServerKey } from '../api/types.ts';
import { isUint8Array } from '../base/brands.ts';
import { equalBytes, fromBase64 } from '../base/bytes.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { chain } from '../base/maybe-promise.ts';
import { fromHex, readPublicKeyPem } from '../crypto/key-files.ts';
import { SIGNATURE_PUBLIC_KEY_BYTES } from '../crypto/signature.ts';

/** A pinned key, or the SHA-256 of one. */
export interface Pin {
  readonly type: 'key' | 'fingerprint';
  readonly bytes: Uint8Array;
}

const FINGERPRINT = /^sha256:([0-9a-f]{64})$/i;

/** @throws {TypeError} that names the option */
export function readPins(where: string, name: string, pinned: ServerKey | readonly ServerKey[]): Pin[] {
  const keys = Array.isArray(pinned) ? (pinned as readonly ServerKey[]) : [pinned as ServerKey];
  if (keys.length === 0) throw new TypeError(`${where}: option '${name}' must name at least one key`);
  return keys.map((key) => readPin(where, name, key));
}

/** @throws {TypeError} that names the option */
export function readPin(where: string, name: string, key: ServerKey): Pin {
  const expected =
    `${where}: option '${name}' must be an ML-DSA-65 public key (${SIGNATURE_PUBLIC_KEY_BYTES} bytes, their base64, ` +
    `or PEM) or 'sha256:' and 64 hex digits`;
  if (typeof key === 'string') {
    const fingerprint = FINGERPRINT.exec(key.trim())?.[1];
    if (fingerprint !== undefined) {
      return { type: 'fingerprint', bytes: fromHex(fingerprint) };
    }
    if (key.includes('-----BEGIN')) return { type: 'key', bytes: readPublicKeyPem(key) };
  }
  const bytes = typeof key === 'string' ? fromBase64(key.trim()) : key;
  if (!isUint8Array(bytes) || bytes.length !== SIGNATURE_PUBLIC_KEY_BYTES) throw new TypeError(expected);
  return { type: 'key', bytes: bytes.slice() };
}

/**
 * Of several pins any, so that keys can be rotated.
 * @param only the one key that it may be by
 * @returns the key that made the signature, or undefined
 */
export function verifyByPins(
  pins: readonly Pin[],
  message: Uint8Array,
  signature: Uint8Array,
  sentKey: Uint8Array | undefined,
  only: Uint8Array | undefined,
): MaybePromise<Uint8Array | undefined> {
  return chain(only === undefined ? trustedKeys(pins, sentKey) : [only], (keys) =>
    chain(platform.signatures(), (signatures) => keys.find((key) => signatures.verify(key, message, signature))),
  );
}

/** Whether the key is pinned, itself or by its fingerprint. */
export function isPinned(pins: readonly Pin[], key: Uint8Array): MaybePromise<boolean> {
  return chain(trustedKeys(pins, key), (keys) => keys.some((pinned) => equalBytes(pinned, key)));
}

/** The pinned keys, and the one that was sent if its fingerprint is pinned. */
function trustedKeys(pins: readonly Pin[], sentKey: Uint8Array | undefined): MaybePromise<Uint8Array[]> {
  const keys = pins.filter(({ type }) => type === 'key').map(({ bytes }) => bytes);
  const fingerprints = pins.filter(({ type }) => type === 'fingerprint');
  if (sentKey === undefined || fingerprints.length === 0) return keys;
  return chain(platform.backend().sha256(sentKey), (hash) =>
    fingerprints.some(({ bytes }) => equalBytes(bytes, hash)) ? [...keys, sentKey] : keys,
  );
}
