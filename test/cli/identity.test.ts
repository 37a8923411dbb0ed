/** `pq-websocket keygen` and `fingerprint` as commands; test/unit/identity-files.test.ts has the files. */
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { EXIT } from '../../packages/cli/src/command/exit-codes.ts';
import { useCommand } from '../support/command.ts';
import { echoServer } from './servers.ts';

const start = useCommand();
const folder = mkdtempSync(path.join(tmpdir(), 'pqws-keygen-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const file = (name: string): string => path.join(folder, name);

test("a key that a server and its clients can use, and a secret that is nobody else's to read", async () => {
  const { code, stdout } = await start(['keygen', '--out', file('identity.pem')]).ended;
  expect(code).toBe(EXIT.OK);
  const [, fingerprint] = /fingerprint {2}(sha256:[0-9a-f]{64})\n$/.exec(stdout) ?? [];
  expect(stdout).toBe(
    `secret key   ${file('identity.pem')}\npublic key   ${file('identity.pub.pem')}\nfingerprint  ${fingerprint}\n`,
  );
  expect(stdout).not.toContain('PRIVATE');
  expect(statSync(file('identity.pem')).mode & 0o777).toBe(0o600);
  // OpenSSL reads it too.
  expect(createPublicKey(readFileSync(file('identity.pub.pem'), 'utf8')).asymmetricKeyType).toBe('ml-dsa-65');
  for (const name of ['identity.pem', 'identity.pub.pem']) {
    expect(await start(['fingerprint', file(name)]).ended).toMatchObject({ code: EXIT.OK, stdout: `${fingerprint}\n` });
  }
  const { url } = await echoServer({ identity: readFileSync(file('identity.pem'), 'utf8') });
  expect((await start(['connect', url, '-m', 'a', '-n', '1', '--pin', fingerprint as string]).ended).code).toBe(
    EXIT.OK,
  );
});

test('files that are there stay, and the exit code says so', async () => {
  writeFileSync(file('there.pem'), 'precious');
  const { code, stdout, stderr } = await start(['keygen', '-o', file('there.pem')]).ended;
  expect({ code, stdout }).toEqual({ code: EXIT.FAILED, stdout: '' });
  expect(stderr).toMatch(
    /^pq-websocket: '.*there\.pem' is there already: --force overwrites it, --out names another\n$/,
  );
  expect(readFileSync(file('there.pem'), 'utf8')).toBe('precious');
  expect((await start(['keygen', '-o', file('there.pem'), '--force']).ended).code).toBe(EXIT.OK);
  expect(readFileSync(file('there.pem'), 'utf8')).toContain('PRIVATE KEY');
});

test.each([
  ['not there', 'none', 'ENOENT'],
  ['no key', 'target', 'ML-DSA-65'],
])('fingerprint of a file that is %s', async (_name, name, message) => {
  writeFileSync(file('target'), 'precious');
  const { code, stdout, stderr } = await start(['fingerprint', file(name)]).ended;
  expect({ code, stdout }).toEqual({ code: EXIT.FAILED, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('precious');
});

test('--version, and help for who asks for it or errs', async () => {
  const { version } = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string;
  };
  expect(await start(['--version']).ended).toEqual({ code: EXIT.OK, stdout: `${version}\n`, stderr: '' });
  expect(await start(['--help']).ended).toMatchObject({
    code: EXIT.OK,
    stdout: expect.stringContaining('Examples:'),
    stderr: '',
  });
  expect(await start(['keygn']).ended).toMatchObject({
    code: EXIT.USAGE,
    stdout: '',
    stderr: expect.stringContaining('keygen'),
  });
  expect(await start([]).ended).toMatchObject({
    code: EXIT.USAGE,
    stdout: '',
    stderr: expect.stringContaining('connect'),
  });
});
