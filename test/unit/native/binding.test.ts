/** The functions of pq-websocket-native as they are: what they refuse, and that no argument can hurt memory. */
import { createHash, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { NativeBinding } from '../../support/native.ts';
import { nativeBinding } from '../../support/native.ts';

const binding = nativeBinding('the tests of its functions');
const native = binding as NativeBinding;

const bytes = (length: number, fill = 1): Uint8Array => new Uint8Array(length).fill(fill);
/** What functions take in the place of what a vault holds. */
type Vault = ReturnType<NativeBinding['createVault']>;
type Place<Kind> = readonly [Vault, Kind];
type SecretNumber = ReturnType<NativeBinding['importSecret']>;
const held = <Kind>(put: (vault: Vault) => Kind): Place<Kind> => {
  const vault = native.createVault();
  return [vault, put(vault)];
};
const secretOf = (content: Uint8Array): Place<SecretNumber> => held((vault) => native.importSecret(vault, content));
const secret = (): Place<SecretNumber> => secretOf(bytes(32));
const key = (): Place<ReturnType<NativeBinding['importKey']>> =>
  held((vault) => native.importKey(vault, native.importSecret(vault, bytes(32))));
const pair = (): Place<ReturnType<NativeBinding['generateKeyPair']>> =>
  held((vault) => native.generateKeyPair(vault, 'ml-kem-768', bytes(1184)));
const vault = (): Vault => native.createVault();

/** ES2024's, which the compiler's libraries do not know yet. */
type Resizable = ArrayBuffer & { resize(length: number): void };

function resizable(length: number): Resizable {
  const Constructor = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => Resizable;
  return new Constructor(length, { maxByteLength: 2 * length });
}

/** What is no array of bytes in memory of its own. */
const NO_BYTES: readonly (readonly [string, () => unknown])[] = [
  ['undefined', () => undefined],
  ['a string', () => 'x'.repeat(64)],
  ['an array', () => Array.from(bytes(64))],
  ['an ArrayBuffer', () => new ArrayBuffer(64)],
  ['a DataView', () => new DataView(new ArrayBuffer(64))],
  ['words', () => new Uint16Array(64)],
  ['clamped bytes', () => new Uint8ClampedArray(64)],
  ['what only looks like bytes', () => Object.create(Uint8Array.prototype) as unknown],
  ['shared memory', () => new Uint8Array(new SharedArrayBuffer(64))],
  [
    'a proxy',
    () =>
      new Proxy(bytes(64), {
        get: () => {
          throw new Error('a property was read');
        },
      }),
  ],
];

/** Every place where bytes go in or out, with all else right. */
const PLACES: readonly (readonly [string, (given: Uint8Array) => unknown])[] = [
  ['generateKeyPair, key', (given) => native.generateKeyPair(vault(), 'ml-kem-768', given)],
  ['decapsulate, ciphertext', (given) => native.decapsulate(...pair(), given)],
  ['encapsulate, key', (given) => native.encapsulate(vault(), 'ml-kem-768', given, bytes(1088))],
  ['encapsulate, ciphertext', (given) => native.encapsulate(vault(), 'ml-kem-768', bytes(1184, 0), given)],
  ['importSecret', (given) => native.importSecret(vault(), given)],
  ['sha256, data', (given) => native.sha256(given, bytes(32))],
  ['sha256, hash', (given) => native.sha256(bytes(1), given)],
  ['deriveBytes, salt', (given) => native.deriveBytes(...secret(), given, bytes(1), bytes(1))],
  ['deriveBytes, info', (given) => native.deriveBytes(...secret(), bytes(1), given, bytes(1))],
  ['deriveBytes, output', (given) => native.deriveBytes(...secret(), bytes(1), bytes(1), given)],
  ['deriveSecret, salt', (given) => native.deriveSecret(...secret(), given, bytes(1))],
  ['deriveKey, info', (given) => native.deriveKey(...secret(), bytes(1), given)],
  ['seal, frame', (given) => native.seal(...key(), given, bytes(8), true)],
  ['seal, additional data', (given) => native.seal(...key(), bytes(40), given, true)],
  ['open, frame', (given) => native.open(...key(), given, bytes(8))],
  ['open, additional data', (given) => native.open(...key(), bytes(40), given)],
  ['random', (given) => native.random(given)],
  ['mask, source', (given) => native.mask(given, bytes(4), bytes(64), 0, 64)],
  ['mask, key', (given) => native.mask(bytes(64), given, bytes(64), 0, 64)],
  ['mask, output', (given) => native.mask(bytes(64), bytes(4), given, 0, 64)],
  ['unmask, buffer', (given) => native.unmask(given, bytes(4))],
  ['unmask, key', (given) => native.unmask(bytes(4), given)],
];

/** Where bytes may be left out, which is `undefined` too. */
const OPTIONAL: typeof PLACES = [
  ['generateKeyPair, seed', (given) => native.generateKeyPair(vault(), 'ml-kem-768', bytes(1184), given)],
  ['encapsulate, randomness', (given) => native.encapsulate(vault(), 'ml-kem-768', bytes(1184, 0), bytes(1088), given)],
  ['seal, content', (given) => native.seal(...key(), bytes(128), bytes(8), true, given)],
  ['open, target', (given) => native.open(...key(), bytes(64), bytes(8), given)],
];

describe.skipIf(binding === undefined)('pq-websocket-native', () => {
  describe.each([...PLACES, ...OPTIONAL])('%s', (place, use) => {
    const optional = OPTIONAL.some(([name]) => name === place);

    it.each(NO_BYTES.filter(([name]) => !(optional && name === 'undefined')))('refuses %s', (_name, given) => {
      expect(() => use(given() as Uint8Array)).toThrow(expect.objectContaining({ code: 'InvalidArg' }));
    });

    it('takes detached bytes, and bytes whose memory has shrunk, for none', () => {
      const detached = bytes(64);
      structuredClone(detached, { transfer: [detached.buffer] });
      const memory = resizable(64);
      const outside = new Uint8Array(memory, 32, 16);
      memory.resize(16);
      const empty = new Uint8Array(0);
      const outcome = (given: Uint8Array): unknown => {
        try {
          use(given);
          return 'taken';
        } catch (error) {
          return (error as Error).message;
        }
      };
      expect([detached, outside].map(outcome)).toEqual([outcome(empty), outcome(empty)]);
    });
  });

  it('writes nothing past what a view of growing memory shows', () => {
    const memory = resizable(64);
    const tracking = new Uint8Array(memory);
    memory.resize(100);
    native.random(new Uint8Array(memory, 10, 20));
    expect(tracking.subarray(0, 10)).toEqual(bytes(10, 0));
    expect(tracking.subarray(30)).toEqual(bytes(70, 0));
    native.random(tracking);
    expect(tracking.subarray(64).every((byte) => byte === 0)).toBe(false);
  });

  it('refuses the number of what is destroyed, of another kind, or of nothing', () => {
    const uses: readonly (readonly [string, (vault: Vault, number: never) => unknown])[] = [
      ['secret', (...place) => native.deriveBytes(...place, bytes(1), bytes(1), bytes(1))],
      ['secret', (...place) => native.deriveSecret(...place, bytes(1), bytes(1))],
      ['secret', (...place) => native.deriveKey(...place, bytes(1), bytes(1))],
      ['secret', (...place) => native.joinSecrets(...place, ...secret())],
      ['secret', (...place) => native.joinSecrets(...secret(), ...place)],
      ['secret', (...place) => native.importKey(...place)],
      ['key', (...place) => native.seal(...place, bytes(40), bytes(8), true)],
      ['key', (...place) => native.open(...place, bytes(40), bytes(8))],
      ['pair', (...place) => native.decapsulate(...place, bytes(1088))],
    ];
    const put: Readonly<Record<string, (into: Vault) => number>> = {
      secret: (into) => native.importSecret(into, bytes(32)),
      key: (into) => native.importKey(into, native.importSecret(into, bytes(32))),
      pair: (into) => native.generateKeyPair(into, 'ml-kem-768', bytes(1184)),
    };
    const refused = expect.objectContaining({ code: 'InvalidArg' }) as Error;
    for (const [kind, use] of uses) {
      const all = vault();
      // The first and the second: what a number is that was rounded, or begins anew behind the largest.
      const [first, second] = [put[kind]!(all), put[kind]!(all)] as never[];
      const others = Object.keys(put).flatMap((other) => (other === kind ? [] : [put[other]!(all)]));
      const destroyed = put[kind]!(all);
      native.destroy(all, destroyed as never);
      native.destroy(all, destroyed as never);
      const strangers = [
        -1,
        2 ** 32 - 1,
        2 ** 32,
        2 ** 32 + 1,
        0.5,
        1.5,
        NaN,
        Infinity,
        0n,
        '0',
        true,
        {},
        null,
        undefined,
      ];
      for (const number of [...others, destroyed, ...strangers])
        expect(() => use(all, number as never)).toThrow(refused);
      for (const stranger of [undefined, null, 1, {}, bytes(8), process.stdout]) {
        expect(() => use(stranger as never, first!)).toThrow();
      }
      expect(() => use(vault(), first!)).toThrow(refused);
      for (const number of [first, second]) expect(() => use(all, number!)).not.toThrow();
    }
  });

  it('destroys nothing for a number that it has not given', () => {
    const place = secret();
    for (const number of [NaN, 0.5, 2 ** 32, -(2 ** 32)])
      expect(() => native.destroy(place[0], number as never)).toThrow();
    native.destroy(place[0], 7 as never);
    expect(() => native.importKey(...place)).not.toThrow();
  });

  it('never gives a number twice', () => {
    const one = vault();
    const numbers = Array.from({ length: 100 }, () => {
      const number = native.importSecret(one, bytes(32));
      native.destroy(one, number);
      return number;
    });
    expect(new Set(numbers).size).toBe(100);
    const kept = native.importSecret(one, bytes(32, 7));
    for (const number of numbers) native.destroy(one, number);
    const derived = [one, secretOf(bytes(32, 7))[0]].map((from, i) => {
      const output = bytes(32, 0);
      native.deriveBytes(from, i === 0 ? kept : (0 as SecretNumber), bytes(1), bytes(1), output);
      return output;
    });
    expect(derived[0]).toEqual(derived[1]);
  });

  it('refuses wrong lengths', () => {
    const refused = (use: () => unknown): void => {
      expect(use).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/InvalidArg|GenericFailure/) as string }),
      );
    };
    for (const length of [0, 31, 33]) refused(() => native.sha256(bytes(1), bytes(length)));
    for (const length of [0, 1087, 1089]) {
      refused(() => native.decapsulate(...pair(), bytes(length)));
      refused(() => native.encapsulate(vault(), 'ml-kem-768', bytes(1184, 0), bytes(length)));
    }
    for (const length of [0, 1183, 1185]) {
      refused(() => native.generateKeyPair(vault(), 'ml-kem-768', bytes(length)));
      refused(() => native.encapsulate(vault(), 'ml-kem-768', bytes(length, 0), bytes(1088)));
    }
    refused(() => native.encapsulate(vault(), 'ml-kem-768', bytes(1184, 255), bytes(1088)));
    for (const length of [0, 16, 31, 33]) refused(() => native.importKey(...secretOf(bytes(length))));
    for (const length of [0, 8161]) refused(() => native.deriveBytes(...secret(), bytes(1), bytes(1), bytes(length)));
    refused(() => native.seal(...key(), bytes(27), bytes(8), true));
    refused(() => native.seal(...key(), bytes(40), bytes(8), true, bytes(13)));
    refused(() => native.open(...key(), bytes(40), bytes(8), bytes(11)));
    refused(() => native.mask(bytes(4), bytes(4), bytes(8), 5, 4));
    refused(() => native.mask(bytes(4), bytes(4), bytes(8), 0, 5));
    refused(() => native.mask(bytes(4), bytes(4), bytes(8), -1, 1));
    refused(() => native.unmask(bytes(4), bytes(3)));
    refused(() => native.generateKeyPair(vault(), 'ml-kem-512' as never, bytes(800)));
    expect(native.open(...key(), bytes(27), bytes(8))).toBe(false);
  });

  it('derives and hashes as node:crypto does', () => {
    const hash = bytes(32);
    native.sha256(bytes(100, 5), hash);
    expect(hash).toEqual(Uint8Array.from(createHash('sha256').update(bytes(100, 5)).digest()));
    const output = bytes(100);
    native.deriveBytes(...secret(), bytes(3, 2), bytes(5, 3), output);
    expect(output).toEqual(new Uint8Array(hkdfSync('sha256', bytes(32), bytes(3, 2), bytes(5, 3), 100)));
    const again = bytes(32);
    const [from, given] = secret();
    const derived = native.deriveSecret(from, given, bytes(3, 2), bytes(5, 3));
    native.deriveBytes(from, derived, bytes(1), bytes(1), again);
    expect(again).toEqual(new Uint8Array(hkdfSync('sha256', output.subarray(0, 32), bytes(1), bytes(1), 32)));
  });

  it('joins secrets, in their order, and leaves them as they are', () => {
    const [first, second] = [secretOf(bytes(32, 5)), secretOf(bytes(3, 6))];
    const ofBoth: Place<SecretNumber> = [second[0], native.joinSecrets(...first, ...second)];
    const twice: Place<SecretNumber> = [first[0], native.joinSecrets(...first, ...first)];
    native.destroy(...first);
    const wholes: readonly (readonly [Place<SecretNumber>, Uint8Array])[] = [
      [ofBoth, Uint8Array.of(...bytes(32, 5), ...bytes(3, 6))],
      [twice, bytes(64, 5)],
      [second, bytes(3, 6)],
    ];
    for (const [joined, whole] of wholes) {
      const output = bytes(32);
      native.deriveBytes(...joined, bytes(1), bytes(1), output);
      expect(output).toEqual(new Uint8Array(hkdfSync('sha256', whole, bytes(1), bytes(1), 32)));
    }
  });

  it('seals and opens in place, from elsewhere and to elsewhere, and leaves zeros of what was changed', () => {
    const content = bytes(50, 7);
    const frame = bytes(12 + 60 + 16, 0);
    native.seal(...key(), frame, bytes(8), true, content);
    expect(frame.subarray(0, 12)).not.toEqual(bytes(12, 0));
    const target = bytes(70, 9);
    expect(native.open(...key(), frame, bytes(8), target)).toBe(true);
    expect(target).toEqual(Uint8Array.of(...content, ...bytes(10, 0), ...bytes(10, 9)));
    const changed = frame.slice();
    changed[20]! ^= 1;
    expect(native.open(...key(), changed, bytes(8), target)).toBe(false);
    expect(target).toEqual(Uint8Array.of(...bytes(60, 0), ...bytes(10, 9)));
    expect(native.open(...key(), frame, bytes(8))).toBe(true);
    expect(frame.subarray(12, 62)).toEqual(content);
  });

  it('masks as RFC 6455 section 5.3 says, at every length and place', () => {
    const key4 = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);
    const memory = Uint8Array.from({ length: 64 }, (_, i) => i);
    for (let from = 0; from < 9; from += 1) {
      for (let length = 0; length <= 64 - from; length += 1) {
        const part = memory.subarray(from, from + length);
        const expected = part.map((byte, i) => byte ^ key4[i & 3]!);
        const output = bytes(80, 0);
        native.mask(part, key4, output, 7, length);
        expect(output.subarray(7, 7 + length)).toEqual(expected);
        expect(output.filter((_, i) => i < 7 || i >= 7 + length).every((byte) => byte === 0)).toBe(true);
        native.unmask(expected, key4);
        expect(expected).toEqual(part);
      }
    }
  });
});
