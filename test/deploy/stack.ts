/** What stands in front of and behind the gateways: a load balancer with the configuration of examples/deploy, chat servers, Redis. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { findProgram } from '../../scripts/lib/debian.ts';
import { toolFolder } from '../../scripts/lib/locked-tools.ts';
import { freePort } from '../support/free-port.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
export const EXAMPLES = path.join(ROOT, 'examples/deploy');
export const CERTIFICATE = path.join(ROOT, 'test/gateway/certificates/one.cert.pem');
export const CERTIFICATE_KEY = path.join(ROOT, 'test/gateway/certificates/one.key.pem');

export const BALANCERS = ['nginx', 'haproxy'] as const;
export type Balancer = (typeof BALANCERS)[number];

/** A folder that ends with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'pqws-deploy-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A program that ends with the test. @returns what it says, as it grows */
function launch(command: string, args: readonly string[]): { child: ChildProcess; output: () => string } {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  onTestFinished(async () => {
    // nginx's workers end with their master only if it ends in an orderly way.
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(timer);
  });
  return { child, output: () => output };
}

/** Whether it has said so. @throws {Error} when it has ended instead */
function saysOrThrows(child: ChildProcess, output: string, words: RegExp): boolean {
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output}`);
  return words.test(output);
}

/** @throws {Error} when it is not there */
export function program(name: string): string {
  const found = findProgram(name);
  if (found === undefined) throw new Error(`${name} is missing: run \`npm test\`, which finds or installs it`);
  return found;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const result = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => {
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
  socket.destroy();
  return result;
}

/** @returns the path of its unix socket */
export async function startRedis(): Promise<string> {
  const folder = temporaryFolder();
  const socket = path.join(folder, 'redis.sock');
  const { child, output } = launch(program('redis-server'), [
    '--port',
    '0',
    '--unixsocket',
    socket,
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    folder,
  ]);
  await vi.waitUntil(() => saysOrThrows(child, output(), /ready to accept connections/i), { timeout: 15_000 });
  return socket;
}

/** The example's server, where its packages are. @returns its port */
export async function startChatServer(redis: string): Promise<number> {
  const folder = path.join(toolFolder('deploy'), 'chat');
  cpSync(path.join(EXAMPLES, 'chat'), folder, { recursive: true });
  const { child, output } = launch(process.execPath, [path.join(folder, 'server.js'), '0', redis]);
  await vi.waitUntil(() => saysOrThrows(child, output(), /^listening \d+$/m), { timeout: 15_000 });
  return Number(/^listening (\d+)$/m.exec(output())?.[1]);
}

/** A gateway as the balancer's configuration has to know it. */
export interface GatewayPlace {
  readonly port: number;
  readonly adminPort: number;
}

/**
 * The committed configuration with this test's addresses in place of its own, each of which must be there.
 * @returns the URL of the balancer
 */
export async function startBalancer(
  balancer: Balancer,
  gateways: readonly [GatewayPlace, GatewayPlace],
): Promise<string> {
  const folder = temporaryFolder();
  const port = await freePort();
  const [first, second] = gateways;
  const replace: [string, string][] =
    balancer === 'nginx'
      ? [
          ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
          ['127.0.0.1:8443', `127.0.0.1:${first.port}`],
          ['127.0.0.1:8444', `127.0.0.1:${second.port}`],
          ['/etc/pq-websocket/cert.pem', CERTIFICATE],
          ['/etc/pq-websocket/key.pem', CERTIFICATE_KEY],
        ]
      : [
          ['bind :443', `bind 127.0.0.1:${port}`],
          ['127.0.0.1:8443 port 9091', `127.0.0.1:${first.port} port ${first.adminPort}`],
          ['127.0.0.1:8444 port 9092', `127.0.0.1:${second.port} port ${second.adminPort}`],
        ];
  let text = readFileSync(path.join(EXAMPLES, balancer === 'nginx' ? 'nginx.conf' : 'haproxy.cfg'), 'utf8');
  for (const [from, to] of replace) {
    if (!text.includes(from)) throw new Error(`the configuration of ${balancer} has no ${JSON.stringify(from)}`);
    text = text.replaceAll(from, to);
  }
  const file = path.join(folder, 'balancer.conf');
  writeFileSync(file, text);
  const args =
    balancer === 'nginx'
      ? ['-c', file, '-p', folder, '-e', 'stderr', '-g', `daemon off; pid ${folder}/pid;`]
      : ['-f', file, '-db'];
  const { child, output } = launch(program(balancer), args);
  await vi.waitUntil(() => (saysOrThrows(child, output(), /(?:)/) ? accepts(port) : false), { timeout: 15_000 });
  return `wss://127.0.0.1:${port}`;
}
