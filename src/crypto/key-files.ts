/**
 * ML-DSA-65 keys as PEM and DER (RFC 9881). The encodings have fixed lengths, so each is a constant prefix and bytes;
 * anything else is refused.
 */
import { SIGNATURE_PUBLIC_KEY_BYTES, SIGNATURE_SECRET_KEY_BYTES, SIGNATURE_SEED_BYTES } from './signature.ts';
import { atob, btoa } from '../base/captured.ts';

/** SubjectPublicKeyInfo of id-ml-dsa-65. */
const SPKI_PREFIX = '308207b2300b0609608648016503040312038207a100';
/** PrivateKeyInfo with the choices `seed`, `expandedKey` and `both`. */
const SEED_PREFIX = '3034020100300b060960864801650304031204228020';
const EXPANDED_PREFIX = '30820fd8020100300b060960864801650304031204820fc404820fc0';
const BOTH_PREFIX = '30820ffe020100300b060960864801650304031204820fea30820fe60420';
const BOTH_MIDDLE = '04820fc0';

/**
 * The raw public key in PEM text ("PUBLIC KEY").
 * @throws {TypeError} when it is not an ML-DSA-65 public key
 */
export function readPublicKeyPem(pem: string): Uint8Array {
  const der = readPem(pem, 'PUBLIC KEY');
  const key = der && afterPrefix(der, SPKI_PREFIX, SIGNATURE_PUBLIC_KEY_BYTES);
  if (key === undefined) throw new TypeError('not a PEM public key of ML-DSA-65 (RFC 9881)');
  return key;
}

/**
 * The seed, or the expanded secret key, in PEM text ("PRIVATE KEY"). The caller overwrites it when done.
 * @throws {TypeError} when it is not an ML-DSA-65 private key
 */
export function readSecretKeyPem(pem: string): Uint8Array {
  const der = readPem(pem, 'PRIVATE KEY');
  const key =
    der &&
    (afterPrefix(der, SEED_PREFIX, SIGNATURE_SEED_BYTES) ??
      afterPrefix(der, EXPANDED_PREFIX, SIGNATURE_SECRET_KEY_BYTES) ??
      seedOfBoth(der));
  der?.fill(0);
  if (key === undefined) throw new TypeError('not a PEM private key of ML-DSA-65 (RFC 9881)');
  return key;
}

/** The raw public key, 1952 bytes, as PEM text ("PUBLIC KEY"). */
export function writePublicKeyPem(publicKey: Uint8Array): string {
  return writePem(publicKeyDer(publicKey), 'PUBLIC KEY');
}

/** The 32-byte seed as PEM text ("PRIVATE KEY"), which is a secret too. */
export function writeSecretKeyPem(seed: Uint8Array): string {
  const der = secretKeyDer(seed);
  const pem = writePem(der, 'PRIVATE KEY');
  der.fill(0);
  return pem;
}

export function publicKeyDer(publicKey: Uint8Array): Uint8Array {
  return Uint8Array.of(...fromHex(SPKI_PREFIX), ...publicKey);
}

/** @param secret the 32-byte seed or the expanded 4032 bytes. The caller overwrites the result, a buffer of its own. */
export function secretKeyDer(secret: Uint8Array): Uint8Array {
  const prefix = secret.length === SIGNATURE_SEED_BYTES ? SEED_PREFIX : EXPANDED_PREFIX;
  return Uint8Array.of(...fromHex(prefix), ...secret);
}

function seedOfBoth(der: Uint8Array): Uint8Array | undefined {
  const middle = fromHex(BOTH_MIDDLE);
  const length = SIGNATURE_SEED_BYTES + middle.length + SIGNATURE_SECRET_KEY_BYTES;
  const both = afterPrefix(der, BOTH_PREFIX, length);
  if (both === undefined) return undefined;
  const between = both.subarray(SIGNATURE_SEED_BYTES);
  const seed = middle.every((byte, index) => byte === between[index]) ? both.slice(0, SIGNATURE_SEED_BYTES) : undefined;
  both.fill(0);
  return seed;
}

/** A copy of what follows the prefix, if prefix and length are right. */
function afterPrefix(der: Uint8Array, hex: string, length: number): Uint8Array | undefined {
  const prefix = fromHex(hex);
  if (der.length !== prefix.length + length) return undefined;
  return prefix.every((byte, index) => byte === der[index]) ? der.slice(prefix.length) : undefined;
}

/** RFC 7468, one block, nothing but white space around it. */
function readPem(pem: string, label: string): Uint8Array | undefined {
  const match = new RegExp(`^\\s*-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----\\s*$`).exec(pem);
  if (match === null) return undefined;
  try {
    return Uint8Array.from(atob((match[1] as string).replace(/\s/g, '')), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function writePem(der: Uint8Array, label: string): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
