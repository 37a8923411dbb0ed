/** Wycheproof's ML-DSA-65 vectors, against noble and against node:crypto where this Node has it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { nobleSignatures } from '../../src/crypto/noble/signature.ts';
import { nodeSignatures } from '../../src/crypto/node/signature.ts';
import { sharedVectors } from '../support/shared-vectors.ts';

interface Case {
  readonly tcId: number;
  readonly msg?: string;
  readonly sig: string;
  readonly ctx?: string;
  readonly result: 'valid' | 'invalid';
  readonly flags: readonly string[];
}
interface Group {
  readonly publicKey?: string;
  readonly privateSeed?: string;
  readonly tests: readonly Case[];
}

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const folder = sharedVectors("Wycheproof's ML-DSA-65");

function load(name: string): Group[] {
  const { testGroups } = JSON.parse(readFileSync(path.join(folder ?? '', 'wycheproof', name), 'utf8')) as {
    testGroups: Group[];
  };
  return testGroups;
}

/** Our scheme has neither a context nor an externally computed mu (FIPS 204 5.2 with an empty context). */
const isPure = ({ ctx, msg, flags }: Case): boolean => !ctx && msg !== undefined && !flags.includes('Internal');

const schemes = [nobleSignatures, nodeSignatures()];

test('node:crypto has ML-DSA where the tests run', () => {
  expect(nodeSignatures().name).toBe('node');
});

describe.skipIf(folder === undefined).each(schemes)('ML-DSA-65, $name', (scheme) => {
  test('verify', () => {
    let cases = 0;
    for (const { publicKey, tests } of load('mldsa_65_verify_test.json')) {
      for (const test of tests.filter(isPure)) {
        cases += 1;
        const valid = scheme.verify(hex(publicKey ?? ''), hex(test.msg ?? ''), hex(test.sig));
        expect(valid, `tcId ${test.tcId}`).toBe(test.result === 'valid');
      }
    }
    expect(cases).toBeGreaterThan(190);
  });

  test('sign from seed', () => {
    let cases = 0;
    for (const { privateSeed, publicKey, tests } of load('mldsa_65_sign_seed_test.json')) {
      for (const test of tests.filter(isPure)) {
        cases += 1;
        const seed = hex(privateSeed ?? '');
        if (test.flags.includes('IncorrectPrivateKeyLength')) {
          expect(() => scheme.signingKey(seed), `tcId ${test.tcId}`).toThrow(RangeError);
          continue;
        }
        const key = scheme.signingKey(seed);
        expect(Buffer.from(key.publicKey).toString('hex')).toBe(publicKey);
        // Ours is hedged, so the bytes differ; each implementation judges the other's.
        const message = hex(test.msg ?? '');
        const signature = key.sign(message);
        for (const judge of schemes) {
          expect(judge.verify(key.publicKey, message, signature), `tcId ${test.tcId}`).toBe(true);
          expect(judge.verify(key.publicKey, message, hex(test.sig)), `tcId ${test.tcId}`).toBe(
            test.result === 'valid',
          );
        }
        key.destroy();
        expect(() => key.sign(message)).toThrow(/destroyed/);
      }
    }
    expect(cases).toBeGreaterThan(70);
  });
});
