/** Nothing that was received or given gets lost in silence: what struck is said, and the exit code tells of it. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EXIT } from '../../packages/cli/src/command/exit-codes.ts';
import { WebSocketServer } from '../../src/ws.ts';
import type { WsStyleWebSocket } from '../../src/ws.ts';
import { useCommand } from '../support/command.ts';
import { once } from '../support/deferred.ts';
import { echoServer, listening } from './servers.ts';
import { soaks } from '../support/soak.ts';

const start = useCommand();
/** What is slow in these tests is the server. */
const later = (milliseconds: number, act: () => void): void => {
  setTimeout(act, milliseconds);
};
const connect = (...args: string[]): ReturnType<typeof start> => start(['connect', ...args]);

/** A server with a conversation of its own. @returns its URL */
async function serverThat(converses: (socket: WsStyleWebSocket) => void): Promise<string> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', converses);
  const port = await listening(server);
  onTestFinished(() => {
    for (const socket of sockets.clients ?? []) socket.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${port}`;
}

describe('replies that take their time', () => {
  /** Longer than the quiet after a reply, shorter than the patience for the first. */
  const THINKING = 1_500;
  const slow = (): Promise<string> =>
    serverThat((socket) => {
      socket.on('message', (data) => {
        later(THINKING, () => {
          socket.send(`answer to ${data.toString()}`);
        });
      });
    });

  test('the first is waited for', async () => {
    const { code, stdout, stderr } = await connect(await slow(), '-m', 'question').ended;
    expect({ code, stdout }).toEqual({ code: EXIT.OK, stdout: 'answer to question\n' });
    expect(stderr).toContain('closed: 1000; no message for 1 s (--wait)');
  });

  test('one that --wait was too short for is said, and is no success', async () => {
    const { code, stdout, stderr } = await connect(await slow(), '-m', 'question', '--wait', '0.2').ended;
    expect({ code, stdout }).toEqual({ code: EXIT.INCOMPLETE, stdout: '' });
    expect(stderr).toContain('no reply within 0.2 s: --wait SECONDS waits longer, --wait 0 for none');
  });

  test('--wait 0 wants none', async () => {
    const { code, stderr } = await connect(await slow(), '-m', 'question', '--wait', '0').ended;
    expect(code).toBe(EXIT.OK);
    expect(stderr).toMatch(/closed: 1000\n$/);
  });

  test('--json tells of it too', async () => {
    const { code, stdout, stderr } = await connect(await slow(), '--json', '-m', '{"text":"a"}', '--wait', '0.1').ended;
    expect(code).toBe(EXIT.INCOMPLETE);
    expect(stderr).toContain('no reply within 0.1 s');
    expect(stdout).toContain(`"exitCode":${EXIT.INCOMPLETE}`);
  });

  test('what comes behind the close is told of, and is no success', async () => {
    let hasAnswered = false;
    const url = await serverThat((socket) => {
      socket.on('message', () => {
        socket.send('in time');
        hasAnswered = true;
        // While the close is on its slow way.
        for (const late of [500, 600]) later(late, () => socket.send('late'));
      });
    });
    const relay = createTcpServer((near) => {
      const far = connectTcp(Number(new URL(url).port), '127.0.0.1');
      for (const end of [near, far]) end.on('error', () => undefined);
      far.pipe(near);
      near.on('data', (chunk) => {
        if (hasAnswered) later(1_000, () => far.write(chunk));
        else far.write(chunk);
      });
    });
    const port = await listening(relay as never);
    onTestFinished(() => void relay.close());
    const { code, stdout, stderr } = await connect(`ws://127.0.0.1:${port}`, '-m', 'a', '--wait', '0.3').ended;
    expect({ code, stdout }).toEqual({ code: EXIT.INCOMPLETE, stdout: 'in time\n' });
    expect(stderr).toContain('more came behind the close, and was not read');
  });
});

test('2 MB of lines piped in: every echo comes out', async () => {
  const { url } = await echoServer();
  const lines = Array.from({ length: 2_000 }, () => randomBytes(500).toString('hex'));
  const { code, stdout } = await start(['connect', url, '-q'], { input: `${lines.join('\n')}\n` }).ended;
  expect(code).toBe(EXIT.OK);
  expect(stdout).toBe(`${lines.join('\n')}\n`);
});

test('a server that reads slowly is waited for', async () => {
  const url = await serverThat((socket) => {
    socket.on('message', (data) => {
      // Longer than the quiet: each message is taken when the one before has been thought about.
      socket.pause();
      later(1_200, () => {
        socket.send(`${data.toString().length}`);
        socket.resume();
      });
    });
  });
  const { code, stdout } = await start(['connect', url, '-q', '--whole', '--count', '1'], {
    input: 'x'.repeat(5_000_000),
  }).ended;
  expect({ code, stdout }).toEqual({ code: EXIT.OK, stdout: '5000000\n' });
});

test('replies are heard while much input is there at once: who has had enough of them ends it', async () => {
  const { url, next } = await echoServer();
  const lines = 30_000;
  const command = start(['connect', url, '-q'], { input: 'y\n'.repeat(lines), readsOutput: false });
  const { log, closed } = await next();
  command.child.stdout?.once('data', () => command.child.stdout?.destroy());
  await closed;
  expect(log.length).toBeLessThan(lines / 2);
  expect((await command.ended).code).toBe(EXIT.INCOMPLETE);
});

test.each([
  ['standard output', '> /dev/full'],
  ['standard output, bytes', '--output raw > /dev/full'],
  ['standard output, JSON', '--json > /dev/full'],
])('%s on a full disk: exit code 1, and it is said', async (_name, redirected) => {
  const { url } = await echoServer();
  const message = redirected.includes('--json') ? '{"text":"a"}' : 'a';
  const child = spawn(
    'sh',
    ['-c', `"$0" "$1" connect "$2" -q -m '${message}' -n 1 ${redirected}`, process.execPath, start.script, url],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = await once<[number]>(child, 'close');
  expect(code).toBe(EXIT.FAILED);
  expect(stderr).toContain('the output cannot be written (ENOSPC)');
});

test('messages behind the one that --count waits for are counted', async () => {
  const url = await serverThat((socket) => {
    for (const text of ['one', 'two', 'three']) socket.send(text);
  });
  const { code, stdout, stderr } = await connect(url, '--no-input', '-n', '1').ended;
  expect({ code, stdout }).toEqual({ code: EXIT.OK, stdout: 'one\n' });
  expect(stderr).toContain('2 more had come');
});

test('input behind a close of its own was not sent', async () => {
  const { url } = await echoServer();
  const { code, stderr } = await start(['connect', url, '--json'], { input: '{"type":"close"}\n{"text":"late"}\n' })
    .ended;
  expect(code).toBe(EXIT.INCOMPLETE);
  expect(stderr).toContain('not all input was sent');
});

/** 100 MB with PQ_SOAK. */
const BYTES = soaks ? 100_000_000 : 8_000_000;

test(`${BYTES / 1_000_000} MB each way, byte for byte`, { timeout: 240_000 }, async () => {
  const hash = createHash('sha256');
  let received = 0;
  const url = await serverThat((socket) => {
    socket.on('message', (data) => {
      hash.update(data);
      received += data.length;
      socket.send(data, () => {
        if (socket.bufferedAmount < 1_000_000) socket.resume();
      });
      if (socket.bufferedAmount >= 1_000_000) socket.pause();
    });
  });
  const bytes = randomBytes(BYTES);
  const sent = createHash('sha256').update(bytes).digest('hex');
  const running = start(['connect', url, '-q', '--input', 'raw', '--output', 'raw'], {
    input: bytes,
    readsOutput: false,
  });
  const came = createHash('sha256');
  let length = 0;
  running.child.stdout?.on('data', (chunk: Buffer) => {
    came.update(chunk);
    length += chunk.length;
  });
  expect(await running.ended).toMatchObject({ code: EXIT.OK, stderr: '' });
  expect([received, length]).toEqual([BYTES, BYTES]);
  expect([hash.digest('hex'), came.digest('hex')]).toEqual([sent, sent]);
});
