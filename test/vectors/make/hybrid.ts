/** MLKEM768-X25519 taken to pieces, with X25519 from node:crypto: an independent way to the same secret. */
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { sha3_256, shake256 } from '@noble/hashes/sha3.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { type Bytes, cat, hex, unhex } from './bytes.ts';
import { agreement, coinsOf, KEMS, seedOf } from './kems.ts';

const privateKey = (raw: Bytes): ReturnType<typeof createPrivateKey> =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), raw]),
    format: 'der',
    type: 'pkcs8',
  });
const publicKey = (raw: Bytes): ReturnType<typeof createPublicKey> =>
  createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), raw]),
    format: 'der',
    type: 'spki',
  });
const rawPublicKey = (raw: Bytes): Bytes =>
  new Uint8Array(createPublicKey(privateKey(raw)).export({ format: 'der', type: 'spki' }).subarray(-32));
const x25519 = (secret: Bytes, peer: Bytes): Bytes =>
  new Uint8Array(diffieHellman({ privateKey: privateKey(secret), publicKey: publicKey(peer) }));

export const LABEL = unhex('5c2e2f2f5e5c');

export interface HybridParts {
  ssM: Bytes;
  ssX: Bytes;
  ctM: Bytes;
  ctX: Bytes;
  ekM: Bytes;
  pkX: Bytes;
}

/** The parts of the fixed agreement of generation 0, from its seed and its coins. `pkXTopBit`: that bit of the key is set. */
export function hybridParts(pkXTopBit = false): HybridParts {
  const kem = KEMS['mlkem768-x25519'];
  const expanded = shake256(seedOf(kem), { dkLen: 96 });
  const pair = ml_kem768.keygen(expanded.slice(0, 64));
  const pkX = rawPublicKey(expanded.slice(64));
  if (pkXTopBit) pkX[31]! |= 0x80;
  const coins = coinsOf(kem);
  const ephemeral = coins.slice(32);
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(pair.publicKey, coins.slice(0, 32));
  return {
    ssM: sharedSecret,
    ssX: x25519(ephemeral, pkX),
    ctM: cipherText,
    ctX: rawPublicKey(ephemeral),
    ekM: pair.publicKey,
    pkX,
  };
}

export const combine = ({ ssM, ssX, ctX, pkX }: HybridParts): Bytes => sha3_256(cat(ssM, ssX, ctX, pkX, LABEL));

/** @throws {Error} when the library's hybrid is not the sum of its parts */
export function checkHybrid(): void {
  const parts = hybridParts();
  const { publicKey: key, cipherText, sharedSecret } = agreement('mlkem768-x25519');
  const same = (a: Bytes, b: Bytes): boolean => hex(a) === hex(b);
  if (
    !same(key, cat(parts.ekM, parts.pkX)) ||
    !same(cipherText, cat(parts.ctM, parts.ctX)) ||
    !same(sharedSecret, combine(parts))
  ) {
    throw new Error('the hybrid is not what PROTOCOL.md 21 says');
  }
}
