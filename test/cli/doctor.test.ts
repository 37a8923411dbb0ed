/** `pq-websocket doctor`: each thing that it can say, against a server or a middlebox of which it is true. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { SecureVersion } from 'node:tls';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer as PlainServer } from 'ws';
import type { Target } from '../../packages/cli/src/command/client-flags.ts';
import { examine } from '../../packages/cli/src/command/doctor/examine.ts';
import type { ExamineSettings } from '../../packages/cli/src/command/doctor/examine.ts';
import type { Finding } from '../../packages/cli/src/command/doctor/findings.ts';
import { EXIT } from '../../packages/cli/src/command/exit-codes.ts';
import { generateIdentity } from '../../packages/cli/src/command/identity.ts';
import { createTestEnclave } from '../../packages/nitro/src/testing.ts';
import { WebSocketServer } from '../../src/ws.ts';
import { useCommand } from '../support/command.ts';
import { once } from '../support/deferred.ts';
import { encodeFrame } from '../support/frames.ts';
import { originalServer } from '../support/original-server.ts';
import { OPCODE, startTap } from '../support/tap.ts';
import type { FrameHook } from '../support/tap.ts';
import { CERTIFICATES, echoServer, listening } from './servers.ts';

const start = useCommand();
const folder = mkdtempSync(path.join(tmpdir(), 'pqws-doctor-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const CA = readFileSync(path.join(CERTIFICATES, 'one.cert.pem'), 'utf8');
const SETTINGS: ExamineSettings = { profile: 'v1', echo: false, patience: 2_000, isInsecure: false };

async function look(
  url: string,
  options: Target['options'] = {},
  settings: Partial<ExamineSettings> = {},
): Promise<ReadonlyMap<string, Finding>> {
  const findings = await examine(
    { url, protocols: [], options: { handshakeTimeout: 2_000, ...options } },
    { ...SETTINGS, ...settings },
  );
  const byName = new Map(findings.map((finding) => [finding.name, finding]));
  expect(byName.size).toBe(findings.length);
  return byName;
}

test('a good server: everything that it looks at, and the exit code 0', async () => {
  const file = path.join(folder, 'identity.pem');
  const { fingerprint } = await generateIdentity(file, true);
  const { port } = await echoServer({ tls: true, identity: readFileSync(file, 'utf8') });
  const args = [
    'doctor',
    `wss://localhost:${port}`,
    '--ca',
    path.join(CERTIFICATES, 'one.cert.pem'),
    '--pin',
    fingerprint,
    '--echo',
  ];
  const { code, stdout, stderr } = await start([...args, '--json']).ended;
  expect({ code, stderr }).toEqual({ code: EXIT.OK, stderr: '' });
  const report = JSON.parse(stdout) as { url: string; exitCode: number; findings: Finding[] };
  expect(report).toMatchObject({ url: `wss://localhost:${port}/`, exitCode: EXIT.OK });
  expect(report.findings.map(({ name, level }) => `${level} ${name}`)).toEqual([
    'good tcp',
    'good tls',
    'good certificate',
    'good upgrade',
    'good profile',
    'good handshake',
    'good server',
    'good fast-open',
    'good ping',
    'good framing',
    'good echo',
    'good close',
  ]);
  // The tests run on a Node whose OpenSSL has it, at both ends.
  expect(report.findings.find(({ name }) => name === 'tls')?.seen).toMatch(/^TLSv1\.3, X25519MLKEM768, TLS_AES_/);
  const readable = await start(args).ended;
  expect(readable).toMatchObject({ code: EXIT.OK, stderr: '' });
  expect(readable.stdout).toMatch(/^ok {3}tcp {11}connected in \d+ ms\n {19}The host is there\.\n/);
});

describe('TLS', () => {
  test.each([
    ['a classical group', { ecdhCurve: 'X25519' }, 'warning', /^TLSv1\.3, X25519, /],
    [
      'an old version',
      { maxVersion: 'TLSv1.2' as SecureVersion, ecdhCurve: 'prime256v1' },
      'warning',
      /^TLSv1\.2, .*P-256|prime256v1/,
    ],
  ])('%s', async (_name, tls, level, seen) => {
    const server = createSecureServer({ cert: CA, key: readFileSync(path.join(CERTIFICATES, 'one.key.pem')), ...tls });
    const sockets = new WebSocketServer({ server });
    const port = await listening(server);
    onTestFinished(() => {
      sockets.close();
      server.close();
    });
    const findings = await look(`wss://localhost:${port}`, { ca: CA });
    expect(findings.get('tls')).toMatchObject({ level, seen: expect.stringMatching(seen) });
  });

  test('none; a certificate that is not trusted; one that is accepted all the same', async () => {
    const secure = await echoServer({ tls: true });
    const refused = await look(secure.url);
    expect([...refused.keys()]).toEqual(['tcp', 'tls']);
    expect(refused.get('tls')).toMatchObject({
      level: 'bad',
      exitCode: EXIT.TLS,
      advice: expect.stringContaining('--ca'),
    });
    const insecure = await look(secure.url, { rejectUnauthorized: false }, { isInsecure: true });
    expect(insecure.get('certificate')).toMatchObject({
      level: 'warning',
      seen: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
    });
    expect(insecure.get('handshake')?.level).toBe('good');
    expect((await look((await echoServer()).url)).get('tls')).toMatchObject({ level: 'warning', seen: 'no TLS' });
  });
});

describe('what is not there', () => {
  test('a host', async () => {
    const server = createServer();
    const port = await listening(server);
    server.close();
    const { code, stdout } = await start(['doctor', `ws://127.0.0.1:${port}`]).ended;
    expect({ code, stdout }).toMatchObject({ code: EXIT.UNREACHABLE, stdout: expect.stringContaining('BAD  tcp') });
  });

  test('an upgrade', async () => {
    const server = createServer((_request, response) => response.writeHead(403).end('who\u001b[2J are you'));
    const port = await listening(server);
    onTestFinished(() => void server.close());
    const { code, stdout } = await start(['doctor', `ws://127.0.0.1:${port}`]).ended;
    expect(code).toBe(EXIT.UPGRADE);
    expect(stdout).toContain('403 Forbidden: who\\u001b[2J are you');
  });

  test('the secure layer', async () => {
    const plain = new PlainServer({ port: 0, host: '127.0.0.1' });
    await once(plain, 'listening');
    plain.on('connection', (socket) =>
      socket.on('message', (data) => {
        socket.send(data, { binary: false });
      }),
    );
    onTestFinished(() => void plain.close());
    const findings = await look(`ws://127.0.0.1:${(plain.address() as { port: number }).port}`);
    expect(findings.get('profile')).toMatchObject({
      level: 'bad',
      exitCode: EXIT.HANDSHAKE,
      seen: expect.stringContaining('PQ_ERR_NOT_PQ_WEBSOCKET'),
      advice: expect.stringContaining('plain WebSocket server'),
    });
  });
});

describe('profiles, without falling back to one', () => {
  test('both', async () => {
    const findings = await look((await echoServer({ profiles: ['v1', 'yellowpages'] })).url);
    expect(findings.get('profile')).toMatchObject({ level: 'good', seen: 'v1; also yellowpages' });
    expect(findings.get('profiles')?.level).toBe('info');
  });

  test('only the other', async () => {
    const { url } = await echoServer({ profiles: ['yellowpages'] });
    const findings = await look(url);
    expect(findings.get('profile')).toMatchObject({
      level: 'bad',
      exitCode: EXIT.HANDSHAKE,
      advice: expect.stringContaining('--profile yellowpages'),
    });
    expect(findings.has('handshake')).toBe(false);
    const asked = await look(url, { profile: 'yellowpages', verifyAttestation: false }, { profile: 'yellowpages' });
    expect(asked.get('profile')).toMatchObject({ level: 'warning', seen: 'yellowpages; not v1' });
    expect(asked.has('fast-open')).toBe(false);
    expect(asked.get('close')?.level).toBe('info');
  });
});

describe('the original server of yellowpages', () => {
  const asked = [{ profile: 'yellowpages', verifyAttestation: false }, { profile: 'yellowpages' }] as const;

  test('is looked at without a ping, which would end the exchange', async () => {
    const server = await originalServer();
    const tap = await startTap(server.port);
    onTestFinished(() => tap.close());
    const findings = await look(tap.url, ...asked);
    expect(findings.get('profile')).toMatchObject({ level: 'warning', seen: 'yellowpages; not v1' });
    expect(findings.get('handshake')?.level).toBe('good');
    expect(findings.has('ping')).toBe(false);
    const frames = tap.connections.flatMap((connection) => connection.frames);
    expect(frames.filter(({ opcode }) => opcode === OPCODE.ping)).toEqual([]);
  });

  test('is recognised, though it answers a hello of v1 as its own', async () => {
    const server = await originalServer();
    expect((await look(server.url)).get('profile')).toMatchObject({
      level: 'bad',
      exitCode: EXIT.HANDSHAKE,
      advice: expect.stringContaining('--profile yellowpages'),
    });
  });
});

describe('who the server is', async () => {
  const file = path.join(folder, 'who.pem');
  const { fingerprint } = await generateIdentity(file, true);
  const identity = readFileSync(file, 'utf8');
  const enclave = createTestEnclave({ pcrs: { 0: 'ab'.repeat(48) } });
  const attest = (_hash: unknown, { userData }: { userData: Uint8Array }): Uint8Array => enclave.attest(userData);

  test.each([
    ['no proof', {}, /offers no proof$/, 'keygen'],
    ['a signature', { identity }, /offers an identity signature$/, '--pin'],
    ['a document', { attest }, /offers an attestation document$/, '--attestation'],
    [
      'both',
      { identity, attest },
      /offers an identity signature and an attestation document$/,
      '--pin) or verifyAttestation',
    ],
  ])('not asked, and it offers %s', async (_name, options, seen, advice) => {
    const findings = await look((await echoServer(options)).url);
    expect(findings.get('server')).toMatchObject({
      level: 'warning',
      seen: expect.stringMatching(seen),
      advice: expect.stringContaining(advice),
    });
  });

  test('a pin that matches, and one that does not', async () => {
    const { url } = await echoServer({ identity });
    expect((await look(url, { serverKeys: fingerprint })).get('server')).toMatchObject({
      level: 'good',
      seen: 'authenticated by a pinned key',
    });
    const wrong = await look(url, { serverKeys: `sha256:${'0'.repeat(64)}` });
    expect(wrong.get('server')).toMatchObject({ level: 'bad', exitCode: EXIT.AUTHENTICATION });
    expect(wrong.get('profile')?.level).toBe('good');
  });
});

describe('what is done on the way', () => {
  /** A server behind somebody who does this to its frames. */
  async function through(onFrame: FrameHook): Promise<string> {
    const tap = await startTap((await echoServer()).port, { onFrame });
    onTestFinished(() => tap.close());
    return tap.url;
  }

  test('messages are cut into frames', async () => {
    const url = await through((frame, connection) => {
      if (frame.direction !== 'server' || frame.opcode === OPCODE.text) return 'forward';
      // All of them in one way, so that they keep their order.
      const half = frame.opcode === OPCODE.binary ? frame.payload.length >> 1 : frame.payload.length;
      connection.injectRaw(
        'server',
        encodeFrame(frame.opcode, frame.payload.subarray(0, half), false, half === frame.payload.length),
      );
      if (half < frame.payload.length)
        connection.injectRaw('server', encodeFrame(OPCODE.continuation, frame.payload.subarray(half), false));
      return 'drop';
    });
    const findings = await look(url);
    expect(findings.get('framing')).toMatchObject({
      level: 'info',
      seen: expect.stringMatching(/^messages came in fragments/),
    });
    expect(findings.get('close')?.level).toBe('good');
  });

  test('pings are dropped', async () => {
    const findings = await look(
      await through(({ opcode }) => (opcode === OPCODE.ping ? 'drop' : 'forward')),
      {},
      { patience: 300 },
    );
    expect(findings.get('ping')).toMatchObject({ level: 'warning', seen: 'no answer' });
  });

  test('the hello is changed, or text is made binary', async () => {
    const changed = await look(
      await through((frame) =>
        frame.opcode === OPCODE.text && frame.direction === 'server'
          ? Buffer.from(Buffer.from(frame.payload).toString().replace(':1,', ': 1,'))
          : 'forward',
      ),
    );
    expect(changed.get('profile')).toMatchObject({
      level: 'bad',
      exitCode: EXIT.HANDSHAKE,
      meaning: expect.stringContaining('changed the hellos'),
    });
  });

  test('large messages do not pass', async () => {
    const url = await through((frame, connection) => {
      if (frame.payload.length <= 100_000) return 'forward';
      connection.cut();
      return 'drop';
    });
    const findings = await look(url, {}, { echo: true });
    expect(findings.get('echo')).toMatchObject({
      level: 'bad',
      seen: 'text of 1048576 bytes: nothing came back; binary of 1048576 bytes: nothing came back',
    });
    expect(findings.get('close')?.exitCode).toBe(EXIT.ABNORMAL);
  });

  test('an extension is put into the answer', async () => {
    const server = createServer();
    const sockets = new PlainServer({ server });
    sockets.on('headers', (headers) => headers.push('Sec-WebSocket-Extensions: permessage-deflate'));
    const port = await listening(server);
    onTestFinished(() => {
      sockets.close();
      server.close();
    });
    const findings = await look(`ws://127.0.0.1:${port}`);
    expect(findings.get('upgrade')).toMatchObject({
      level: 'bad',
      exitCode: EXIT.UPGRADE,
      seen: expect.stringContaining('Sec-WebSocket-Extensions'),
    });
  });

  test('somebody says that he is there; the fast open subprotocols are stripped', async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, network, head) => {
      delete request.headers['sec-websocket-protocol'];
      sockets.handleUpgrade(request, network, head, () => undefined);
    });
    sockets.on('headers', (headers: string[]) => headers.push('Via: 1.1 proxy'));
    const port = await listening(server);
    onTestFinished(() => {
      for (const socket of sockets.clients ?? []) socket.terminate();
      server.close();
    });
    const findings = await look(`ws://127.0.0.1:${port}`);
    expect(findings.get('intermediary')).toMatchObject({ level: 'info', seen: 'via: 1.1 proxy' });
    expect(findings.get('fast-open')).toMatchObject({ level: 'info', seen: expect.stringContaining('not supported') });
  });
});
