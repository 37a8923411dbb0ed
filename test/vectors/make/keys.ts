/** The signers of the vectors, their fingerprints, and what stands for an attestation document. */
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { type Bytes, cat, countUp, hex, utf8, zeros } from './bytes.ts';

export const KEY_NAMES = ['identity', 'stranger', 'client', 'other client'] as const;
export type KeyName = (typeof KEY_NAMES)[number];
const firstByte: Record<KeyName, number> = { identity: 0x80, stranger: 0xa0, client: 0xc0, 'other client': 0xe0 };

export const seedOfKey = (name: KeyName): Bytes => countUp(32, firstByte[name]);
const pairs = new Map<KeyName, { publicKey: Bytes; secretKey: Bytes }>();
export function keyPair(name: KeyName): { publicKey: Bytes; secretKey: Bytes } {
  const pair = pairs.get(name) ?? ml_dsa65.keygen(seedOfKey(name));
  pairs.set(name, pair);
  return pair;
}
export const fingerprint = (name: KeyName): string => hex(sha256(keyPair(name).publicKey));

const signatures = new Map<string, Bytes>();
/** Deterministic (rnd all zero), empty context unless `context` is given. */
export function signBy(name: KeyName, message: Bytes, context?: Bytes): Bytes {
  const id = `${name} ${hex(message)} ${context ? hex(context) : ''}`;
  const known = signatures.get(id);
  if (known !== undefined) return known;
  const made = ml_dsa65.sign(message, keyPair(name).secretKey, {
    extraEntropy: false,
    ...(context ? { context } : {}),
  });
  signatures.set(id, made);
  return made;
}

/** What is signed or attested: `pq-websocket/1 ` and a label, one zero byte, a transcript hash. */
export const bound32 = (label: string, th: Bytes): Bytes => cat(utf8(`pq-websocket/1 ${label}`), zeros(1), th);
/** The text form of user data: lower-case hex after one space. */
export const textForm = (label: string, th: Bytes): Bytes => utf8(`pq-websocket/1 ${label} ${hex(th)}`);

/** A stand-in for a document, which names what it attests, so that one for another transcript is another document. */
export const documentFor = (userData: Bytes): Bytes => cat(utf8('document of the vectors for '), userData);
