/** `pq-websocket serve` and `tunnel` as processes, with plain and secure clients. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket as PlainSocket, WebSocketServer as PlainServer } from 'ws';
import { EXIT } from '../../packages/cli/src/command/exit-codes.ts';
import { generateIdentity } from '../../packages/cli/src/command/identity.ts';
import { WebSocket } from '../../src/ws.ts';
import type { WebSocketOptions } from '../../src/ws.ts';
import { useCommand } from '../support/command.ts';
import type { RunningCommand } from '../support/command.ts';
import { once } from '../support/deferred.ts';
import { assertSealed, startTap } from '../support/tap.ts';
import { CERTIFICATES, echoServer } from './servers.ts';
import { usageError } from './usage.ts';

const start = useCommand();
const folder = mkdtempSync(path.join(tmpdir(), 'pqws-serve-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The URL of the next line. */
async function listening(command: RunningCommand): Promise<string> {
  const [, url] = /^listening (\S+)/.exec(await command.nextLine()) ?? [];
  return url as string;
}

type Socket = WebSocket | PlainSocket;

async function opened<T extends Socket>(socket: T): Promise<T> {
  onTestFinished(() => {
    socket.terminate();
  });
  await once(socket as PlainSocket, 'open');
  return socket;
}
const secure = (url: string, options: WebSocketOptions = {}): Promise<WebSocket> => opened(new WebSocket(url, options));
const plain = (url: string, ...more: [] | [string[]] | [string[], object]): Promise<PlainSocket> =>
  opened(new PlainSocket(url, ...(more as [])));

async function next(socket: Socket): Promise<string> {
  const [data, isBinary] = await once<[Buffer, boolean]>(socket, 'message');
  return isBinary ? data.toString('hex') : data.toString();
}

describe('serve', () => {
  test('sends back what it gets, and ends with 1001 for everybody on each signal', async () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const command = start(['serve', '--listen', '127.0.0.1:0']);
      const socket = await secure(await listening(command));
      socket.send('text');
      expect(await next(socket)).toBe('text');
      socket.send(Buffer.of(0, 255));
      expect(await next(socket)).toBe('00ff');
      const closed = once<[number]>(socket, 'close');
      command.child.kill(signal);
      expect((await closed)[0]).toBe(1001);
      const { code, stderr } = await command.ended;
      expect(code).toBe(EXIT.OK);
      expect(stderr).toMatch(/^1: connected, v1, 127\.0\.0\.1\n1: closed with 1001, 2 messages\n$/);
    }
  });

  test('--broadcast: everybody else, secure and plain, gets it', async () => {
    const command = start(['serve', '-q', '--broadcast', '--listen', '127.0.0.1:0', '--plain', '127.0.0.1:0']);
    const url = await listening(command);
    const sender = await secure(url);
    const others = [await secure(url), await plain(await listening(command))];
    const heard = others.map(next);
    const own: string[] = [];
    sender.on('message', (data) => own.push(data.toString()));
    sender.send('to all');
    expect(await Promise.all(heard)).toEqual(['to all', 'to all']);
    const answer = next(sender);
    others[1]?.send('from plain');
    expect(await answer).toBe('from plain');
    expect(own).toEqual(['from plain']);
    command.child.kill('SIGTERM');
    expect(await command.ended).toMatchObject({ code: EXIT.OK, stderr: '' });
  });

  test('TLS, an identity whose pin it prints, a context', async () => {
    const file = path.join(folder, 'identity.pem');
    const { fingerprint } = await generateIdentity(file, true);
    const tls = [
      '--tls-cert',
      path.join(CERTIFICATES, 'one.cert.pem'),
      '--tls-key',
      path.join(CERTIFICATES, 'one.key.pem'),
    ];
    const command = start(['serve', '--listen', '127.0.0.1:0', '--identity', file, '--context', 'ours', ...tls]);
    const url = await listening(command);
    expect(url).toMatch(/^wss:/);
    expect(await command.nextLine()).toBe(`pin ${fingerprint}`);
    const socket = await secure(url, {
      ca: readFileSync(path.join(CERTIFICATES, 'one.cert.pem')),
      servername: 'localhost',
      serverKeys: fingerprint,
      context: 'ours',
    } as WebSocketOptions);
    socket.send('a');
    expect(await next(socket)).toBe('a');
  });

  test('a client that speaks plain is told so, and others stay', async () => {
    const command = start(['serve', '-q', '--listen', '127.0.0.1:0']);
    const url = await listening(command);
    const socket = await plain(url);
    socket.send('hello there');
    expect((await once<[number, Buffer]>(socket, 'close')).map(String)).toEqual([
      '3768',
      'the peer does not speak pq-websocket',
    ]);
    const other = await secure(url);
    other.send('a');
    expect(await next(other)).toBe('a');
  });

  test('an address that is taken names the flag', async () => {
    const { port } = await echoServer();
    const { code, stderr } = await start(['serve', '--listen', `127.0.0.1:${port}`]).ended;
    expect({ code, stderr }).toEqual({
      code: EXIT.FAILED,
      stderr: 'pq-websocket: --listen: somebody else listens there; port 0 takes a free one\n',
    });
  });

  test.each([
    ['no address', ['--listen', 'here'], '--listen: expected host:port'],
    ['plain for all', ['--plain', ':8081'], '--plain: what is said there is plain, so only this machine'],
    ['no identity', ['--identity', '/none'], "--identity: '/none' cannot be read (ENOENT)"],
    [
      'another key',
      ['--identity', path.join(CERTIFICATES, 'one.key.pem')],
      'is not a PEM private key of ML-DSA-65 (RFC 9881); `pq-websocket keygen` writes one',
    ],
    ['another profile', ['--profiles', 'v2'], '--profiles takes'],
    ['half of TLS', ['--tls-cert', '/none'], '--tls-cert and --tls-key belong together'],
    ['a passphrase for nothing', ['--passphrase', 'a'], '--passphrase is for --tls-key'],
  ])('usage: %s', async (_name, args, message) => {
    const { error } = await usageError(['serve', '--listen', '127.0.0.1:0', ...args]);
    expect(error.message).toContain(message);
  });
});

describe('tunnel', () => {
  const tunnelTo = async (url: string, ...args: string[]): Promise<{ command: RunningCommand; url: string }> => {
    const command = start(['tunnel', url, '--listen', '127.0.0.1:0', ...args]);
    return { command, url: await listening(command) };
  };

  test('what a plain program says is sealed on the wire; path, headers, subprotocol, messages and closes come through', async () => {
    const server = await echoServer();
    const tap = await startTap(server.port);
    onTestFinished(() => tap.close());
    const tunnel = await tunnelTo(`ws://127.0.0.1:${tap.port}`, '-H', 'X-Key: ours');
    const socket = await plain(`${tunnel.url}/room?q=1`, ['other', 'chat'], {
      headers: { Cookie: 'a=1', 'X-Key': 'theirs' },
    });
    expect(socket.protocol).toBe('chat');
    const { request, log, socket: far } = await server.next();
    expect(request.url).toBe('/room?q=1');
    expect(request.headers).toMatchObject({ cookie: 'a=1', 'x-key': 'ours', host: `127.0.0.1:${tap.port}` });
    socket.send('the marked words');
    expect(await next(socket)).toBe('the marked words');
    socket.send(Buffer.of(1, 2));
    expect(await next(socket)).toBe('0102');
    const closed = once<[number, Buffer]>(socket, 'close');
    far.close(4003, 'from afar');
    expect((await closed).map(String)).toEqual(['4003', 'from afar']);
    expect(log.slice(0, 2)).toEqual(['the marked words', '0102']);
    assertSealed(tap, ['the marked words', 'from afar']);
  });

  test('closes and cuts of the program reach the server as what they are', async () => {
    const server = await echoServer();
    const tunnel = await tunnelTo(server.url);
    const polite = await plain(tunnel.url);
    const first = await server.next();
    polite.close(4001, 'done');
    expect(await first.closed).toBe('close 4001 done');
    const rude = await plain(tunnel.url);
    const second = await server.next();
    rude.terminate();
    expect(await second.closed).toBe('close 1006 ');
  });

  test('a close is answered when the other end has answered it', async () => {
    const server = await echoServer();
    const tunnel = await tunnelTo(server.url);
    const answered = async (): Promise<void> => {
      const other = await plain(tunnel.url);
      await server.next();
      other.send('there and back');
      await next(other);
    };
    const program = await plain(tunnel.url);
    const deaf = await server.next();
    deaf.socket.pause();
    const ended = once<[number]>(program, 'close');
    program.send('never read');
    program.close(4001, 'done');
    // By then the tunnel has read that, too.
    await answered();
    deaf.socket.terminate();
    expect((await ended)[0]).toBe(1006);

    const deafProgram = await plain(tunnel.url);
    const polite = await server.next();
    deafProgram.pause();
    polite.socket.send('never read');
    polite.socket.close(4002, 'done');
    await answered();
    deafProgram.terminate();
    expect(await polite.closed).toBe('close 1006 ');
  });

  test('a path that begins with two slashes is one', async () => {
    const server = await echoServer();
    const tunnel = await tunnelTo(server.url);
    await plain(`${tunnel.url}//room/a?q=1`);
    expect((await server.next()).request.url).toBe('//room/a?q=1');
  });

  test('a URL with a path is where everything goes', async () => {
    const server = await echoServer();
    const tunnel = await tunnelTo(`${server.url}/chat?key=1`);
    await plain(`${tunnel.url}/elsewhere`);
    expect((await server.next()).request.url).toBe('/chat?key=1');
  });

  test('8 MB each way, byte for byte', async () => {
    const server = await echoServer();
    const tunnel = await tunnelTo(server.url);
    const { code, stdout } = await start(['connect', server.url, '-q', '-n', '1', '-m', 'warm']).ended;
    expect({ code, stdout }).toEqual({ code: EXIT.OK, stdout: 'warm\n' });
    const socket = await plain(tunnel.url);
    const parts = Array.from({ length: 128 }, (_, i) => Buffer.alloc(65_536, i));
    const back: Buffer[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        if (back.push(data) === parts.length) resolve();
      });
    });
    for (const part of parts) socket.send(part);
    await all;
    expect(Buffer.concat(back).equals(Buffer.concat(parts))).toBe(true);
  });

  test('a server that is plain, or is not who it should be: 502, and why', async () => {
    const far = new PlainServer({ port: 0, host: '127.0.0.1' });
    await once(far, 'listening');
    far.on('connection', (socket) => {
      socket.send('welcome');
    });
    onTestFinished(() => void far.close());
    const toPlain = await tunnelTo(`ws://127.0.0.1:${(far.address() as { port: number }).port}`);
    const toStranger = await tunnelTo((await echoServer()).url, '--pin', `sha256:${'0'.repeat(64)}`);
    for (const [tunnel, why] of [
      [toPlain, 'the server does not speak pq-websocket: PQ_ERR_NOT_PQ_WEBSOCKET'],
      [toStranger, 'the server did not prove who it is'],
    ] as const) {
      const [error] = await once<[Error]>(new PlainSocket(tunnel.url), 'error');
      expect(error.message).toContain('502');
      tunnel.command.child.kill('SIGTERM');
      expect((await tunnel.command.ended).stderr).toContain(why);
    }
  });

  test('web pages are refused unless they are named', async () => {
    const { url: far } = await echoServer();
    const tunnel = await tunnelTo(far, '--allow-origin', 'https://app.example');
    const [error] = await once<[Error]>(new PlainSocket(tunnel.url, { origin: 'https://evil.example' }), 'error');
    expect(error.message).toContain('403');
    await plain(tunnel.url, [], { origin: 'https://app.example' });
  });

  test('a signal ends it, with 1001 both ways', async () => {
    const server = await echoServer();
    const tunnel = await tunnelTo(server.url);
    const socket = await plain(tunnel.url);
    const { closed } = await server.next();
    const near = once<[number]>(socket, 'close');
    tunnel.command.child.kill('SIGTERM');
    expect((await tunnel.command.ended).code).toBe(EXIT.OK);
    expect(await closed).toBe('close 1001 ');
    expect((await near)[0]).toBe(1001);
  });

  test.each([
    ['an address for all', ['--listen', ':8080'], '--listen: what is said there is plain, so only this machine'],
    ['another machine', ['--listen', '192.0.2.1:80'], '--listen: what is said there is plain'],
    ['an origin with a path', ['--allow-origin', 'https://a.example/'], '--allow-origin: expected an origin'],
    ['a pin that is none', ['--pin', 'x'], '--pin must be'],
  ])('usage: %s', async (_name, args, message) => {
    const { error } = await usageError(['tunnel', 'wss://127.0.0.1:1', '--listen', '127.0.0.1:0', ...args]);
    expect(error.message).toContain(message);
  });
});
