/** The option `identity`, of either end. */
import type { ServerAuthenticationOptions } from '../api/types.ts';
import { isUint8Array } from '../base/brands.ts';
import type { Identity } from '../protocol/signer.ts';
import { readPin } from '../protocol/pins.ts';

type Given = NonNullable<ServerAuthenticationOptions['identity']>;

/**
 * @param needsKey whether who verifies has to be told the public key, so that a bare function does not do
 * @throws {TypeError} for what is none by its kind; what is in a secret key is looked at by who signs
 */
export function readIdentity(where: string, identity: Given, needsKey = false): Identity {
  if (typeof identity === 'function') {
    if (needsKey) throw new TypeError(`${where}: option 'identity' needs the public key: { sign, publicKey }`);
    return { type: 'external', sign: identity, publicKey: undefined };
  }
  if (isSigner(identity)) {
    const pin = readPin(where, 'identity.publicKey', identity.publicKey);
    if (pin.type === 'fingerprint') throw new TypeError(`${where}: option 'identity.publicKey' must be a key`);
    return { type: 'external', sign: (message, work) => identity.sign(message, work), publicKey: pin.bytes };
  }
  if (typeof identity !== 'string' && !isUint8Array(identity)) {
    throw new TypeError(
      `${where}: option 'identity' must be a secret key (bytes or PEM), a function, or { sign, publicKey }`,
    );
  }
  return { type: 'key', secret: identity };
}

/** Bytes are a key, whatever a polluted `Object.prototype` has; a signer may be an object of a class, with its method there. */
function isSigner(identity: Given): identity is Extract<Given, { sign: unknown }> {
  return (
    typeof identity === 'object' &&
    (identity as object | null) !== null &&
    !isUint8Array(identity) &&
    'sign' in identity
  );
}
