/** `#check-client` of the script tag, which has attributes for some options and no way to give another. */
import type { ServerKey } from '../api/types.ts';
import { checkTagged } from './client-checks.ts';
import type { Checked } from './client-identity.ts';
import type { ClientOptions } from './profile.ts';

/** A fingerprint, or 1952 bytes in canonical base64: what reads them is loaded with what judges by them, and finds nothing wrong. */
const PIN = /^([sS][hH][aA]256:[\da-fA-F]{64}|[A-Za-z\d+/]{2602}[AEIMQUYcgkosw048]=)$/;

/** @throws {TypeError | RangeError} for an option that is wrong */
export function checkClient(where: string, options: ClientOptions): Checked {
  checkTagged(where, options);
  const { serverKeys } = options;
  if (serverKeys === undefined) return {};
  const list = (Array.isArray(serverKeys) ? serverKeys : [serverKeys]) as readonly ServerKey[];
  if (list.length === 0 || list.some((key) => typeof key !== 'string' || !PIN.test(key))) {
    throw new TypeError(
      `${where}: option 'serverKeys' must be ML-DSA-65 public keys (base64) or 'sha256:' and 64 hex digits`,
    );
  }
  return { pins: (code) => code.readPins(where, 'serverKeys', list) };
}
