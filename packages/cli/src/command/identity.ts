/** Making and reading identity files: PEM with the OIDs of RFC 9881. */
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  fingerprintOf,
  publicKeyOf,
  readPublicKeyPem,
  readSecretKeyPem,
  SEED_BYTES,
  writePublicKeyPem,
  writeSecretKeyPem,
} from 'pq-websocket/keys';

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
export async function generateIdentity(
  file: string,
  force: boolean,
): Promise<{ publicFile: string; fingerprint: string }> {
  const seed = randomBytes(SEED_BYTES);
  const publicFile = publicFileOf(file);
  try {
    const publicKey = await publicKeyOf(seed);
    if (force) for (const old of [file, publicFile]) rmSync(old, { force: true });
    // The public one first: if it cannot be written, no secret key is left behind.
    create(publicFile, writePublicKeyPem(publicKey), PUBLIC_MODE);
    try {
      create(file, writeSecretKeyPem(seed), PRIVATE_MODE);
    } catch (error) {
      rmSync(publicFile);
      throw error;
    }
    return { publicFile, fingerprint: await fingerprintOf(publicKey) };
  } finally {
    seed.fill(0);
  }
}

/** 'wx' refuses a file that exists, links included, in one step with its creation; the mode counts only then. */
function create(file: string, text: string, mode: number): void {
  try {
    writeFileSync(file, text, { mode, flag: 'wx' });
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const advice =
      code === 'EEXIST'
        ? 'is there already: --force overwrites it, --out names another'
        : `cannot be written (${code}): --out names another`;
    throw new Error(`'${file}' ${advice}`, { cause: error });
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`'${file}' cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, {
      cause: error,
    });
  }
}

/** @throws {Error} when the file cannot be read, {TypeError} when it is no ML-DSA-65 key */
export async function fingerprintFile(file: string): Promise<string> {
  const pem = readPem(file);
  if (!pem.includes('PRIVATE KEY')) return fingerprintOf(readPublicKeyPem(pem));
  const secret = readSecretKeyPem(pem);
  try {
    return await fingerprintOf(await publicKeyOf(secret));
  } finally {
    secret.fill(0);
  }
}
