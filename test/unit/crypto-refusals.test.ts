/** What the backends refuse: the same calls, with the same error, whatever lies beneath. */
import { describe, expect, it } from 'vitest';
import { KemInputError, type CryptoBackend } from '../../src/crypto/backend.ts';
import { nobleBackend } from '../../src/crypto/noble/backend.ts';
import { backends, EMPTY, errorOf, keyOf, pattern } from './crypto-fixtures.ts';

const KEY = pattern(32, 3);
const AAD = pattern(8, 40);

/** Wrong calls, with the error that each backend must give. */
const refusals: [string, (backend: CryptoBackend) => unknown, new (...given: never[]) => Error, RegExp][] = [
  ['seed, short', (b) => b.generateKeyPair(pattern(63)), RangeError, /64 bytes, got 63/],
  ['seed, long', (b) => b.generateKeyPair(pattern(65)), RangeError, /64 bytes, got 65/],
  ['seed, no bytes', (b) => b.generateKeyPair('x' as never), TypeError, /Uint8Array, got string/],
  ['key, short', (b) => b.encapsulate(new Uint8Array(1183)), KemInputError, /1184 bytes, got 1183/],
  ['key, long', (b) => b.encapsulate(new Uint8Array(1185)), KemInputError, /1184 bytes, got 1185/],
  ['key, no bytes', (b) => b.encapsulate(null as never), TypeError, /Uint8Array, got null/],
  ['key, words', (b) => b.encapsulate(new Uint16Array(1184) as never), TypeError, /Uint8Array, got object/],
  ['key, coefficient', (b) => b.encapsulate(new Uint8Array(1184).fill(0xff)), KemInputError, /not below 3329/],
  ['m, short', (b) => b.encapsulate(new Uint8Array(1184), pattern(31)), RangeError, /32 bytes, got 31/],
  ['secret, no bytes', (b) => b.importSecret([1] as never), TypeError, /Uint8Array, got object/],
  ['hash, no bytes', (b) => b.sha256('x' as never), TypeError, /Uint8Array, got string/],
  ...[0, -1, 8161, 1.5, Number.NaN, Infinity, '32' as never].map((length): (typeof refusals)[number] => [
    `HKDF length ${length}`,
    async (b) => b.deriveBytes(await b.importSecret(KEY), EMPTY, EMPTY, length),
    RangeError,
    /from 1 to 8160/,
  ]),
  [
    'HKDF info, long',
    async (b) => b.deriveBytes(await b.importSecret(KEY), EMPTY, new Uint8Array(1025), 32),
    RangeError,
    /at most 1024 bytes, got 1025/,
  ],
  [
    'HKDF info of a key, long',
    async (b) => b.deriveKey(await b.importSecret(KEY), EMPTY, new Uint8Array(1025)),
    RangeError,
    /at most 1024 bytes, got 1025/,
  ],
  ...[0, 16, 31, 33].map((size): (typeof refusals)[number] => [
    `AES key of ${size} bytes`,
    async (b) => b.importKey(await b.importSecret(pattern(size))),
    RangeError,
    new RegExp(`32 bytes, got ${size}$`),
  ]),
  ['frame, short', async (b) => (await keyOf(b, KEY)).seal(new Uint8Array(27), AAD), RangeError, /at least 28 bytes/],
  ['frame, no bytes', async (b) => (await keyOf(b, KEY)).open({} as never, AAD), TypeError, /got object/],
  [
    'no additional data',
    async (b) => (await keyOf(b, KEY)).seal(pattern(40), undefined as never),
    TypeError,
    /got undefined/,
  ],
  ...[0, 1087, 1089].map((size): (typeof refusals)[number] => [
    `ciphertext of ${size} bytes`,
    async (b) => (await b.generateKeyPair(pattern(64))).decapsulate(new Uint8Array(size)),
    KemInputError,
    new RegExp(`1088 bytes, got ${size}$`),
  ]),
];

describe('every backend refuses alike', () => {
  it.each(refusals)('%s', async (_name, use, type, message) => {
    const errors = await Promise.all(backends.map((backend) => errorOf(() => use(backend))));
    for (const error of errors) {
      expect(error).toBeInstanceOf(type);
      expect(String(error)).toMatch(message);
      expect(String(error)).toBe(String(errors[0]));
    }
  });

  it('each coefficient of an encapsulation key from 3329 on, at every place', async () => {
    const key = (await nobleBackend.generateKeyPair(pattern(64))).encapsulationKey;
    for (let index = 0; index < 768; index += 1) {
      const changed = key.slice();
      const at = 3 * (index >> 1) + (index & 1);
      // 3328 = 0xd00 and 3329 = 0xd01, in the lower or the upper 12 of 24 bits.
      const set = (value: number): void => {
        const shift = 4 * (index & 1);
        const word = (changed[at]! | (changed[at + 1]! << 8)) & ~(0xfff << shift);
        changed[at] = (word | (value << shift)) & 0xff;
        changed[at + 1] = (word | (value << shift)) >> 8;
      };
      set(3329);
      for (const backend of backends) {
        const error = await errorOf(() => backend.encapsulate(changed));
        expect((error as KemInputError).reason, `${backend.name}, coefficient ${index}`).toBe('modulus');
      }
      set(3328);
      expect(await errorOf(() => nobleBackend.encapsulate(changed)), `coefficient ${index}`).toBeUndefined();
    }
  });
});
