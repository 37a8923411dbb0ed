/**
 * The protocol's arithmetic a second time, from PROTOCOL.md and with nothing of src/: noble's ML-KEM and node:crypto's
 * AES-GCM, HKDF and SHA-256 called directly. A bug that both ends of a pair share does not hide from it.
 */
import { createDecipheriv, randomBytes } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { Side } from '../../support/tap.ts';
import { hkdfSha256, sealAes256Gcm, sha256 } from '../../support/reference-crypto.ts';

export const KIND = {
  text: 1,
  binary: 2,
  batch: 3,
  close: 4,
  update: 5,
  finished: 6,
  answer: 7,
  exchangeWanted: 8,
  exchangeOffer: 9,
  exchangeAnswer: 10,
  exchangeEnd: 11,
  ping: 12,
  pong: 13,
} as const;

export const utf8 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
export const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
export const cat = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
export const zeros = (length: number): Uint8Array => new Uint8Array(length);
export const other = (side: Side): Side => (side === 'client' ? 'server' : 'client');

export function bigEndian(value: number, length: number): Uint8Array {
  return unhex(value.toString(16).padStart(length * 2, '0'));
}

export function flip(bytes: Uint8Array, index: number, mask = 1): Uint8Array {
  return Uint8Array.from(bytes, (byte, i) => (i === (index + bytes.length) % bytes.length ? byte ^ mask : byte));
}

/** Section 7.2. */
export const inner = (kind: number, content: Uint8Array, padding = 0): Uint8Array =>
  cat(content, Uint8Array.of(kind), zeros(padding));
/** Section 7.4. */
export const entry = (kind: number, payload: Uint8Array): Uint8Array =>
  cat(Uint8Array.of(kind), bigEndian(payload.length, 4), payload);
/** Section 9. */
export const closeContent = (code: number, reason = ''): Uint8Array => cat(bigEndian(code, 2), utf8(reason));

export interface KemKeys {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}
export const makeKemKeys = (): KemKeys => ml_kem768.keygen();
export const encapsulate = (publicKey: Uint8Array): { cipherText: Uint8Array; sharedSecret: Uint8Array } =>
  ml_kem768.encapsulate(publicKey);
export const decapsulate = (ciphertext: Uint8Array, secretKey: Uint8Array): Uint8Array =>
  ml_kem768.decapsulate(ciphertext, secretKey);

/** Section 5. */
export function transcriptHash(clientHello: string, serverHello: string, context?: string): Uint8Array {
  const parts = [clientHello, serverHello, ...(context === undefined ? [] : [context])].map(utf8);
  return sha256(cat(utf8('pq-websocket/1 transcript'), ...parts.flatMap((part) => [bigEndian(part.length, 4), part])));
}

/** Section 6: both directions' keys, epoch by epoch, as far as somebody asks. */
export class Schedule {
  readonly th: Uint8Array;
  readonly #secret: Uint8Array;
  readonly #keys: Record<Side, Uint8Array[]> = { client: [], server: [] };
  readonly #next: Record<Side, Uint8Array>;

  constructor(th: Uint8Array, sharedSecret: Uint8Array) {
    this.th = th;
    this.#secret = sharedSecret;
    this.#next = { client: sharedSecret, server: sharedSecret };
  }

  /** Section 22: the next generation's. @param root instead of this one's, to be wrong */
  exchanged(offer: Uint8Array, answer: Uint8Array, sharedSecret: Uint8Array, root = this.#root()): Schedule {
    const parts = [offer, answer].flatMap((part) => [bigEndian(part.length, 4), part]);
    const th = sha256(cat(utf8('pq-websocket/1 exchange transcript'), this.th, ...parts));
    return new Schedule(th, hkdfSha256(cat(root, sharedSecret), th, utf8('pq-websocket/1 exchange seed'), 32));
  }

  #root(): Uint8Array {
    return hkdfSha256(this.#secret, this.th, utf8('pq-websocket/1 root'), 32);
  }

  key(side: Side, epoch: number): Uint8Array {
    const keys = this.#keys[side];
    while (keys.length <= epoch) {
      const from = this.#next[side];
      const derive = (what: string): Uint8Array =>
        hkdfSha256(from, this.th, utf8(`pq-websocket/1 ${side} ${what}`), 32);
      keys.push(derive('key'));
      this.#next[side] = derive('update');
    }
    return keys[epoch] as Uint8Array;
  }
}

/** Section 7.1. */
export function sealFrame(
  key: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  nonce = Uint8Array.from(randomBytes(12)),
): Uint8Array {
  return cat(nonce, sealAes256Gcm(key, nonce, aad, plaintext));
}

/** @throws {Error} when it does not open */
export function openBytes(key: Uint8Array, aad: Uint8Array, frame: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('aes-256-gcm', key, frame.subarray(0, 12))
    .setAAD(aad)
    .setAuthTag(frame.subarray(-16));
  return Uint8Array.from(Buffer.concat([decipher.update(frame.subarray(12, -16)), decipher.final()]));
}

/** @throws {Error} when it does not open */
export function openFrame(key: Uint8Array, aad: Uint8Array, frame: Uint8Array): { kind: number; content: Uint8Array } {
  const plaintext = openBytes(key, aad, frame);
  let end = plaintext.length - 1;
  while (end >= 0 && plaintext[end] === 0) end -= 1;
  if (end < 0) throw new Error('no kind byte');
  return { kind: plaintext[end] as number, content: Uint8Array.from(plaintext.subarray(0, end)) };
}
