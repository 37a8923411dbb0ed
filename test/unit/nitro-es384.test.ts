/** The portable ES384 against node:crypto's: both accept and refuse the same signatures. */
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { p384 } from '@noble/curves/nist.js';
import { describe, expect, it } from 'vitest';
import { isP384PublicKey, verifyEs384 } from '../../packages/nitro/src/nitro/es384.ts';
import type { SignatureFormat } from '../../packages/nitro/src/nitro/es384.ts';
import { withByte } from './nitro-fixtures.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
// SubjectPublicKeyInfo ends with the point.
const point = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })).slice(-97);
const message = new TextEncoder().encode('a message');
const ENCODINGS = { compact: 'ieee-p1363', der: 'der' } as const;

function natively(bytes: Uint8Array, signature: Uint8Array, format: SignatureFormat): boolean {
  return verify('sha384', bytes, { key: publicKey, dsaEncoding: ENCODINGS[format] }, signature);
}

describe.each(['compact', 'der'] as const)('a %s signature', (format) => {
  const make = (): Uint8Array =>
    new Uint8Array(sign('sha384', message, { key: privateKey, dsaEncoding: ENCODINGS[format] }));

  it('of node:crypto verifies, whatever half its s is in', () => {
    for (let count = 0; count < 16; count += 1) expect(verifyEs384(point, message, make(), format)).toBe(true);
  });

  it('of the portable one verifies in node:crypto', () => {
    const secretKey = p384.utils.randomSecretKey();
    const key = createPublicKey({ format: 'jwk', key: jwk(p384.getPublicKey(secretKey, false)) });
    const signature = p384.sign(message, secretKey, { format, lowS: false });
    expect(verify('sha384', message, { key, dsaEncoding: ENCODINGS[format] }, signature)).toBe(true);
  });

  it('with a bit changed is refused by both', () => {
    const signature = make();
    // Every bit of each seventh byte, and of what frames DER.
    for (let bit = 0; bit < signature.length * 8; bit += 1) {
      if (bit >> 3 > 6 && (bit >> 3) % 7 !== 0) continue;
      const changed = signature.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(natively(message, changed, format)).toBe(false);
      expect(verifyEs384(point, message, changed, format)).toBe(false);
    }
  });

  it('of other lengths, zeros and the like is refused by both, without an exception', () => {
    const signature = make();
    const bad = [
      new Uint8Array(0),
      new Uint8Array(96),
      new Uint8Array(96).fill(0xff),
      signature.subarray(1),
      signature.subarray(0, -1),
      Uint8Array.of(...signature, 0),
      Uint8Array.of(0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00),
      Uint8Array.of(0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01),
    ];
    for (const bytes of bad) {
      expect(natively(message, bytes, format)).toBe(false);
      expect(verifyEs384(point, message, bytes, format)).toBe(false);
    }
  });

  it('over another message is refused', () => {
    expect(verifyEs384(point, withByte(message, 0, 0), make(), format)).toBe(false);
  });
});

it('a public key is a point of the curve, uncompressed', () => {
  expect(isP384PublicKey(point)).toBe(true);
  expect(isP384PublicKey(p384.Point.fromBytes(point).toBytes(true))).toBe(false);
  expect(isP384PublicKey(withByte(point, 96, (point[96] as number) ^ 1))).toBe(false);
  expect(isP384PublicKey(withByte(point, 0, 0x06))).toBe(false);
  expect(isP384PublicKey(new Uint8Array(97))).toBe(false);
  // The point at infinity.
  expect(isP384PublicKey(new Uint8Array(1))).toBe(false);
});

function jwk(bytes: Uint8Array): { kty: 'EC'; crv: 'P-384'; x: string; y: string } {
  const encode = (part: Uint8Array): string => Buffer.from(part).toString('base64url');
  return { kty: 'EC', crv: 'P-384', x: encode(bytes.subarray(1, 49)), y: encode(bytes.subarray(49)) };
}
