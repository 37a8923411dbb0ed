/** The option `identity`, of either end. */
import type { ServerAuthenticationOptions } from '../api/types.ts';
import { isUint8Array } from '../base/brands.ts';
import type { Identity } from '../protocol/signer.ts';
import { readPin } from './pins.ts';

/**
 * @param needsKey whether who verifies has to be told the public key, so that a bare function does not do
 * @throws {TypeError} for what is none by its kind; what is in a secret key is looked at by who signs
 */
export function readIdentity(
  where: string,
  identity: NonNullable<ServerAuthenticationOptions['identity']>,
  needsKey = false,
): Identity {
  if (typeof identity === 'function') {
    if (needsKey) throw new TypeError(`${where}: option 'identity' needs the public key: { sign, publicKey }`);
    return { sign: identity, publicKey: undefined };
  }
  if (typeof identity === 'object' && 'sign' in identity) {
    const pin = readPin(where, 'identity.publicKey', identity.publicKey);
    if (pin.type === 'fingerprint') throw new TypeError(`${where}: option 'identity.publicKey' must be a key`);
    return { sign: (message, work) => identity.sign(message, work), publicKey: pin.bytes };
  }
  if (typeof identity !== 'string' && !isUint8Array(identity)) {
    throw new TypeError(
      `${where}: option 'identity' must be a secret key (bytes or PEM), a function, or { sign, publicKey }`,
    );
  }
  return { secret: identity };
}
