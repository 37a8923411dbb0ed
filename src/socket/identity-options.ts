/** The options that say who a server is: `serverKeys` and `verifyAttestation`, `identity` and `attest`. */
import { platform } from '#platform';
import type { MaybePromise } from '../crypto/backend.ts';
import { readPublicKeyPem, readSecretKeyPem } from '../crypto/key-files.ts';
import type { SigningKey } from '../crypto/signature.ts';
import {
  checkSecretLength,
  SIGNATURE_BYTES,
  SIGNATURE_PUBLIC_KEY_BYTES,
} from '../crypto/signature.ts';
import type { ClientDemands, ServerCredentials } from '../protocol/authentication.ts';
import { equalBytes, fromBase64 } from '../protocol/bytes.ts';
import { chain, finish, isPromise } from '../protocol/maybe-promise.ts';
import { isUint8Array } from './webidl.ts';
import type { AttestationContext, ClientAuthenticationOptions, ServerAuthenticationOptions, ServerKey } from '../types.ts';

export const CLIENT_AUTHENTICATION_OPTIONS = ['serverKeys', 'verifyAttestation'] as const;
export const SERVER_AUTHENTICATION_OPTIONS = ['identity', 'attest'] as const;

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

/** @throws {TypeError | RangeError} for a key that is none */
export function serverCredentials(where: string, options: ServerAuthenticationOptions): ServerCredentials {
  const { identity, attest } = options;
  if (attest !== undefined && typeof attest !== 'function') {
    throw new TypeError(`${where}: option 'attest' must be a function`);
  }
  return {
    sign: identity === undefined ? undefined : signer(where, identity),
    attest:
      attest &&
      ((userData, transcriptHash): MaybePromise<Uint8Array> =>
        callAttester(attest, transcriptHash, { profile: 'v1', userData })),
  };
}

/** Throws or rejects where the application's `attest` fails, or gives no document. */
export function callAttester(
  attest: NonNullable<ServerAuthenticationOptions['attest']>,
  ...[transcriptHash, request]: Parameters<typeof attest>
): MaybePromise<Uint8Array> {
  return chain(attest(transcriptHash, request) as MaybePromise<Uint8Array>, (document) => {
    if (isUint8Array(document) && document.length > 0) return document;
    throw new TypeError('attest gave no bytes');
  });
}

function signer(
  where: string,
  identity: NonNullable<ServerAuthenticationOptions['identity']>,
): NonNullable<ServerCredentials['sign']> {
  if (typeof identity === 'function') return external(identity, undefined);
  if (typeof identity === 'object' && 'sign' in identity) {
    const pin = readPin(where, 'identity.publicKey', identity.publicKey);
    if (pin.type === 'fingerprint') throw new TypeError(`${where}: option 'identity.publicKey' must be a key`);
    return external((message) => identity.sign(message), pin.bytes);
  }
  const key = signingKey(where, identity);
  return (message) =>
    chain(key, (present) => ({ signature: present.sign(message), publicKey: present.publicKey }));
}

/** A signer that is not ours: an HSM, a KMS. */
function external(
  sign: (message: Uint8Array) => Uint8Array | Promise<Uint8Array>,
  publicKey: Uint8Array | undefined,
): NonNullable<ServerCredentials['sign']> {
  return (message) =>
    chain(sign(message), (signature) => {
      if (!isUint8Array(signature) || signature.length !== SIGNATURE_BYTES) {
        throw new TypeError(`identity: sign() gave no ML-DSA-65 signature of ${SIGNATURE_BYTES} bytes`);
      }
      return { signature, publicKey };
    });
}

function signingKey(where: string, identity: Uint8Array | string): MaybePromise<SigningKey> {
  const secret = typeof identity === 'string' ? readSecretKeyPem(identity) : identity;
  if (!isUint8Array(secret)) {
    throw new TypeError(`${where}: option 'identity' must be a secret key (bytes or PEM), a function, or { sign, publicKey }`);
  }
  checkSecretLength(secret);
  const key = finish(
    () => chain(platform.signatures(), (signatures) => signatures.signingKey(secret)),
    () => {
      // What was read out of PEM is ours to overwrite; bytes are the caller's.
      if (secret !== identity) secret.fill(0);
    },
  );
  // A key that turns out wrong later fails every handshake with PQ_ERR_IDENTITY; it must not fail the process.
  if (isPromise(key)) key.catch(() => undefined);
  return key;
}

function readPins(where: string, serverKeys: ServerKey | readonly ServerKey[]): Pin[] {
  const keys = Array.isArray(serverKeys) ? (serverKeys as readonly ServerKey[]) : [serverKeys as ServerKey];
  if (keys.length === 0) throw new TypeError(`${where}: option 'serverKeys' must name at least one key`);
  return keys.map((key) => readPin(where, 'serverKeys', key));
}

function readPin(where: string, name: string, key: ServerKey): Pin {
  const expected =
    `${where}: option '${name}' must be an ML-DSA-65 public key (${SIGNATURE_PUBLIC_KEY_BYTES} bytes, their base64, ` +
    `or PEM) or 'sha256:' and 64 hex digits`;
  if (typeof key === 'string') {
    const fingerprint = FINGERPRINT.exec(key.trim())?.[1];
    if (fingerprint !== undefined) {
      const bytes = Uint8Array.from(fingerprint.match(/../g) ?? [], (pair) => parseInt(pair, 16));
      return { type: 'fingerprint', bytes };
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
