/** `pq-websocket keygen` and `fingerprint`: what they write, and what they never write over. */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fingerprintFile, generateIdentity } from '../../packages/cli/src/command/identity.ts';
import { readPublicKeyPem, readSecretKeyPem } from '../../src/crypto/key-files.ts';
import { isLeftOutHere } from '../support/left-out.ts';

/** A name in a folder that ends with the test, and that of its public key. */
function names(): { file: string; publicFile: string; folder: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'pq-websocket-identity-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return { file: path.join(folder, 'identity.pem'), publicFile: path.join(folder, 'identity.pub.pem'), folder };
}

const read = (file: string): string => readFileSync(file, 'utf8');
const der = (pem: string): string => Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64').toString('hex');
/** 2.16.840.1.101.3.4.3.18, id-ml-dsa-65 (RFC 9881), and no parameters behind it. */
const ALGORITHM = '300b0609608648016503040312';

describe('a new identity', () => {
  test('is two files that belong together, under the OID of RFC 9881', async () => {
    const { file, publicFile } = names();
    const made = await generateIdentity(file, false);
    expect(made.publicFile).toBe(publicFile);
    const seed = readSecretKeyPem(read(file));
    const publicKey = readPublicKeyPem(read(publicFile));
    expect([seed.length, publicKey.length]).toEqual([32, 1952]);
    expect(Buffer.from(ml_dsa65.keygen(seed).publicKey).equals(publicKey)).toBe(true);
    expect(der(read(file))).toBe(`3034020100${ALGORITHM}04228020${Buffer.from(seed).toString('hex')}`);
    expect(der(read(publicFile))).toBe(`308207b2${ALGORITHM}038207a100${Buffer.from(publicKey).toString('hex')}`);
    const fingerprint = `sha256:${createHash('sha256').update(publicKey).digest('hex')}`;
    expect([made.fingerprint, await fingerprintFile(file), await fingerprintFile(publicFile)]).toEqual([
      fingerprint,
      fingerprint,
      fingerprint,
    ]);
  });

  test('is read by another implementation of RFC 9881: the development Node has OpenSSL 3.5', async () => {
    const { file, publicFile } = names();
    await generateIdentity(file, false);
    const [secret, open] = [createPrivateKey(read(file)), createPublicKey(read(publicFile))];
    expect([secret.asymmetricKeyType, open.asymmetricKeyType]).toEqual(['ml-dsa-65', 'ml-dsa-65']);
    const message = Buffer.from('message');
    expect(verify(null, message, open, sign(null, message, secret))).toBe(true);
  });

  test('is another one each time', async () => {
    const [one, two] = await Promise.all([names(), names()].map(({ file }) => generateIdentity(file, false)));
    expect(one?.fingerprint).not.toBe(two?.fingerprint);
  });

  const why = process.platform === 'win32' ? 'Windows has no file modes' : undefined;
  test.skipIf(isLeftOutHere('the mode of a secret file', why))(
    'has a secret file for its owner alone, whatever the umask',
    async () => {
      const { file } = names();
      const before = process.umask(0);
      try {
        await generateIdentity(file, false);
      } finally {
        process.umask(before);
      }
      expect(statSync(file).mode & 0o777).toBe(0o600);
    },
  );
});

describe('files that are there', () => {
  test.each(['file', 'publicFile'] as const)('are not written over unasked: %s', async (which) => {
    const all = names();
    writeFileSync(all[which], 'precious');
    await expect(generateIdentity(all.file, false)).rejects.toThrow(/is there already: --force overwrites it/);
    expect(read(all[which])).toBe('precious');
    expect(existsSync(which === 'file' ? all.publicFile : all.file)).toBe(false);
  });

  test('a link is not followed', async () => {
    const { file, publicFile, folder } = names();
    const target = path.join(folder, 'elsewhere');
    symlinkSync(target, file);
    await expect(generateIdentity(file, false)).rejects.toThrow(/is there already: --force overwrites it/);
    expect([existsSync(target), existsSync(publicFile)]).toEqual([false, false]);
  });

  test.each(['file', 'publicFile'] as const)('stay where the new ones cannot be written: %s', async (which) => {
    const all = names();
    const other = which === 'file' ? 'publicFile' : 'file';
    writeFileSync(all[other], 'precious');
    mkdirSync(all[which]);
    await expect(generateIdentity(all.file, true)).rejects.toThrow(/cannot be written \(EISDIR\): --out/);
    expect(read(all[other])).toBe('precious');
    expect(readdirSync(all.folder).sort()).toEqual(['identity.pem', 'identity.pub.pem']);
  });

  test('are replaced when that is asked for, with the mode of a new file', async () => {
    const { file } = names();
    writeFileSync(file, 'old', { mode: 0o644 });
    const { fingerprint } = await generateIdentity(file, true);
    expect(await fingerprintFile(file)).toBe(fingerprint);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});
