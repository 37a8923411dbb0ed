/** Making and reading identity files: PEM with the OIDs of RFC 9881. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  readPublicKeyPem,
  readSecretKeyPem,
  writePublicKeyPem,
  writeSecretKeyPem,
} from '../../../../src/crypto/key-files.ts';
import { nodeSignatures } from '../../../../src/crypto/node/signature.ts';
import { SIGNATURE_SEED_BYTES } from '../../../../src/crypto/signature.ts';

const PRIVATE_MODE = 0o600;
const PUBLIC_MODE = 0o644;

/** `identity.pem` has its public key in `identity.pub.pem`. */
function publicFileOf(file: string): string {
  return `${file.replace(/\.pem$/, '')}.pub.pem`;
}

/**
 * Writes a new key pair and gives the public key's file and fingerprint.
 * @throws {Error} when a file is there and `force` is not set; then both are as they were
 */
export function generateIdentity(file: string, force: boolean): { publicFile: string; fingerprint: string } {
  const seed = randomBytes(SIGNATURE_SEED_BYTES);
  const key = nodeSignatures().signingKey(seed);
  const publicFile = publicFileOf(file);
  try {
    if (force) for (const old of [file, publicFile]) rmSync(old, { force: true });
    // The public one first: if it cannot be written, there is no secret key that nobody knows of.
    create(publicFile, writePublicKeyPem(key.publicKey), PUBLIC_MODE);
    try {
      create(file, writeSecretKeyPem(seed), PRIVATE_MODE);
    } catch (error) {
      rmSync(publicFile);
      throw error;
    }
    return { publicFile, fingerprint: fingerprintOf(key.publicKey) };
  } finally {
    seed.fill(0);
    key.destroy();
  }
}

/** 'wx' refuses a file that exists, links included, in one step with its creation; the mode counts only then. */
function create(file: string, text: string, mode: number): void {
  writeFileSync(file, text, { mode, flag: 'wx' });
}

/** @throws {Error} when the file cannot be read, {TypeError} when it is no ML-DSA-65 key */
export function fingerprintFile(file: string): string {
  const pem = readFileSync(file, 'utf8');
  if (!pem.includes('PRIVATE KEY')) return fingerprintOf(readPublicKeyPem(pem));
  const secret = readSecretKeyPem(pem);
  const key = nodeSignatures().signingKey(secret);
  secret.fill(0);
  key.destroy();
  return fingerprintOf(key.publicKey);
}

function fingerprintOf(publicKey: Uint8Array): string {
  return `sha256:${createHash('sha256').update(publicKey).digest('hex')}`;
}
