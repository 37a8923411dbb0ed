/** What the tests of the crypto backends share. */
import type { AeadKey, CryptoBackend, Secret } from '../../src/crypto/backend.ts';
import { NONCE_BYTES, TAG_BYTES } from '../../src/crypto/backend.ts';
import { deferredBackend } from '../../src/crypto/deferred.ts';
import { nobleBackend } from '../../src/crypto/noble/backend.ts';
import { nobleKem } from '../../src/crypto/noble/kem.ts';
import { portableBackend } from '../../src/crypto/noble/symmetric.ts';
import { nodeBackend } from '../../src/crypto/node/backend.ts';
import { nativeBackend } from '../../src/crypto/node/native.ts';
import { webcryptoBackend } from '../support/webcrypto-backend.ts';
import { nativeBinding } from '../support/native.ts';

/** As pages without crypto.subtle have it, with pieces so short that every frame has several. */
export const nobleInPieces = portableBackend(nobleKem, () => Promise.resolve(), 16);

const binding = nativeBinding('pq-websocket-native among the backends');

export const backends: readonly CryptoBackend[] = [
  nobleBackend,
  nodeBackend,
  webcryptoBackend(globalThis.crypto.subtle, () => nobleKem),
  deferredBackend('noble', async () => nobleBackend),
  nobleInPieces,
  ...(binding === undefined ? [] : [nativeBackend(binding)]),
];

/** Node's documentation: crypto.encapsulate and crypto.subtle.encapsulateBits were added in 24.7. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
export const nodeHasKem = major > 24 || (major === 24 && minor >= 7);

export const EMPTY = new Uint8Array(0);

/** `length` bytes that differ from each other and from other `start`s. */
export function pattern(length: number, start = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (start + 7 * i) & 0xff);
}

/** A frame to seal: nonce, plaintext, and room for the tag. */
export function unsealed(nonce: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const frame = new Uint8Array(NONCE_BYTES + plaintext.length + TAG_BYTES);
  frame.set(nonce);
  frame.set(plaintext, NONCE_BYTES);
  return frame;
}

export async function keyOf(backend: CryptoBackend, bytes: Uint8Array): Promise<AeadKey> {
  return backend.importKey(await backend.importSecret(bytes));
}

/** What HKDF makes of a secret: enough to tell secrets apart without reading them. */
export async function derived(backend: CryptoBackend, secret: Secret): Promise<Uint8Array> {
  return backend.deriveBytes(secret, EMPTY, EMPTY, 32);
}

/** What `run` throws or rejects with; undefined when it does neither. */
export async function errorOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** `real`, with some members replaced and everything that its methods give handed to `seen`. */
export function wrapSubtle(
  real: SubtleCrypto,
  members: Readonly<Record<string, unknown>>,
  seen: (method: string, result: unknown) => void = () => undefined,
): SubtleCrypto {
  return new Proxy(real, {
    get(target, name) {
      const member: unknown = name in members ? members[String(name)] : Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...given: unknown[]): Promise<unknown> => {
        const result: unknown = await Reflect.apply(member, target, given);
        seen(String(name), result);
        return result;
      };
    },
  });
}
