/**
 * Single-bit changes of a real document are refused: every one in the soak, every 31st else. The signatures are judged by node:crypto's
 * ES384, which takes a fifth of the portable one's time; nitro-es384.test.ts shows that the two agree. Every 61st
 * change in the soak, every 307th else, also meets the portable one, and all do when NITRO_ALL_BITS is set (some minutes).
 */
import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { NitroError, verifyNitroDocument } from '../../packages/nitro/src/index.ts';
import type * as Certificates from '../../packages/nitro/src/nitro/certificate.ts';
import type * as Es384 from '../../packages/nitro/src/nitro/es384.ts';
import { BIT_STEP, times } from '../support/soak.ts';
import { realDocument, realOptions } from './nitro-real.ts';

const native = vi.hoisted(() => ({ on: true, calls: 0 }));

const keys = new Map<string, KeyObject>();

function keyObject(point: Uint8Array): KeyObject {
  const [x, y] = [point.subarray(1, 49), point.subarray(49)].map((part) => Buffer.from(part).toString('base64url')) as [
    string,
    string,
  ];
  const known = keys.get(x + y) ?? createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-384', x, y } });
  keys.set(x + y, known);
  return known;
}

vi.mock('../../packages/nitro/src/nitro/es384.ts', async (original) => {
  const portable = await original<typeof Es384>();
  const verifyEs384: typeof portable.verifyEs384 = (publicKey, message, signature, format) => {
    if (!native.on) return portable.verifyEs384(publicKey, message, signature, format);
    native.calls += 1;
    const encoding = format === 'der' ? 'der' : 'ieee-p1363';
    return verify('sha384', message, { key: keyObject(publicKey), dsaEncoding: encoding }, signature);
  };
  return { ...portable, verifyEs384 };
});

// Most changes leave the leaf as it is, and reading it takes as long as a signature.
vi.mock('../../packages/nitro/src/nitro/certificate.ts', async (original) => {
  const { parseCertificate, ...rest } = await original<typeof Certificates>();
  const read = new Map<string, Certificates.Certificate>();
  const remembered: typeof parseCertificate = (der) => {
    const name = Buffer.from(der).toString('latin1');
    const certificate = read.get(name) ?? parseCertificate(der);
    if (read.size < 64) read.set(name, certificate);
    return certificate;
  };
  return { ...rest, parseCertificate: remembered };
});

const bits = 4822 * 8;
const SAMPLE = times(61, 307);
const PARTS = 8;

const real = realDocument('single-bit changes of the real AWS Nitro document');

describe.runIf(real !== undefined)('a real document with one bit changed', () => {
  // Skipped suites are collected all the same.
  const given = (real ?? {}) as NonNullable<typeof real>;
  const options = realOptions(given);

  async function refused(bit: number): Promise<boolean> {
    const changed = given.document.slice();
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (0x80 >> (bit & 7));
    return verifyNitroDocument(changed, options).then(
      () => false,
      (error: unknown) => error instanceof NitroError,
    );
  }

  /** Bits whose change is not refused with a NitroError. */
  async function notRefused(from: number, to: number, step: number): Promise<number[]> {
    const found: number[] = [];
    for (let bit = from; bit < to; bit += step) if (!(await refused(bit))) found.push(bit);
    return found;
  }

  it('has as many bits as it should, and is accepted unchanged by both', async () => {
    expect(given.document.length * 8).toBe(bits);
    for (const on of [true, false]) {
      native.on = on;
      await expect(verifyNitroDocument(given.document, options)).resolves.toBeDefined();
    }
    expect(native.calls).toBe(5);
  });

  const size = Math.ceil(bits / PARTS);
  for (let part = 0; part < PARTS; part += 1) {
    it(
      `is refused: bits ${part * size} to ${Math.min((part + 1) * size, bits) - 1}`,
      { timeout: 120_000 },
      async () => {
        native.on = true;
        expect(await notRefused(part * size, Math.min((part + 1) * size, bits), BIT_STEP)).toEqual([]);
      },
    );
  }

  const all = (process.env['NITRO_ALL_BITS'] ?? '') !== '';
  it(
    `is refused by the portable ES384: ${all ? 'every bit' : `one bit in ${SAMPLE}`}`,
    { timeout: 1_800_000 },
    async () => {
      native.on = false;
      expect(await notRefused(0, bits, all ? 1 : SAMPLE)).toEqual([]);
    },
  );
});
