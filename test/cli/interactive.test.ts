/** The prompt: what a person types, sees and is protected from. Some tests have a real terminal, by util-linux's script or test/support/terminal.py. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { dial } from '../../packages/cli/src/command/dial.ts';
import { Dialogue } from '../../packages/cli/src/command/connect/dialogue.ts';
import { interact, TerminalView } from '../../packages/cli/src/command/connect/interactive.ts';
import { EXIT } from '../../packages/cli/src/command/exit-codes.ts';
import type { ExitCode } from '../../packages/cli/src/command/exit-codes.ts';
import { findProgram } from '../../scripts/lib/debian.ts';
import { useCommand } from '../support/command.ts';
import { waitFor } from '../support/deferred.ts';
import { isLeftOut } from '../support/left-out.ts';
import { echoServer } from './servers.ts';
import type { Accepted } from './servers.ts';

const command = useCommand();
const folder = mkdtempSync(path.join(tmpdir(), 'pqws-prompt-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const UP = '\u001b[A';

interface Prompt {
  readonly dialogue: Dialogue;
  readonly peer: Accepted;
  type(text: string): void;
  /** Resolves when the screen has this, behind what an earlier call has waited for. */
  shows(text: string | RegExp): Promise<void>;
  /** All that was written. */
  readonly screen: string;
  readonly over: Promise<ExitCode>;
}

async function openPrompt(
  more: { path?: string; historyFile?: string; format?: 'text' | 'hex' } = {},
): Promise<Prompt> {
  const server = await echoServer();
  const input = new PassThrough();
  const output = new PassThrough();
  let screen = '';
  let seen = 0;
  output.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
  });
  const call = dial({ url: server.url + (more.path ?? '/'), protocols: [], options: {} });
  onTestFinished(() => {
    call.socket.terminate();
  });
  const format = more.format ?? 'text';
  const view = new TerminalView(
    { output, errors: output },
    { format, verbose: true, proof: 'server not authenticated' },
  );
  const dialogue = new Dialogue(call, view, output, { count: undefined, pingEvery: 0 });
  const over = interact(dialogue, view, input, { output, errors: output }, { format, historyFile: more.historyFile });
  const shows = async (text: string | RegExp): Promise<void> => {
    seen += await waitFor(
      () => {
        const found = new RegExp(
          typeof text === 'string' ? text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&') : text.source,
        ).exec(screen.slice(seen));
        return found === null ? false : found.index + found[0].length;
      },
      output,
      'data',
    );
  };
  await shows('> ');
  return {
    dialogue,
    peer: await server.next(),
    type: (text) => void input.write(text),
    shows,
    get screen() {
      return screen;
    },
    over,
  };
}

test('a line is a message, the reply stands above the prompt, and what has been typed stays', async () => {
  const { peer, type, shows, over, screen } = await openPrompt();
  expect(screen).toContain('connected: no TLS; v1 ml-kem-768');
  type('hello\r');
  await shows('< hello\n');
  type('half a li');
  await shows('half a li');
  peer.socket.send('news');
  // The line is taken away, the message written, and the line is back.
  await shows('\u001b[1G\u001b[0J< news\n');
  await shows('> half a li');
  type('ne\r');
  await shows('< half a line\n');
  type('\u0004');
  expect(await over).toBe(EXIT.OK);
  await peer.closed;
  expect(peer.log).toEqual(['hello', 'half a line', 'close 1000 ']);
});

test('history, in one dialogue and from one to the next', async () => {
  const historyFile = path.join(folder, 'history');
  writeFileSync(historyFile, 'from last time\n', { mode: 0o644 });
  const { type, shows, over } = await openPrompt({ historyFile });
  type(UP);
  await shows('from last time');
  type('\r');
  await shows('< from last time\n');
  type('new\r');
  await shows('< new\n');
  type(`${UP}${UP}\r`);
  await shows('< from last time\n');
  type('/quit\r');
  expect(await over).toBe(EXIT.OK);
  expect(readFileSync(historyFile, 'utf8')).toBe('new\nfrom last time\n/quit\n');
  expect(statSync(historyFile).mode & 0o777).toBe(0o600);
  const without = await openPrompt();
  without.type(`${UP}x\r`);
  await without.shows('< x\n');
});

test('slash commands', async () => {
  const prompt = await openPrompt();
  const { peer, type, shows, over } = prompt;
  type('/hex 00 fF\r');
  await shows('< [2 bytes] 00ff\n');
  type('/base64 AP8=\r');
  await shows('< [2 bytes] 00ff\n');
  const file = path.join(folder, 'file');
  writeFileSync(file, Buffer.alloc(9_000, 1));
  type(`/file ${file}\r`);
  await shows('< [9000 bytes] 0101');
  await shows('01 [9808 more characters]\n');
  type('/ping\r');
  await shows(/pong after [\d.]+ ms\n/);
  peer.socket.ping();
  await shows('ping\n');
  type('//no command\r');
  await shows('< /no command\n');
  type('/help\r');
  await shows('/close [CODE [REASON]]');
  type('/info\r');
  await shows(/transcript {3}[0-9a-f]{64}\n/);
  for (const [line, said] of [
    ['/nothing', 'no such command'],
    ['/hex 0', 'not hexadecimal'],
    ['/base64 a', 'not base64'],
    ['/file /none', 'cannot be read (ENOENT)'],
    ['/close 1006', 'close code'],
    [`/close 1000 ${'r'.repeat(124)}`, 'reason must not be longer'],
  ] as const) {
    type(`${line}\r`);
    await shows(said);
  }
  type('/cl');
  // Completed.
  type('\t');
  await shows('/close');
  type(' 4001 grund \u00e4\r');
  expect(await over).toBe(EXIT.OK);
  expect(await peer.closed).toBe('close 4001 grund \u00e4');
  expect(peer.log.slice(0, 2)).toEqual(['00ff', '00ff']);
});

test('what the peer sends cannot act on the terminal or forge a line', async () => {
  const prompt = await openPrompt();
  prompt.peer.socket.send('\u001b]0;owned\u0007\u001b[2J\u009b31m\rline\n> fake\n< fake\u202e\ud800');
  await prompt.shows('< \\u001b]0;owned\\u0007\\u001b[2J\\u009b31m\\u000dline\n  > fake\n  < fake\\u202e\ufffd\n');
  prompt.peer.socket.close(4000, '\u001b[2Jx\ny');
  await prompt.shows('closed: 4000 \\u001b[2Jx\\ny\n');
  expect(await prompt.over).toBe(EXIT.PEER_CODE);
});

test('lines in hex, Ctrl-C, and a cut', async () => {
  const hex = await openPrompt({ format: 'hex' });
  hex.type('00 01\r');
  await hex.shows('< [2 bytes] 0001\n');
  hex.type('\u0003');
  expect(await hex.over).toBe(EXIT.INTERRUPTED);
  expect(await hex.peer.closed).toBe('close 1000 ');
  const cut = await openPrompt();
  cut.peer.socket.terminate();
  await cut.shows('the connection was cut');
  expect(await cut.over).toBe(EXIT.ABNORMAL);
});

test('a real terminal has the prompt and colours, and NO_COLOR none', async (context) => {
  const script = '/usr/bin/script';
  if (!existsSync(script)) context.skip(`${script} (util-linux) is not here`);
  for (const colours of [true, false]) {
    const server = await echoServer();
    const line = [process.execPath, command.script, 'connect', server.url].map((word) => `'${word}'`).join(' ');
    const child = spawn(script, ['-qec', line, '/dev/null'], {
      // CI, where it is set, tells Node that nobody sees colours.
      env: { ...process.env, CI: undefined, TERM: 'xterm-256color', NO_COLOR: colours ? '' : '1' },
      stdio: 'pipe',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let screen = '';
    child.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString();
    });
    const shows = (text: string): Promise<true> => waitFor(() => screen.includes(text), child.stdout, 'data');
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    await shows('> ');
    const { log, closed } = await server.next();
    child.stdin.write('hello\r');
    await shows('< hello');
    child.stdin.write('/close 1000 bye\r');
    expect(await ended).toBe(EXIT.OK);
    expect(screen.includes('\u001b[36m< hello')).toBe(colours);
    expect(screen.includes('\u001b[32m')).toBe(colours);
    await closed;
    expect(log).toEqual(['hello', 'close 1000 bye']);
  }
});

test('what is typed while it connects is sent when it has', async () => {
  const server = await echoServer();
  const input = new PassThrough();
  const output = new PassThrough();
  output.resume();
  input.write('early\rand more\r');
  const call = dial({ url: server.url, protocols: [], options: {} });
  onTestFinished(() => {
    call.socket.terminate();
  });
  const streams = { output, errors: output };
  const view = new TerminalView(streams, { format: 'text', verbose: false, proof: '' });
  const dialogue = new Dialogue(call, view, output, { count: undefined, pingEvery: 0 });
  const over = interact(dialogue, view, input, streams, { format: 'text', historyFile: undefined });
  const { log, socket } = await server.next();
  await waitFor(() => log.length === 2, socket, 'message');
  input.write('\u0004');
  expect(await over).toBe(EXIT.OK);
  expect(log.slice(0, 2)).toEqual(['early', 'and more']);
});

test('what has been typed and not sent is shown again when the peer closes', async () => {
  const prompt = await openPrompt();
  prompt.type('half a thought');
  await prompt.shows('half a thought');
  prompt.peer.socket.close(4000, 'enough');
  await prompt.shows('closed: 4000 enough');
  await prompt.shows('not sent: half a thought\n');
  expect(await prompt.over).toBe(EXIT.PEER_CODE);
  // The shell's own prompt comes next.
  expect(prompt.screen.endsWith('\u001b[1G\u001b[0Jnot sent: half a thought\n')).toBe(true);
});

const isOut = isLeftOut(
  '`connect` on a real terminal that closes',
  findProgram('python3') === undefined ? 'python3, which makes the pseudo-terminal, is missing' : undefined,
);

test.skipIf(isOut).each([
  ['signal:SIGHUP', EXIT.HUNG_UP],
  ['signal:SIGTERM', EXIT.TERMINATED],
  ['type:\\u0003', EXIT.INTERRUPTED],
])('on a terminal, %s closes the connection, keeps the history and gives the terminal back', async (action, code) => {
  const server = await echoServer();
  const historyFile = path.join(folder, `history of ${code}`);
  writeFileSync(historyFile, 'said before\n');
  const { stdout } = await promisify(execFile)('python3', [
    ...['test/support/terminal.py', '/help lists commands', action],
    ...[process.execPath, command.script, 'connect', server.url, '--history', historyFile],
  ]);
  const { log, closed } = await server.next();
  await closed;
  expect(log).toEqual(['close 1000 ']);
  expect(JSON.parse(stdout)).toMatchObject({ acted: true, code, signal: null, echoes: true });
  expect(readFileSync(historyFile, 'utf8')).toBe('said before\n');
});

test('a terminal that closes, as its shell and the kernel tell, closes the connection and cuts nothing', async () => {
  const { dialogue, peer, over } = await openPrompt();
  const cut = vi.spyOn(dialogue.call.socket, 'terminate');
  dialogue.interrupt(EXIT.HUNG_UP);
  dialogue.interrupt(EXIT.HUNG_UP);
  expect(cut).not.toHaveBeenCalled();
  expect(await over).toBe(EXIT.HUNG_UP);
  await peer.closed;
  expect(peer.log).toEqual(['close 1000 ']);
});
