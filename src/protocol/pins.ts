/** Pinned ML-DSA-65 keys, of servers and of clients. */
import type { ServerKey } from '../api/types.ts';
import { isUint8Array } from '../base/brands.ts';
import { fromBase64 } from '../base/bytes.ts';
import { fromHex, readPublicKeyPem } from '../crypto/key-files.ts';
import { SIGNATURE_PUBLIC_KEY_BYTES } from '../crypto/signature.ts';
import type { Pin } from './pinned-keys.ts';

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
