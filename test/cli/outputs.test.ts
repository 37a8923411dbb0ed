/** Outputs that cannot be written: no command ends for what nobody reads, and none keeps quiet about what is lost. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { WebSocket as PlainSocket } from 'ws';
import { EXIT } from '../../packages/cli/src/command/exit-codes.ts';
import { generateIdentity } from '../../packages/cli/src/command/identity.ts';
import { WebSocket } from '../../src/ws.ts';
import { useCommand } from '../support/command.ts';
import { once } from '../support/deferred.ts';
import { isLeftOutHere } from '../support/left-out.ts';
import { echoServer } from './servers.ts';

const start = useCommand();
const folder = mkdtempSync(path.join(tmpdir(), 'pqws-outputs-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.each([
  ['serve', async () => ['serve', '--listen', '127.0.0.1:0'], (url: string) => new WebSocket(url)],
  [
    'tunnel',
    async () => ['tunnel', (await echoServer()).url, '--listen', '127.0.0.1:0'],
    (url: string) => new PlainSocket(url),
  ],
] as const)('%s', (_name, argumentsOf, connect) => {
  test('goes on when nobody reads standard error any more', async () => {
    const command = start(await argumentsOf());
    const [, url = ''] = /^listening (\S+)/.exec(await command.nextLine()) ?? [];
    command.child.stderr?.destroy();
    // Each has its lines on standard error, of its beginning and its end.
    for (let i = 0; i < 3; i += 1) {
      const socket = connect(url) as PlainSocket;
      await once(socket, 'open');
      socket.send(`message ${i}`);
      const [data] = await once<[Buffer]>(socket, 'message');
      expect(data.toString()).toBe(`message ${i}`);
      socket.close();
      await once(socket, 'close');
    }
    command.child.kill('SIGTERM');
    expect((await command.ended).code).toBe(EXIT.OK);
  });
});

const why = process.platform === 'linux' ? undefined : 'only Linux has /dev/full';
describe.skipIf(isLeftOutHere('output to a full disk, of every command', why))('a full disk', () => {
  /** With the shell's redirection, in a shell that becomes the command. */
  async function redirected(args: readonly string[], redirection: string): Promise<{ code: number; said: string }> {
    const child = spawn('sh', ['-c', `exec "$0" "$@" ${redirection}`, process.execPath, start.script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    const [code] = await once<[number]>(child, 'close');
    return { code, said };
  }
  const SAID = { code: EXIT.FAILED, said: 'pq-websocket: the output cannot be written (ENOSPC)\n' };

  test.each([
    [['--help']],
    [['completion', 'bash']],
    [['keygen', '--out', path.join(folder, 'new.pem')]],
    [['gateway', '--upstream', 'ws://a', '--check-config']],
    [['doctor', 'ws://127.0.0.1:1', '--json']],
  ])('%j says so, with the exit code 1', async (args) => {
    expect(await redirected(args, '>/dev/full')).toEqual(SAID);
  });

  test('fingerprint says so', async () => {
    const { publicFile } = await generateIdentity(path.join(folder, 'other.pem'), false);
    expect(await redirected(['fingerprint', publicFile], '>/dev/full')).toEqual(SAID);
  });

  test('for standard error leaves the exit code as it is', async () => {
    expect(await redirected(['connect', 'ws://127.0.0.1:1', '-m', 'x'], '2>/dev/full')).toEqual({
      code: EXIT.UNREACHABLE,
      said: '',
    });
    const file = path.join(folder, 'wrong.yaml');
    writeFileSync(file, 'routes: 1\n');
    expect((await redirected(['gateway', '--config', file], '2>/dev/full')).code).toBe(EXIT.USAGE);
  });
});
