/** The three KEMs of PROTOCOL.md 21, from the primitives, with the fixed randomness that the vectors use. */
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { ml_kem1024, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { type Bytes, countUp } from './bytes.ts';

export type KemName = 'ml-kem-768' | 'mlkem768-x25519' | 'ml-kem-1024';

export interface Kem {
  readonly name: KemName;
  /** The member of ClientHello and of ServerHello. */
  readonly keyMember: string;
  readonly ciphertextMember: string;
  /** Lengths in bytes. */
  readonly key: number;
  readonly ciphertext: number;
  readonly seed: number;
  readonly coins: number;
  keygen(seed: Bytes): { publicKey: Bytes; secretKey: Bytes };
  encapsulate(key: Bytes, coins: Bytes): { cipherText: Bytes; sharedSecret: Bytes };
  decapsulate(ciphertext: Bytes, secretKey: Bytes): Bytes;
}

const lengths = { key: 1184, ciphertext: 1088, seed: 64, coins: 32 };
export const KEMS: Record<KemName, Kem> = {
  'ml-kem-768': {
    name: 'ml-kem-768',
    keyMember: 'ml_kem_768_encapsulation_key',
    ciphertextMember: 'ml_kem_768_ciphertext',
    ...lengths,
    ...ml_kem768,
  },
  'mlkem768-x25519': {
    name: 'mlkem768-x25519',
    keyMember: 'mlkem768_x25519_encapsulation_key',
    ciphertextMember: 'mlkem768_x25519_ciphertext',
    key: 1216,
    ciphertext: 1120,
    seed: 32,
    coins: 64,
    keygen: (seed) => ml_kem768_x25519.keygen(seed),
    encapsulate: (key, coins) => ml_kem768_x25519.encapsulate(key, coins),
    decapsulate: (ciphertext, secretKey) => ml_kem768_x25519.decapsulate(ciphertext, secretKey),
  },
  'ml-kem-1024': {
    name: 'ml-kem-1024',
    keyMember: 'ml_kem_1024_encapsulation_key',
    ciphertextMember: 'ml_kem_1024_ciphertext',
    ...lengths,
    key: 1568,
    ciphertext: 1568,
    ...ml_kem1024,
  },
};

/**
 * The seed of a client's key pair and the coins of a server's encapsulation, in a generation: 0 is the handshake, n the
 * n-th exchange. ML-KEM-768 of generation 0 has v1.json's `keySeed` and `m`.
 */
const kemNumber: Record<KemName, number> = { 'ml-kem-768': 0, 'mlkem768-x25519': 1, 'ml-kem-1024': 2 };
export const seedOf = (kem: Kem, generation = 0): Bytes =>
  countUp(kem.seed, kemNumber[kem.name] * 0x11 + generation * 7);
export const coinsOf = (kem: Kem, generation = 0): Bytes =>
  countUp(kem.coins, 0x40 + kemNumber[kem.name] * 0x11 + generation * 7);

interface Agreement {
  publicKey: Bytes;
  secretKey: Bytes;
  cipherText: Bytes;
  sharedSecret: Bytes;
}
const made = new Map<string, Agreement>();
/** Key pair and encapsulation of a generation. */
export function agreement(name: KemName, generation = 0): Agreement {
  const id = `${name} ${generation}`;
  const known = made.get(id);
  if (known !== undefined) return known;
  const kem = KEMS[name];
  const pair = kem.keygen(seedOf(kem, generation));
  const all = { ...pair, ...kem.encapsulate(pair.publicKey, coinsOf(kem, generation)) };
  made.set(id, all);
  return all;
}
