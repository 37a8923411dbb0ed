/** Whatever signs for an identity: a key that we hold, or one that an HSM or a KMS does. */
import { isUint8Array } from '../base/brands.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { chain, finish, isPromise } from '../base/maybe-promise.ts';
import type { IdentitySigner } from '../api/types.ts';
import { readSecretKeyPem } from '../crypto/key-files.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { checkSecretLength, SIGNATURE_BYTES } from '../crypto/signature.ts';
import type { ServerCredentials } from './authentication.ts';
import type { LentCryptography } from './pinned-keys.ts';

/** A secret key, in bytes or PEM; or who signs, with the public key where it is known. */
export type Identity =
  | { readonly type: 'key'; readonly secret: Uint8Array | string }
  | { readonly type: 'external'; readonly sign: IdentitySigner; readonly publicKey: Uint8Array | undefined };

/** @throws {TypeError | RangeError} for a secret key that is none */
export function signer(
  { signatures }: Pick<LentCryptography, 'signatures'>,
  identity: Identity,
): NonNullable<ServerCredentials['sign']> {
  if (identity.type === 'external') return external(identity.sign, identity.publicKey);
  const key = signingKey(signatures, identity.secret);
  return (message) => chain(key, (present) => ({ signature: present.sign(message), publicKey: present.publicKey }));
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

function signingKey(signatures: LentCryptography['signatures'], given: Uint8Array | string): MaybePromise<SigningKey> {
  const secret = typeof given === 'string' ? readSecretKeyPem(given) : given;
  checkSecretLength(secret);
  const key = finish(
    () => chain(signatures(), (scheme) => scheme.signingKey(secret)),
    () => {
      // What was read out of PEM is ours to overwrite; bytes are the caller's.
      if (secret !== given) secret.fill(0);
    },
  );
  // A key that turns out wrong later fails every handshake with PQ_ERR_IDENTITY; it must not fail the process.
  if (isPromise(key)) key.catch(() => undefined);
  return key;
}
