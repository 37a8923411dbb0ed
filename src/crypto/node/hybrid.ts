/**
 * MLKEM768-X25519 of draft-irtf-cfrg-concrete-hybrid-kems-04 (X-Wing) from the parts that node:crypto has: ML-KEM-768, X25519,
 * SHAKE-256 and SHA3-256.
 */
import * as crypto from 'node:crypto';
import { ownProperties } from '../../base/own-properties.ts';

/** A PrivateKeyInfo (RFC 8410) of X25519, and a SubjectPublicKeyInfo: 32 bytes follow. */
const X25519_PKCS8_PREFIX = '302e020100300506032b656e04220420';
const X25519_SPKI_PREFIX = '302a300506032b656e032100';
const X25519_BYTES = 32;
const ML_KEM_SEED_BYTES = 64;
/** "\\.//^\\", which comes last. */
const LABEL = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c);

export interface HybridKeys {
  readonly encapsulationKey: Uint8Array;
  readonly mlKem: crypto.KeyObject;
  readonly x25519: crypto.KeyObject;
  readonly x25519Public: Buffer;
}

interface MlKemPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: crypto.KeyObject;
}

/** @param seed 32 bytes, the caller's to overwrite */
export function hybridKeys(seed: Uint8Array, makeMlKem: (seed: Uint8Array) => MlKemPair): HybridKeys {
  const expanded = crypto
    .createHash('shake256', { outputLength: ML_KEM_SEED_BYTES + X25519_BYTES })
    .update(seed)
    .digest();
  const pkcs8 = Buffer.concat([Buffer.from(X25519_PKCS8_PREFIX, 'hex'), expanded.subarray(ML_KEM_SEED_BYTES)]);
  try {
    const mlKem = makeMlKem(expanded.subarray(0, ML_KEM_SEED_BYTES));
    const x25519 = crypto.createPrivateKey(
      ownProperties<crypto.PrivateKeyInput>({ key: pkcs8, format: 'der', type: 'pkcs8' }),
    );
    const x25519Public = publicBytes(x25519);
    return {
      encapsulationKey: new Uint8Array([...mlKem.publicKey, ...x25519Public]),
      mlKem: mlKem.privateKey,
      x25519,
      x25519Public,
    };
  } finally {
    expanded.fill(0);
    pkcs8.fill(0);
  }
}

/** @returns the shared secret, the caller's to overwrite */
export function hybridDecapsulate({ mlKem, x25519, x25519Public }: HybridKeys, ciphertext: Uint8Array): Buffer {
  const ours = ciphertext.subarray(-X25519_BYTES);
  const first = crypto.decapsulate(mlKem, ciphertext.subarray(0, -X25519_BYTES));
  return combine(first, agree(x25519, ours), ours, x25519Public);
}

/** @param encapsulate of the ML-KEM-768 key */
export function hybridEncapsulate(
  encapsulationKey: Uint8Array,
  encapsulate: (key: Uint8Array) => { readonly sharedKey: Buffer; readonly ciphertext: Buffer },
): { readonly ciphertext: Uint8Array; readonly sharedSecret: Buffer } {
  const theirs = encapsulationKey.subarray(-X25519_BYTES);
  const { sharedKey, ciphertext } = encapsulate(encapsulationKey.subarray(0, -X25519_BYTES));
  const { privateKey } = crypto.generateKeyPairSync('x25519');
  const ours = publicBytes(privateKey);
  return {
    ciphertext: new Uint8Array([...ciphertext, ...ours]),
    sharedSecret: combine(sharedKey, agree(privateKey, theirs), ours, theirs),
  };
}

/** Overwrites both secrets. */
function combine(first: Buffer, second: Buffer, ciphertext: Uint8Array, publicKey: Uint8Array): Buffer {
  try {
    const hash = crypto.createHash('sha3-256').update(first).update(second);
    return hash.update(ciphertext).update(publicKey).update(LABEL).digest();
  } finally {
    first.fill(0);
    second.fill(0);
  }
}

function agree(privateKey: crypto.KeyObject, publicKey: Uint8Array): Buffer {
  const spki = Buffer.concat([Buffer.from(X25519_SPKI_PREFIX, 'hex'), publicKey]);
  return crypto.diffieHellman({
    privateKey,
    publicKey: crypto.createPublicKey(ownProperties<crypto.PublicKeyInput>({ key: spki, format: 'der', type: 'spki' })),
  });
}

function publicBytes(privateKey: crypto.KeyObject): Buffer {
  return crypto.createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-X25519_BYTES);
}
