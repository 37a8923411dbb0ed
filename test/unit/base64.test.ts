/** The wire's base64 against Node's, and against everything that is not canonical (RFC 4648 sections 3.5 and 4). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as node from '../../src/base/base64-node.ts';
import * as web from '../../src/base/base64.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Lax, but what it decodes it encodes again in the one canonical way. */
function canonical(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : undefined;
}

describe.each([
  ['of Node', node],
  ['of other platforms', web],
])('base64 %s', (_, { fromBase64, toBase64 }) => {
  test('any bytes, there and back, as Node writes them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        const text = toBase64(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64'));
        expect(fromBase64(text)).toEqual(bytes);
      }),
    );
  });

  test('any text is taken if it is canonical, and refused otherwise', () => {
    const nearly = fc.string({
      unit: fc.constantFrom(...ALPHABET, '=', '-', '_', '\n', ' ', '\u0141', '\u{1F512}'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(nearly, (text) => {
        expect(fromBase64(text)).toEqual(canonical(text));
      }),
      { numRuns: 5_000 },
    );
  });

  test('every last character, with each padding: only where the spare bits are zero', () => {
    for (const character of ALPHABET) {
      for (const text of [`A${character}==`, `AA${character}=`, `AAA${character}`])
        expect(fromBase64(text), text).toEqual(canonical(text));
    }
  });

  test.each([
    '=',
    '==',
    '===',
    '====',
    'A===',
    'AA=A',
    'A=AA',
    '=AAA',
    'AAAA=',
    'AAAA====',
    'AA==AAAA',
    'AA\n=',
    '\u00c1AAA',
  ])('refuses %j', (text) => {
    expect(fromBase64(text)).toBeUndefined();
  });
});
