/** Whatever signs for an identity: a key that we hold, or one that an HSM or a KMS does. */
import { platform } from '#platform';
import type { IdentitySigner, ServerAuthenticationOptions } from '../api/types.ts';
import { isUint8Array } from '../base/brands.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { chain, finish, isPromise } from '../base/maybe-promise.ts';
import { readSecretKeyPem } from '../crypto/key-files.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { checkSecretLength, SIGNATURE_BYTES } from '../crypto/signature.ts';
import type { ServerCredentials } from '../protocol/authentication.ts';
import { readPin } from './pins.ts';

type Identity = NonNullable<ServerAuthenticationOptions['identity']>;

/**
 * @param needsKey whether who verifies has to be told the public key, so that a bare function does not do
 * @throws {TypeError | RangeError} for a key that is none
 */
export function signer(where: string, identity: Identity, needsKey = false): NonNullable<ServerCredentials['sign']> {
  if (typeof identity === 'function') {
    if (needsKey) throw new TypeError(`${where}: option 'identity' needs the public key: { sign, publicKey }`);
    return external(identity, undefined);
  }
  if (isSigner(identity)) {
    const pin = readPin(where, 'identity.publicKey', identity.publicKey);
    if (pin.type === 'fingerprint') throw new TypeError(`${where}: option 'identity.publicKey' must be a key`);
    return external((message, work) => identity.sign(message, work), pin.bytes);
  }
  const key = signingKey(where, identity);
  return (message) => chain(key, (present) => ({ signature: present.sign(message), publicKey: present.publicKey }));
}

/** Bytes are a key, whatever a polluted `Object.prototype` has; a signer may be an object of a class, with its method there. */
function isSigner(identity: Identity): identity is Extract<Identity, { sign: unknown }> {
  return (
    typeof identity === 'object' &&
    (identity as object | null) !== null &&
    !isUint8Array(identity) &&
    'sign' in identity
  );
}

/** A signer that is not ours: an HSM, a KMS. */
function external(sign: IdentitySigner, publicKey: Uint8Array | undefined): NonNullable<ServerCredentials['sign']> {
  return (message, signal) =>
    chain(sign(message, { signal }), (signature) => {
      if (!isUint8Array(signature) || signature.length !== SIGNATURE_BYTES) {
        throw new TypeError(`identity: sign() gave no ML-DSA-65 signature of ${SIGNATURE_BYTES} bytes`);
      }
      return { signature, publicKey };
    });
}

function signingKey(where: string, identity: Uint8Array | string): MaybePromise<SigningKey> {
  const secret = typeof identity === 'string' ? readSecretKeyPem(identity) : identity;
  if (!isUint8Array(secret)) {
    throw new TypeError(
      `${where}: option 'identity' must be a secret key (bytes or PEM), a function, or { sign, publicKey }`,
    );
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
