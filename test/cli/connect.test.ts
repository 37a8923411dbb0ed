/** `pq-websocket connect` as scripts use it: pipes, formats, JSON, exit codes. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer as PlainServer } from 'ws';
import { InputError, parseJsonAction } from '../../packages/cli/src/command/connect/formats.ts';
import { EXIT } from '../../packages/cli/src/command/exit-codes.ts';
import { generateIdentity } from '../../packages/cli/src/command/identity.ts';
import { createTestEnclave } from '../../packages/nitro/src/testing.ts';
import { useCommand } from '../support/command.ts';
import { once } from '../support/deferred.ts';
import { CERTIFICATES, echoServer, listening } from './servers.ts';
import { usageError } from './usage.ts';

const start = useCommand();
const folder = mkdtempSync(path.join(tmpdir(), 'pqws-connect-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const connect = (...args: string[]): ReturnType<typeof start> => start(['connect', ...args]);
const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('text, hex, base64 and raw bytes', () => {
  test('a line is a message, and --count is how many replies it waits for', async () => {
    const server = await echoServer();
    const { code, stdout, stderr } = await start(['connect', server.url, '--count', '3'], {
      input: 'one\n\nzw\u00f6lf',
    }).ended;
    expect({ code, stdout }).toEqual({ code: EXIT.OK, stdout: 'one\n\nzw\u00f6lf\n' });
    expect(stderr).toMatch(
      /^connected: no TLS; v1 ml-kem-768 AES-256-GCM \(node, \d+ ms\); server not authenticated \(no --pin\)\nclosed: 1000\n$/,
    );
    expect((await server.next()).log).toEqual(['one', '', 'zw\u00f6lf', 'close 1000 ']);
  });

  test.each([
    ['hex', '00 ff\r\n\r\nABCD\n', '00ff\n\nabcd\n', ['00ff', '', 'abcd']],
    ['base64', 'AP8=\nq80=\n', 'AP8=\nq80=\n', ['00ff', 'abcd']],
  ])('%s', async (format, input, output, received) => {
    const server = await echoServer();
    const args = ['connect', server.url, '-q', '--input', format, '--output', format, '-n', `${received.length}`];
    expect(await start(args, { input }).ended).toEqual({ code: EXIT.OK, stdout: output, stderr: '' });
    expect((await server.next()).log).toEqual([...received, 'close 1000 ']);
  });

  test('a file to the socket, and the socket to a file, byte for byte', async () => {
    const server = await echoServer();
    const bytes = randomBytes(3_000_001);
    const file = path.join(folder, 'received');
    // The shell's redirections, as the help shows them.
    writeFileSync(path.join(folder, 'sent'), bytes);
    const child = spawn('sh', [
      '-c',
      '"$0" "$1" connect "$2" -q --input raw --output raw < "$3" > "$4"',
      process.execPath,
      start.script,
      server.url,
      path.join(folder, 'sent'),
      file,
    ]);
    const [code] = await once<[number]>(child, 'close');
    expect(code).toBe(EXIT.OK);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect((await server.next()).log.length).toBeGreaterThan(40);
  });

  test.each([
    ['text', 'two\nlines\n', 'two\nlines\n'],
    ['raw', 'two\nlines\n', Buffer.from('two\nlines\n').toString('hex')],
  ])('--whole: all of it is one message (%s)', async (format, input, received) => {
    const server = await echoServer();
    const { code } = await start(['connect', server.url, '--whole', '--input', format, '-n', '1'], { input }).ended;
    expect(code).toBe(EXIT.OK);
    expect((await server.next()).log).toEqual([received, 'close 1000 ']);
  });

  test('--message, repeated; without replies it closes after --wait', async () => {
    const server = await echoServer();
    const { code, stdout } = await connect(`${server.url}/silent`, '-m', 'one', '-m', 'two', '--wait', '0').ended;
    expect({ code, stdout }).toEqual({ code: EXIT.OK, stdout: '' });
    expect((await server.next()).log).toEqual(['one', 'two', 'close 1000 ']);
  });

  test('--no-input waits for the peer', async () => {
    const server = await echoServer();
    const running = connect(server.url, '--no-input');
    const { socket } = await server.next();
    socket.send('first');
    expect(await running.nextLine()).toBe('first');
    socket.send(Buffer.from([7]));
    socket.close(1000, 'enough');
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: EXIT.OK, stdout: 'first\n07\n' });
    expect(stderr).toContain('closed: 1000 enough');
  });

  test('a line that is not what it was said to be', async () => {
    const server = await echoServer();
    const { code, stderr } = await start(['connect', server.url, '-q', '--input', 'hex'], { input: '00\nsecret\n' })
      .ended;
    expect({ code, stderr }).toMatchObject({
      code: EXIT.FAILED,
      stderr: expect.stringContaining('input line 2: not hexadecimal'),
    });
    expect(stderr).not.toContain('secret');
    expect(await (await server.next()).closed).toBe('close 1001 ');
  });

  test('what is written to a file is exact, also where a terminal would get it escaped', async () => {
    const server = await echoServer();
    const { stdout } = await start(['connect', server.url, '-n', '1'], { input: '\u001b[31m\u0007\u202e' }).ended;
    expect(stdout).toBe('\u001b[31m\u0007\u202e\n');
  });
});

describe('--json', () => {
  test('one object a line, each way', async () => {
    const server = await echoServer();
    const input = [
      '{"text":"h\\u00e4"}',
      '{"type":"message","base64":"AP8="}',
      '{"hex":"00 ff"}',
      '{"type":"ping"}',
      '{"type":"close","code":4001,"reason":"done"}',
    ];
    const { code, stdout, stderr } = await start(['connect', server.url, '--json', '-s', 'chat'], { input: null }).feed(
      input,
      ['message', 'message', 'message', 'pong'],
    );
    expect({ code, stderr }).toEqual({ code: EXIT.OK, stderr: '' });
    expect(jsonLines(stdout)).toEqual([
      expect.objectContaining({
        type: 'open',
        url: `${server.url}/`,
        protocol: 'chat',
        tls: null,
        profile: 'v1',
        backend: 'node',
      }),
      { type: 'message', text: 'h\u00e4' },
      { type: 'message', base64: 'AP8=' },
      { type: 'message', base64: 'AP8=' },
      { type: 'pong', milliseconds: expect.any(Number) },
      { type: 'close', code: 4001, reason: 'done', wasClean: true, exitCode: EXIT.OK },
    ]);
    expect(await (await server.next()).closed).toBe('close 4001 done');
  });

  test('bad input closes with 1001', async () => {
    const server = await echoServer();
    const { code, stdout, stderr } = await start(['connect', server.url, '--json'], { input: '{"text":"a"}\nhello\n' })
      .ended;
    expect({ code, stderr }).toEqual({ code: EXIT.FAILED, stderr: 'pq-websocket: input line 2: not JSON\n' });
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'close', exitCode: EXIT.FAILED });
    expect(await (await server.next()).closed).toBe('close 1001 ');
  });

  test.each([
    ['no object', '[]'],
    ['an unknown key', '{"text":"a","binary":true}'],
    ['two messages in one', '{"text":"a","base64":""}'],
    ['none', '{}'],
    ['an unknown type', '{"type":"shout"}'],
    ['a type of Object', '{"type":"constructor"}'],
    ['a text that is none', '{"text":1}'],
    ['base64 that is none', '{"base64":"a"}'],
    ['a code that is none', '{"type":"close","code":"1000"}'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('input that is refused: %s', (_name, input) => {
    expect(() => parseJsonAction(Buffer.from(input))).toThrow(InputError);
  });

  test('control characters are escaped, and it stays the same JSON', async () => {
    const server = await echoServer();
    const evil = 'a\u001b]0;x\u0007\u009b31m\u202e\u2028';
    const { stdout } = await start(['connect', server.url, '--json', '-n', '1'], {
      input: JSON.stringify({ text: evil }),
    }).ended;
    expect(stdout).not.toMatch(/[^\x20-\x7e\n]/);
    expect(jsonLines(stdout)[1]).toEqual({ type: 'message', text: evil });
  });

  test('a failure', async () => {
    const server = await echoServer();
    const { code, stdout } = await connect(
      server.url,
      '--json',
      '-m',
      '{"text":"a"}',
      '--pin',
      `sha256:${'0'.repeat(64)}`,
    ).ended;
    expect(code).toBe(EXIT.AUTHENTICATION);
    expect(jsonLines(stdout)).toEqual([
      { type: 'error', code: 'PQ_ERR_SIGNATURE_MISSING', message: expect.stringContaining('did not prove who it is') },
      { type: 'close', code: 3770, reason: '', wasClean: false, exitCode: EXIT.AUTHENTICATION },
    ]);
  });
});

describe('exit codes', () => {
  test('no server', async () => {
    const server = createTcpServer();
    const port = await listening(server as never);
    server.close();
    const { code, stderr } = await connect(`ws://127.0.0.1:${port}`, '-m', 'a').ended;
    expect({ code, stderr }).toEqual({
      code: EXIT.UNREACHABLE,
      stderr: `pq-websocket: cannot reach the server: connect ECONNREFUSED 127.0.0.1:${port}\n  Is it running, and the port right? Behind a proxy: --proxy http://HOST:PORT.\n`,
    });
  });

  test('TLS: refused for its certificate, accepted with --ca or --insecure-tls', async () => {
    const { port, url } = await echoServer({ tls: true });
    const refused = await connect(url, '-m', 'a', '-n', '1').ended;
    expect(refused).toMatchObject({
      code: EXIT.TLS,
      stderr: expect.stringMatching(/no TLS connection: .*self.signed certificate[^]*--ca FILE/),
    });
    expect(await connect(url, '-m', 'a', '-n', '1', '--insecure-tls').ended).toMatchObject({
      code: EXIT.OK,
      stdout: 'a\n',
      stderr: expect.stringContaining('connected: TLSv1.3 '),
    });
    const trusted = ['--ca', path.join(CERTIFICATES, 'one.cert.pem'), '--servername', 'localhost'];
    expect(await connect(url, '-m', 'a', '-n', '1', ...trusted).ended).toMatchObject({ code: EXIT.OK, stdout: 'a\n' });
    // The seal's checks are not TLS's.
    expect((await connect(url, '-m', 'a', '--insecure-tls', '--pin', `sha256:${'0'.repeat(64)}`).ended).code).toBe(
      EXIT.AUTHENTICATION,
    );
    expect((await connect(`wss://127.0.0.1:${(await echoServer()).port}`, '-m', 'a').ended).code).toBe(EXIT.TLS);
    expect((await connect(`ws://127.0.0.1:${port}`, '-m', 'a').ended).code).toBe(EXIT.UPGRADE);
  });

  test('the upgrade is refused, and what the server says cannot move the cursor', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(302, { Location: 'https://elsewhere.example/' });
      response.end('go\u001b[2Jaway\n\nnow');
    });
    const port = await listening(server);
    onTestFinished(() => void server.close());
    const { code, stderr } = await connect(`ws://127.0.0.1:${port}`, '-m', 'a').ended;
    expect(code).toBe(EXIT.UPGRADE);
    expect(stderr).toBe(
      'pq-websocket: the server refused the upgrade: 302 Found, see https://elsewhere.example/: go\\u001b[2Jaway\\n\\nnow\n' +
        '  --follow goes where it points.\n',
    );
  });

  test('a plain WebSocket server gets nothing of the input', async () => {
    const plain = new PlainServer({ port: 0, host: '127.0.0.1' });
    await once(plain, 'listening');
    const received: string[] = [];
    plain.on('connection', (socket) =>
      socket.on('message', (data) => {
        received.push((data as Buffer).toString());
        socket.send(data, { binary: false });
      }),
    );
    onTestFinished(() => void plain.close());
    const { code, stderr } = await connect(
      `ws://127.0.0.1:${(plain.address() as { port: number }).port}`,
      '-m',
      'the secret',
    ).ended;
    expect(code).toBe(EXIT.HANDSHAKE);
    expect(stderr).toMatch(
      /the server does not speak pq-websocket: PQ_ERR_NOT_PQ_WEBSOCKET\n {2}.*`pq-websocket doctor ws:\/\/127\.0\.0\.1:\d+\/`/,
    );
    expect(received).toEqual([expect.stringContaining('"pq_websocket":1')]);
  });

  test('a server that never answers', async () => {
    const plain = new PlainServer({ port: 0, host: '127.0.0.1' });
    await once(plain, 'listening');
    onTestFinished(() => void plain.close());
    const { code, stderr } = await connect(
      `ws://127.0.0.1:${(plain.address() as { port: number }).port}`,
      '-m',
      'a',
      '--handshake-timeout',
      '300',
    ).ended;
    expect({ code, stderr }).toMatchObject({
      code: EXIT.HANDSHAKE,
      stderr: expect.stringContaining('PQ_ERR_HANDSHAKE_TIMEOUT'),
    });
  });

  test('the context of both ends must be the same', async () => {
    const { url } = await echoServer({ context: 'ours' });
    expect((await connect(url, '-m', 'a', '-n', '1', '--context', 'ours').ended).code).toBe(EXIT.OK);
    expect((await connect(url, '-m', 'a', '-n', '1', '--context', 'theirs').ended).code).toBe(EXIT.HANDSHAKE);
  });

  test('pins: a fingerprint, a key file, and a stranger', async () => {
    const file = path.join(folder, 'identity.pem');
    const { publicFile, fingerprint } = await generateIdentity(file, true);
    const { url } = await echoServer({ identity: readFileSync(file, 'utf8') });
    const wrong = `sha256:${'0'.repeat(64)}`;
    for (const pins of [
      ['--pin', fingerprint],
      ['--pin', publicFile],
      ['--pin', wrong, '--pin', fingerprint],
    ]) {
      expect(await connect(url, '-m', 'a', '-n', '1', ...pins).ended).toMatchObject({
        code: EXIT.OK,
        stderr: expect.stringContaining('server authenticated by a pinned key'),
      });
    }
    expect((await connect(url, '-m', 'a', '-n', '1', '--pin', wrong).ended).code).toBe(EXIT.AUTHENTICATION);
  });

  test('--attestation nitro accepts only what AWS has signed', async () => {
    const enclave = createTestEnclave({ pcrs: { 0: 'ab'.repeat(48) } });
    const { url } = await echoServer({ attest: (_hash, { userData }) => enclave.attest(userData) });
    const { code, stderr } = await connect(url, '-m', 'a', '--attestation', 'nitro', '--pcr', `0=${'ab'.repeat(48)}`)
      .ended;
    expect({ code, stderr }).toMatchObject({
      code: EXIT.AUTHENTICATION,
      stderr: expect.stringContaining('PQ_ERR_ATTESTATION_REFUSED'),
    });
  });

  test("the peer's code, and a cut", async () => {
    const server = await echoServer();
    const refused = connect(server.url, '--no-input');
    (await server.next()).socket.close(4003, 'not \u001b[1myou');
    expect(await refused.ended).toMatchObject({
      code: EXIT.PEER_CODE,
      stderr: expect.stringContaining('closed: 4003 not \\u001b[1myou'),
    });
    const cut = connect(server.url, '--no-input');
    (await server.next()).socket.terminate();
    expect(await cut.ended).toMatchObject({
      code: EXIT.ABNORMAL,
      stderr: expect.stringContaining('the connection was cut'),
    });
  });

  test('fewer messages than --count, or input that nobody took', async () => {
    const server = await echoServer();
    const counting = connect(server.url, '--no-input', '-n', '2');
    const { socket } = await server.next();
    socket.send('one');
    socket.close();
    expect(await counting.ended).toMatchObject({
      code: EXIT.INCOMPLETE,
      stdout: 'one\n',
      stderr: expect.stringContaining('1 of 2 messages have come'),
    });
    const writing = start(['connect', server.url], { input: null });
    (await server.next()).socket.close();
    expect(await writing.ended).toMatchObject({
      code: EXIT.INCOMPLETE,
      stderr: expect.stringContaining('not all input was sent'),
    });
  });

  test('SIGINT and SIGTERM close, sealed', async () => {
    const server = await echoServer();
    for (const [signal, code] of [
      ['SIGINT', EXIT.INTERRUPTED],
      ['SIGTERM', EXIT.TERMINATED],
    ] as const) {
      const running = connect(server.url, '--no-input');
      const { socket, closed } = await server.next();
      socket.send('up');
      await running.nextLine();
      running.child.kill(signal);
      expect((await running.ended).code).toBe(code);
      expect(await closed).toBe('close 1000 ');
    }
  });

  test.each([
    ['no URL', [], "missing required argument 'url'"],
    ['another scheme', ['ftp://example.com'], "'ftp:' is no scheme of WebSockets"],
    ['no URL at all', ['ws://'], 'is no URL'],
    ['a fragment', ['ws://127.0.0.1:1/#a'], 'fragment'],
    ['an unknown flag', ['ws://127.0.0.1:1', '--insecure'], "unknown option '--insecure'"],
    ['a pin that is none', ['ws://127.0.0.1:1', '--pin', 'sha256:12'], '--pin must be an ML-DSA-65 public key'],
    ['yellowpages without a decision', ['ws://127.0.0.1:1', '--profile', 'yellowpages'], 'needs --attestation'],
    [
      'yellowpages with a pin',
      ['ws://127.0.0.1:1', '--profile', 'yellowpages', '--attestation', 'none', '--pin', `sha256:${'0'.repeat(64)}`],
      '--pin is not possible',
    ],
    ['PCRs for nobody', ['ws://127.0.0.1:1', '--pcr', '0=00'], '--pcr needs --attestation nitro'],
    ['a PCR that is none', ['ws://127.0.0.1:1', '--attestation', 'nitro', '--pcr', '0=00'], '--pcr 0 must be 48 bytes'],
    ['TLS flags without TLS', ['ws://127.0.0.1:1', '--insecure-tls'], 'are for wss: URLs'],
    ['a file that is not there', ['wss://127.0.0.1:1', '--ca', '/none'], "--ca: '/none' cannot be read (ENOENT)"],
    ['half a client certificate', ['wss://127.0.0.1:1', '--cert', '/none'], '--cert and --key belong together'],
    [
      'a header that is none',
      ['ws://127.0.0.1:1', '-H', 'Authorization Bearer s3cret'],
      "--header: expected 'Name: value'",
    ],
    ['a number that is none', ['ws://127.0.0.1:1', '--count', '0'], 'Expected an integer from 1'],
    ['JSON in hex', ['ws://127.0.0.1:1', '--json', '--input', 'hex'], '--json has its own format'],
    ['two inputs', ['ws://127.0.0.1:1', '-m', 'a', '--whole'], '--message is the input'],
    ['a subprotocol that is reserved', ['ws://127.0.0.1:1', '-s', 'pqws1'], 'has a name of the secure layer'],
  ])('usage: %s', async (_name, args, message) => {
    const { error, stderr } = await usageError(['connect', ...args]);
    expect(error.message).toContain(message);
    expect(error.message + stderr).not.toContain('s3cret');
  });

  test.each([
    ['commander refuses', ['--colour'], "error: unknown option '--colour'"],
    ['connect refuses', ['--pin', 'x'], 'pq-websocket: --pin must be'],
  ])('what %s is exit code 2', async (_name, args, message) => {
    const { code, stdout, stderr } = await connect('ws://127.0.0.1:1', ...args).ended;
    expect({ code, stdout }).toEqual({ code: EXIT.USAGE, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('the request and the wire', () => {
  test('path, headers, a file of headers, Origin and subprotocols', async () => {
    const server = await echoServer();
    const file = path.join(folder, 'headers');
    writeFileSync(file, 'Authorization: Bearer s3cret\r\n\r\nX-Twice: b\n', { mode: 0o600 });
    const { code } = await connect(
      `127.0.0.1:${server.port}/room?q=1`,
      '-m',
      'a',
      '-n',
      '1',
      '-H',
      'Cookie: a=1; b=2',
      '-H',
      'X-Twice: a',
      '-H',
      `@${file}`,
      '--origin',
      'https://example.com',
      '-s',
      'other',
      '-s',
      'chat',
    ).ended;
    expect(code).toBe(EXIT.OK);
    const { request, socket } = await server.next();
    expect(request.url).toBe('/room?q=1');
    expect(request.headers).toMatchObject({
      cookie: 'a=1; b=2',
      authorization: 'Bearer s3cret',
      'x-twice': 'a, b',
      origin: 'https://example.com',
      'sec-websocket-protocol': 'other,chat',
    });
    expect(socket.protocol).toBe('chat');
  });

  test.each([[[]], [['--fast-open']]])('--show-wire has every frame, and nothing of what was said %j', async (more) => {
    const { url } = await echoServer();
    const { code, stdout, stderr } = await connect(url, '-m', 'attack at dawn', '-n', '1', '--show-wire', ...more)
      .ended;
    expect({ code, stdout }).toEqual({ code: EXIT.OK, stdout: 'attack at dawn\n' });
    expect(stderr).not.toContain('attack');
    const frames = stderr
      .split('\n')
      .filter((line) => /^(>>|<<) /.test(line))
      .map((line) => line.replace(/ \d+ bytes$/, ''));
    // Hello, Finished, the message, the close, and the transport's close: each way, whatever comes first.
    for (const arrow of ['>>', '<<']) {
      expect(frames.filter((line) => line.startsWith(arrow))).toEqual([
        `${arrow} text`,
        `${arrow} binary`,
        `${arrow} binary`,
        `${arrow} binary`,
        `${arrow} close`,
      ]);
    }
    expect(stderr).toMatch(/>> text \d+ bytes\n {3}0000 {2}7b 22 70 71 5f/);
  });

  test('yellowpages', async () => {
    const server = await echoServer({ profiles: ['v1', 'yellowpages'] });
    const { code, stdout, stderr } = await connect(
      server.url,
      '--profile',
      'yellowpages',
      '--attestation',
      'none',
      '-m',
      'hi',
      '-n',
      '1',
    ).ended;
    expect({ code, stdout }).toEqual({ code: EXIT.OK, stdout: `${Buffer.from('hi').toString('hex')}\n` });
    expect(stderr).toContain('yellowpages ml-kem-768');
  });

  test('padding is on the wire', async () => {
    const { url } = await echoServer();
    const { stderr } = await connect(url, '-m', 'a', '-n', '1', '--show-wire', '--padding', '1000').ended;
    expect(stderr).toContain('>> binary 1028 bytes');
  });

  test('a reader that has had enough ends it', async () => {
    const server = await echoServer();
    const running = start(['connect', server.url, '--no-input'], { readsOutput: false });
    const { socket, closed } = await server.next();
    running.child.stdout?.destroy();
    socket.send('one');
    socket.send('two');
    expect(await closed).toBe('close 1000 ');
    expect((await running.ended).code).toBe(EXIT.OK);
  });
});
