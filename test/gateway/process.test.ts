/** `pq-websocket gateway` as a process: exit codes, signals, workers. */
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startGateway } from '../../packages/cli/src/gateway.ts';
import { once } from '../support/deferred.ts';
import { startBackend } from './backend.ts';
import { useCommand } from '../support/command.ts';
import { metric, nextText, openClient } from './support.ts';

// Up to four processes start one after the other, and each takes as long as this machine has other things to do.
vi.setConfig({ testTimeout: 120_000 });

const start = useCommand();
const folder = mkdtempSync(path.join(tmpdir(), 'pqws-process-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const LISTEN = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];

async function metrics(address: unknown): Promise<string> {
  return (await fetch(`http://${String(address)}/metrics`)).text();
}

describe('before it listens', () => {
  test('a wrong configuration is exit code 2, with every problem on a line', async () => {
    const file = path.join(folder, 'wrong.yaml');
    writeFileSync(file, 'listen: 127.0.0.1:0\nroutes:\n  - upstreams: [nowhere]\nlimits: {connections: 0}\n');
    const { code, stdout, stderr } = await start(['gateway', '--config', file, '--workers', 'none'], {
      env: { PQ_GATEWAY_LOG_LEVEL: 'loud' },
    }).ended;
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toEqual([
      `${file}:3: routes[0].upstreams[0]: expected ws://host:port, wss://host:port or unix:/path, without a path of its own, or a map with address, weight, ca, cert, key`,
      `${file}:4: limits.connections: expected an integer from 1 to 1000000`,
      'PQ_GATEWAY_LOG_LEVEL: log.level: expected one of debug, info, warn, error, silent',
      '--workers: workers: expected an integer from 1 to 256, or cores',
    ]);
  });

  test.each([
    ['no configuration at all', ['gateway'], 'routes: expected this key to be there'],
    [
      'a file that is not there',
      ['gateway', '--config', path.join(folder, 'none')],
      `${folder}/none: cannot be read (ENOENT)`,
    ],
    ['an unknown flag', ['gateway', '--colour'], "error: unknown option '--colour'"],
  ])('%s', async (_name, args, message) => {
    const { code, stderr } = await start(args).ended;
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test('--check-config listens nowhere', async () => {
    const file = path.join(folder, 'right.json');
    writeFileSync(file, JSON.stringify({ listen: '192.0.2.1:1', routes: [{ upstreams: ['ws://127.0.0.1:1'] }] }));
    expect(await start(['gateway', '--config', file, '--check-config']).ended).toMatchObject({
      code: 0,
      stdout: 'the configuration is good\n',
    });
  });

  test.each([[[]], [['--workers', '2']]])('an address that is taken is exit code 1 %j', async (more) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { code, stderr } = await start(['gateway', '-l', `127.0.0.1:${port}`, '-u', 'ws://127.0.0.1:1', ...more])
      .ended;
    taken.close();
    expect(code).toBe(1);
    expect(stderr).toContain('EADDRINUSE');
  });

  test('who cannot have the admin address keeps none of the others', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => {
      taken.close();
    });
    const { port } = taken.address() as { port: number };
    const admin = `127.0.0.1:${port}`;
    const socket = path.join(folder, 'kept');
    const options = {
      listen: `unix:${socket}`,
      admin: { listen: admin },
      routes: [{ upstreams: ['ws://127.0.0.1:1'] }],
    };
    await expect(startGateway({ ...options, log: { level: 'silent' } })).rejects.toThrow('EADDRINUSE');
    expect(existsSync(socket)).toBe(false);
    const { code, stderr } = await start(['gateway', '-l', options.listen, '-u', 'ws://127.0.0.1:1', '--admin', admin])
      .ended;
    expect(code).toBe(1);
    expect(stderr).toContain('EADDRINUSE');
    expect(existsSync(socket)).toBe(false);
  });

  test('--help has examples', async () => {
    const { code, stdout } = await start(['gateway', '--help']).ended;
    expect(code).toBe(0);
    expect(stdout).toContain('$ pq-websocket gateway --listen 0.0.0.0:8443 --upstream ws://127.0.0.1:8080');
  });
});

test('SIGTERM: not ready, then nobody new, then 1001 at the deadline, then exit code 0', async () => {
  const backend = await startBackend();
  const gateway = start(['gateway', ...LISTEN, '-u', backend.url, '--drain-delay', '200', '--drain-deadline', '300']);
  const { listen } = await gateway.line('listening');
  const { admin } = await gateway.line('metrics and health');
  const client = await openClient(`ws://${String(listen)}/echo`);
  expect((await fetch(`http://${String(admin)}/readyz`)).status).toBe(200);
  gateway.child.kill('SIGTERM');
  await gateway.line('draining');
  expect((await fetch(`http://${String(admin)}/readyz`)).status).toBe(503);
  client.send('served to the end');
  expect(await nextText(client)).toBe('served to the end');
  const [code] = await once<[number]>(client, 'close');
  expect(code).toBe(1001);
  expect((await gateway.ended).code).toBe(0);
});

test('a second signal waits no longer', async () => {
  const backend = await startBackend();
  const gateway = start(['gateway', ...LISTEN, '-u', backend.url, '--drain-deadline', '86400000']);
  const { listen } = await gateway.line('listening');
  const client = await openClient(`ws://${String(listen)}/echo`);
  const closed = once<[number]>(client, 'close');
  gateway.child.kill('SIGTERM');
  await gateway.line('draining');
  gateway.child.kill('SIGINT');
  expect((await closed)[0]).toBe(1001);
  expect((await gateway.ended).code).toBe(0);
});

test('SIGHUP, in every worker; one port and one set of metrics for all; a worker that dies is replaced', async () => {
  const backend = await startBackend();
  const install = (name: string): void => {
    for (const part of ['cert', 'key']) {
      copyFileSync(path.join(import.meta.dirname, 'certificates', `${name}.${part}.pem`), path.join(folder, part));
    }
  };
  install('one');
  const tls = ['--tls-cert', path.join(folder, 'cert'), '--tls-key', path.join(folder, 'key')];
  const gateway = start(['gateway', ...LISTEN, ...tls, '--workers', '2', '-u', backend.url], {
    env: { PQ_GATEWAY_MAX_CONNECTIONS: '9' },
  });
  const { listen } = await gateway.line('listening');
  const { admin } = await gateway.line('all workers listen');
  const url = `wss://${String(listen)}/echo`;
  const clients = [];
  for (let i = 0; i < 4; i++) clients.push(await openClient(url, [], { rejectUnauthorized: false }));
  for (const client of clients) {
    client.send('hello');
    expect(await nextText(client)).toBe('hello');
  }
  const text = await metrics(admin);
  expect(metric(text, 'pqws_gateway_connections')).toBe(4);
  expect(metric(text, 'pqws_gateway_messages_total{direction="in"}')).toBe(4);
  expect(metric(text, `pqws_gateway_backend_up{route="route 1",backend="${backend.url}"}`)).toBe(1);
  // A worker's word that it is ready comes behind its listening.
  await vi.waitUntil(async () => (await fetch(`http://${String(admin)}/readyz`)).status === 200, { timeout: 60_000 });

  install('two');
  gateway.child.kill('SIGHUP');
  await gateway.line('reloaded');
  await gateway.line('reloaded');
  for (let i = 0; i < 2; i++) {
    const socket = connectTls({
      port: Number(String(listen).split(':')[1]),
      host: '127.0.0.1',
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate().subject.CN).toBe('gateway two');
    socket.destroy();
  }
  for (const client of clients) expect(client.readyState).toBe(1);

  // The child of this test's own child: its id comes from the log.
  const accepting = await openClient(url, [], { rejectUnauthorized: false });
  accepting.close(4000, 'find the worker');
  const { pid } = await gateway.line('closed');
  process.kill(Number(pid), 'SIGKILL');
  expect(await gateway.line('a worker died')).toMatchObject({ worker: pid, signal: 'SIGKILL' });
  // Its replacement says so, however long it takes to start; then its word reaches the primary.
  await gateway.line('listening');
  await vi.waitUntil(async () => (await fetch(`http://${String(admin)}/readyz`)).status === 200, { timeout: 60_000 });

  const survivors = clients.filter(({ readyState }) => readyState === 1);
  expect(survivors.length).toBeGreaterThan(0);
  for (const client of survivors) client.close();
  gateway.child.kill('SIGTERM');
  expect((await gateway.ended).code).toBe(0);
});

test('lines for people, without colours where none are wanted', async () => {
  const backend = await startBackend();
  const gateway = start(['gateway', ...LISTEN, '-u', backend.url, '--log-format', 'pretty']);
  const [chunk] = await once<[string]>(gateway.child.stdout as never, 'data');
  expect(chunk).toMatch(/INFO.*listening/);
  expect(chunk).not.toContain('\u001b');
});
