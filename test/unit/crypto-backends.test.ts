/** What backend.ts promises of keys, secrets and buffers, held against each backend. */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { backends, derived, EMPTY, errorOf, keyOf, pattern, unsealed } from './crypto-fixtures.ts';

const KEY = pattern(32, 3);
const NONCE = pattern(12, 90);
const AAD = pattern(8, 40);

describe.each(backends)('$name', (backend) => {
  it('seals in place and touches nothing beside the frame', async () => {
    const key = await keyOf(backend, KEY);
    const plaintext = pattern(100);
    const expected = await key.seal(unsealed(NONCE, plaintext), AAD);
    // Every alignment, for @noble works in words of four bytes.
    for (let offset = 0; offset < 8; offset += 1) {
      const memory = new Uint8Array(offset + 128 + 5).fill(0xee);
      const frame = memory.subarray(offset, offset + 128);
      frame.set(unsealed(NONCE, plaintext));
      expect(await key.seal(frame, AAD)).toBe(frame);
      expect(frame).toEqual(expected);
      expect(memory.subarray(0, offset)).toEqual(new Uint8Array(offset).fill(0xee));
      expect(memory.subarray(offset + 128)).toEqual(new Uint8Array(5).fill(0xee));
      expect(await key.open(frame, AAD)).toEqual(plaintext);
    }
  });

  it('opens into memory of its own and leaves the frame as it was', async () => {
    const key = await keyOf(backend, KEY);
    const frame = await key.seal(unsealed(NONCE, pattern(100)), AAD);
    const before = frame.slice();
    const opened = await key.open(frame, AAD);
    expect(frame).toEqual(before);
    expect(opened).toEqual(pattern(100));
    expect(opened?.constructor).toBe(Uint8Array);
    expect(opened?.buffer.byteLength).toBe(100);
    opened?.fill(0);
    expect(frame).toEqual(before);
  });

  it('does not open a frame or additional data with any one bit changed', async () => {
    const key = await keyOf(backend, KEY);
    const frame = await key.seal(unsealed(NONCE, pattern(5)), AAD);
    const original = frame.slice();
    for (const part of [frame, AAD.slice()]) {
      for (let bit = 0; bit < 8 * part.length; bit += 1) {
        part[bit >> 3]! ^= 1 << (bit & 7);
        const changed = frame.slice();
        expect(await key.open(frame, part === frame ? AAD : part), `bit ${bit}`).toBeUndefined();
        expect(frame).toEqual(changed);
        part[bit >> 3]! ^= 1 << (bit & 7);
      }
    }
    expect(frame).toEqual(original);
    expect(await key.open(frame, AAD)).toEqual(pattern(5));
  });

  it('does not open a frame that is cut, longer, or sealed with another key', async () => {
    const key = await keyOf(backend, KEY);
    const frame = await key.seal(unsealed(NONCE, pattern(5)), AAD);
    for (let length = 0; length < frame.length; length += 1) {
      expect(await key.open(frame.slice(0, length), AAD), `${length} bytes`).toBeUndefined();
    }
    expect(await key.open(Uint8Array.of(...frame, 0), AAD)).toBeUndefined();
    expect(await (await keyOf(backend, pattern(32, 4))).open(frame, AAD)).toBeUndefined();
  });

  it('seals and opens nothing at all', async () => {
    const key = await keyOf(backend, KEY);
    const frame = await key.seal(unsealed(NONCE, EMPTY), EMPTY);
    expect(frame).toHaveLength(28);
    expect(await key.open(frame, EMPTY)).toEqual(EMPTY);
  });

  it('throws on every use after destroy, which may be called twice', async () => {
    const seed = pattern(64);
    const pair = await backend.generateKeyPair(seed);
    const { ciphertext, sharedSecret } = await backend.encapsulate(pair.encapsulationKey);
    const key = await backend.importKey(sharedSecret);
    for (const held of [pair, sharedSecret, key]) {
      held.destroy();
      held.destroy();
    }
    for (const use of [
      () => pair.decapsulate(ciphertext),
      () => backend.deriveBytes(sharedSecret, EMPTY, EMPTY, 32),
      () => backend.deriveKey(sharedSecret, EMPTY, EMPTY),
      () => backend.importKey(sharedSecret),
      () => key.seal(unsealed(NONCE, EMPTY), EMPTY),
      () => key.open(new Uint8Array(40), EMPTY),
      () => key.open(EMPTY, EMPTY),
    ]) {
      expect(String(await errorOf(use)), String(use)).toMatch(/was used after destroy\(\)$/);
    }
  });

  it('keeps what was made of a key pair or a secret when that is destroyed', async () => {
    const pair = await backend.generateKeyPair(pattern(64));
    const { ciphertext } = await backend.encapsulate(pair.encapsulationKey, pattern(32));
    const secret = await pair.decapsulate(ciphertext);
    pair.destroy();
    const expected = await derived(backend, secret);
    const imported = await backend.importKey(secret);
    const hkdf = await backend.deriveKey(secret, EMPTY, EMPTY);
    secret.destroy();
    expect(expected).not.toEqual(new Uint8Array(32));
    expect(pair.encapsulationKey).toHaveLength(1184);
    expect(await (await keyOf(backend, expected)).open(await hkdf.seal(unsealed(NONCE, KEY), AAD), AAD)).toEqual(KEY);
    expect(await imported.open(await imported.seal(unsealed(NONCE, KEY), AAD), AAD)).toEqual(KEY);
  });

  it('copies what it is given', async () => {
    const [seed, bytes] = [pattern(64), pattern(32)];
    const pair = await backend.generateKeyPair(seed);
    const secret = await backend.importSecret(bytes);
    const before = await derived(backend, secret);
    const { ciphertext, sharedSecret } = await backend.encapsulate(pair.encapsulationKey);
    seed.fill(0);
    bytes.fill(0);
    expect(await derived(backend, secret)).toEqual(before);
    const received = await derived(backend, await pair.decapsulate(ciphertext));
    expect(received).toEqual(await derived(backend, sharedSecret));
    // A Buffer's slice() is a view: a copy made with it would follow the original.
    const pooled = Buffer.from(pattern(32));
    const fromBuffer = await backend.importSecret(pooled);
    pooled.fill(0);
    expect(await derived(backend, fromBuffer)).toEqual(before);
  });

  it('encapsulates to the key that it checked, whatever becomes of the array meanwhile', async () => {
    const pair = await backend.generateKeyPair(pattern(64));
    const array = pair.encapsulationKey.slice();
    const pending = backend.encapsulate(array);
    array.fill(0xff);
    const { ciphertext, sharedSecret } = await pending;
    const received = await derived(backend, await pair.decapsulate(ciphertext));
    expect(received).toEqual(await derived(backend, sharedSecret));
  });

  it('draws fresh randomness for every encapsulation', async () => {
    const { encapsulationKey } = await backend.generateKeyPair(pattern(64));
    const [one, two] = [await backend.encapsulate(encapsulationKey), await backend.encapsulate(encapsulationKey)];
    expect(one.ciphertext).not.toEqual(two.ciphertext);
    expect(await derived(backend, one.sharedSecret)).not.toEqual(await derived(backend, two.sharedSecret));
  });

  it('gives plain Uint8Arrays in memory that nothing else has a view of', async () => {
    const pair = await backend.generateKeyPair(pattern(64));
    const { ciphertext } = await backend.encapsulate(pair.encapsulationKey);
    const secret = await backend.importSecret(KEY);
    for (const bytes of [
      pair.encapsulationKey,
      ciphertext,
      await backend.sha256(KEY),
      await backend.deriveBytes(secret, EMPTY, EMPTY, 33),
    ]) {
      expect(bytes.constructor).toBe(Uint8Array);
      expect(bytes.byteLength).toBe(bytes.buffer.byteLength);
    }
  });

  it('takes arrays of another realm and views of shared memory', async () => {
    const foreign = runInNewContext('new Uint8Array(64)') as Uint8Array;
    const shared = new Uint8Array(new SharedArrayBuffer(64));
    const expected = await backend.generateKeyPair(new Uint8Array(64));
    for (const zeros of [foreign, shared]) {
      expect(zeros instanceof Uint8Array && zeros.buffer instanceof ArrayBuffer).toBe(false);
      expect((await backend.generateKeyPair(zeros)).encapsulationKey).toEqual(expected.encapsulationKey);
      const secret = await backend.importSecret(zeros);
      const key = await backend.deriveKey(secret, zeros, zeros);
      const [frame, aad] = [zeros.subarray(0, 40), zeros.subarray(40)];
      expect(await key.seal(frame, aad)).toBe(frame);
      expect(await key.open(frame, aad)).toEqual(new Uint8Array(12));
    }
  });

  it('refuses a secret that another backend made', async () => {
    for (const other of backends.filter(({ name }) => name !== backend.name)) {
      const secret = await other.importSecret(KEY);
      for (const use of [
        () => backend.importKey(secret),
        () => backend.deriveKey(secret, EMPTY, EMPTY),
        () => backend.deriveBytes(secret, EMPTY, EMPTY, 1),
        () => backend.deriveSecret(secret, EMPTY, EMPTY),
        () => backend.joinSecrets(secret, secret),
      ]) {
        expect(await errorOf(use)).toBeInstanceOf(TypeError);
      }
    }
  });
});
