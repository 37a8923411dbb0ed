/** Making and reading identity files: PEM with the OIDs of RFC 9881. */
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
 * @throws {Error} when a file is there and `force` is not set, or the new ones cannot be written; then both are as they were
 */
export async function generateIdentity(
  file: string,
  force: boolean,
): Promise<{ publicFile: string; fingerprint: string }> {
  const seed = randomBytes(SEED_BYTES);
  const publicFile = publicFileOf(file);
  try {
    const publicKey = await publicKeyOf(seed);
    // The public one first: if it cannot be written, no secret key is left behind.
    const pair = [
      { to: publicFile, text: writePublicKeyPem(publicKey), mode: PUBLIC_MODE },
      { to: file, text: writeSecretKeyPem(seed), mode: PRIVATE_MODE },
    ];
    if (force) replaceAll(pair);
    else createAll(pair);
    return { publicFile, fingerprint: await fingerprintOf(publicKey) };
  } finally {
    seed.fill(0);
  }
}

interface NewFile {
  readonly to: string;
  readonly text: string;
  readonly mode: number;
}

/** All of them, or none. */
function createAll(files: readonly NewFile[]): void {
  const created: string[] = [];
  try {
    for (const { to, text, mode } of files) {
      create(to, text, mode);
      created.push(to);
    }
  } catch (error) {
    for (const file of created) rmSync(file);
    throw error;
  }
}

/** What is there is taken away when all that replaces it is written: a secret key that is lost is lost for good. */
function replaceAll(files: readonly NewFile[]): void {
  const beside = (file: string): string => `${file}.new-${process.pid}`;
  for (const { to } of files)
    if (statSync(to, { throwIfNoEntry: false })?.isDirectory() === true) throw unwritable(to, 'EISDIR');
  createAll(files.map((file) => ({ ...file, to: beside(file.to) })));
  for (const { to } of files) renameSync(beside(to), to);
}

/** 'wx' refuses a file that exists, links included, in one step with its creation; the mode counts only then. */
function create(file: string, text: string, mode: number): void {
  try {
    writeFileSync(file, text, { mode, flag: 'wx' });
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw new Error(`'${file}' is there already: --force overwrites it, --out names another`, { cause: error });
    // A part of it, on a disk that is full.
    rmSync(file, { force: true });
    throw unwritable(file, code, error);
  }
}

function unwritable(file: string, code: string, cause?: unknown): Error {
  return new Error(`'${file}' cannot be written (${code}): --out names another`, { cause });
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
