/** The options by which a client knows its server: `serverKeys` and `verifyAttestation`. */
import { platform } from '#platform';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { fromHex, readPublicKeyPem } from '../crypto/key-files.ts';
import { SIGNATURE_PUBLIC_KEY_BYTES } from '../crypto/signature.ts';
import type { ClientDemands } from '../protocol/authentication.ts';
import { equalBytes, fromBase64 } from '../base/bytes.ts';
import { chain } from '../base/maybe-promise.ts';
import type { AttestationContext, ClientAuthenticationOptions, ServerKey } from '../api/types.ts';
import { isUint8Array } from '../base/brands.ts';

export const CLIENT_AUTHENTICATION_OPTIONS = ['serverKeys', 'verifyAttestation'] as const;

/** A pinned key, or the SHA-256 of one. */
interface Pin {
  readonly type: 'key' | 'fingerprint';
  readonly bytes: Uint8Array;
}

const FINGERPRINT = /^sha256:([0-9a-f]{64})$/i;

/**
 * @param url the socket's, for the application's verifier
 * @throws {TypeError | RangeError} for a pin that is none
 */
export function clientDemands(where: string, options: ClientAuthenticationOptions, url: string): ClientDemands {
  const { serverKeys, verifyAttestation } = options;
  if (verifyAttestation !== undefined && typeof verifyAttestation !== 'function') {
    throw new TypeError(`${where}: option 'verifyAttestation' must be a function`);
  }
  const pins = serverKeys === undefined ? undefined : readPins(where, serverKeys);
  return {
    verifySignature: pins && ((message, signature, publicKey) => verifyByPins(pins, message, signature, publicKey)),
    verifyAttestation:
      verifyAttestation &&
      ((document, userData, transcriptHash): MaybePromise<void> =>
        callVerifier(verifyAttestation, document, { profile: 'v1', url, userData, transcriptHash })),
  };
}

/** Throws or rejects where the application's verifier refuses. */
export function callVerifier(
  verify: (document: Uint8Array, context: AttestationContext) => void | Promise<void>,
  document: Uint8Array,
  context: AttestationContext,
): MaybePromise<void> {
  return chain(verify(document, context) as MaybePromise<unknown>, (result) => {
    // A verifier that says no in the other usual way must not be taken for one that says nothing.
    if (result === false) throw new Error('verifyAttestation gave false');
  });
}

function readPins(where: string, serverKeys: ServerKey | readonly ServerKey[]): Pin[] {
  const keys = Array.isArray(serverKeys) ? (serverKeys as readonly ServerKey[]) : [serverKeys as ServerKey];
  if (keys.length === 0) throw new TypeError(`${where}: option 'serverKeys' must name at least one key`);
  return keys.map((key) => readPin(where, 'serverKeys', key));
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

/** Valid by one of the pins: of several, any, so that keys can be rotated. */
function verifyByPins(
  pins: readonly Pin[],
  message: Uint8Array,
  signature: Uint8Array,
  sentKey: Uint8Array | undefined,
): MaybePromise<boolean> {
  return chain(trustedKeys(pins, sentKey), (keys) =>
    chain(platform.signatures(), (signatures) => keys.some((key) => signatures.verify(key, message, signature))),
  );
}

/** The pinned keys, and the one that the server sent if its fingerprint is pinned. */
function trustedKeys(pins: readonly Pin[], sentKey: Uint8Array | undefined): MaybePromise<Uint8Array[]> {
  const keys = pins.filter(({ type }) => type === 'key').map(({ bytes }) => bytes);
  const fingerprints = pins.filter(({ type }) => type === 'fingerprint');
  if (sentKey === undefined || fingerprints.length === 0) return keys;
  return chain(platform.backend().sha256(sentKey), (hash) =>
    fingerprints.some(({ bytes }) => equalBytes(bytes, hash)) ? [...keys, sentKey] : keys,
  );
}
