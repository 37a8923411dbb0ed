/** A log that cannot be written costs lines, and never the gateway: it serves, it says so once, and SIGTERM ends it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startGateway } from '../../packages/cli/src/gateway.ts';
import { createLog, safeLog } from '../../packages/cli/src/gateway/log.ts';
import { RefusalLog } from '../../packages/cli/src/gateway/refusal-log.ts';
import { LogSink } from '../../packages/cli/src/gateway/log-sink.ts';
import type { LogOutput } from '../../packages/cli/src/gateway/log-sink.ts';
import { useCommand } from '../support/command.ts';
import { once } from '../support/deferred.ts';
import { isLeftOutHere, notLinux } from '../support/left-out.ts';
import { startTap } from '../support/tap.ts';
import { startBackend } from './backend.ts';
import { refusedUpgrade } from '../support/ws-endpoints.ts';
import { memoryLog, nextText, openClient, startTestGateway } from './support.ts';
import type { LogLine } from './support.ts';

const start = useCommand();
const DEADLINE = 500;

interface Running {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  readonly socket: string;
}

/** With standard output as it is given, listening on a unix socket, whose name needs no log. */
async function run(stdout: number | 'pipe', backend: string, args: readonly string[] = []): Promise<Running> {
  const folder = mkdtempSync(path.join(tmpdir(), 'pqws-log-'));
  const socket = path.join(folder, 'socket');
  const command = [
    'gateway',
    '-l',
    `unix:${socket}`,
    '-u',
    backend,
    '--drain-deadline',
    `${DEADLINE}`,
    '--log-level',
    'debug',
    ...args,
  ];
  const child = spawn(process.execPath, [start.script, ...command], { stdio: ['ignore', stdout, 'pipe'] });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  await vi.waitUntil(() => existsSync(socket), { timeout: 20_000 });
  return { child, stderr: () => stderr, socket };
}

async function serves(socket: string): Promise<void> {
  const client = await openClient('ws://localhost/echo', [], { createConnection: () => connect(socket) });
  client.send('served');
  expect(await nextText(client)).toBe('served');
  client.terminate();
}

async function endsBySigterm(child: ChildProcess): Promise<number | null> {
  child.kill('SIGTERM');
  const [code] = await once<[number | null]>(child, 'exit');
  return code;
}

describe.skipIf(isLeftOutHere('a log on a full disk', notLinux()))('a full disk', () => {
  test.each([['json'], ['pretty']])('%s', async (format) => {
    const backend = await startBackend();
    const full = openSync('/dev/full', 'w');
    const gateway = await run(full, backend.url, ['--log-format', format]);
    closeSync(full);
    for (let i = 0; i < 3; i += 1) await serves(gateway.socket);
    expect(await endsBySigterm(gateway.child)).toBe(0);
    expect(gateway.stderr()).toBe('the log cannot be written (ENOSPC): lines are lost until it can\n');
  });

  test('in each worker', async () => {
    const backend = await startBackend();
    const full = openSync('/dev/full', 'w');
    const gateway = await run(full, backend.url, ['--workers', '2']);
    closeSync(full);
    for (let i = 0; i < 4; i += 1) await serves(gateway.socket);
    expect(await endsBySigterm(gateway.child)).toBe(0);
  });
});

test('a reader that has stopped reading', async () => {
  const backend = await startBackend();
  const gateway = await run('pipe', backend.url);
  // More lines than a pipe holds.
  const garbage = async (): Promise<void> => {
    const socket = connect(gateway.socket);
    socket.on('error', () => undefined).resume();
    const upgrades = `GET /${'x'.repeat(4_000)} HTTP/1.1\r\nHost: nobody\r\n\r\n`.repeat(20);
    socket.write(upgrades);
    await once(socket, 'close');
  };
  for (let i = 0; i < 60; i += 1) await garbage();
  await serves(gateway.socket);
  expect(await endsBySigterm(gateway.child)).toBe(0);
});

test('a reader that has gone', async () => {
  const backend = await startBackend();
  const gateway = await run('pipe', backend.url);
  gateway.child.stdout?.destroy();
  for (let i = 0; i < 3; i += 1) await serves(gateway.socket);
  expect(await endsBySigterm(gateway.child)).toBe(0);
  expect(gateway.stderr()).toBe('the log cannot be written (EPIPE): lines are lost until it can\n');
});

test('gateways that come and go in one process leave nothing on its standard output', async () => {
  const { stdout } = process;
  const start = async (): Promise<void> => {
    const gateway = await startGateway({
      listen: '127.0.0.1:0',
      routes: [{ upstreams: ['ws://127.0.0.1:1'] }],
      log: { level: 'silent' },
    });
    await gateway.close();
  };
  await start();
  const before = stdout.listenerCount('error');
  for (let i = 0; i < 3; i += 1) await start();
  expect(stdout.listenerCount('error')).toBe(before);
});

test('lines are counted while they are lost, and what is said twice is said once', () => {
  let isFull = false;
  const written: string[] = [];
  const output: LogOutput = {
    waiting: 0,
    write(line) {
      if (isFull) throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
      written.push(line);
    },
    flush: () => Promise.resolve(),
  };
  const said: string[] = [];
  const log = createLog({ format: 'json', level: 'info' }, new LogSink(output, (text) => said.push(text)));
  log.info({}, 'first');
  isFull = true;
  for (let i = 0; i < 5; i += 1) log.info({}, 'lost');
  isFull = false;
  log.info({}, 'last');
  expect(written.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['first', 'last']);
  expect(said).toEqual([
    'the log cannot be written (ENOSPC): lines are lost until it can\n',
    'the log can be written again: 5 lines were lost\n',
  ]);
});

test('so many refusals a second are written, and the others counted by their reason', () => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const lines: LogLine[] = [];
  const refusals = new RefusalLog(memoryLog(lines), 2);
  const flood = (): void => {
    for (let i = 0; i < 1_000; i += 1) refusals.refused('rate-limit', { i }, 'refused');
    refusals.refused('origin', {}, 'refused');
  };
  flood();
  expect(lines.map(({ facts }) => facts)).toEqual([{ i: 0 }, { i: 1 }]);
  vi.advanceTimersByTime(1_000);
  const told = {
    level: 'warn',
    message: 'refusals were left out of the log',
    facts: { leftOut: 999, reasons: { 'rate-limit': 998, origin: 1 } },
  };
  expect(lines.slice(2)).toEqual([told]);
  // The next second has its own share; what few are refused then is written, and nothing is left to be counted.
  refusals.refused('origin', {}, 'refused');
  vi.advanceTimersByTime(5_000);
  expect(lines.slice(3).map(({ message }) => message)).toEqual(['refused']);
  // Whoever ends in the middle of a second says what it has.
  flood();
  refusals.flush();
  expect(lines.at(-1)).toEqual(told);
  expect(vi.getTimerCount()).toBe(0);
});

test('a flood of refusals is a line a second, and the metrics count each', async () => {
  const gateway = await startTestGateway({
    routes: [{ path: '/x', upstreams: ['ws://127.0.0.1:1'] }],
    log: { refusals: 0 },
  });
  for (let i = 0; i < 5; i += 1) expect((await refusedUpgrade(gateway.port, '/none', {})).status).toBe(404);
  expect((await fetch(`http://${gateway.address}/`)).status).toBe(426);
  await gateway.close();
  const leftOut = gateway.lines.filter(({ message }) => message === 'refusals were left out of the log');
  const reasons = leftOut.map(({ facts }) => facts['reasons'] as Record<string, number>);
  const sum = (reason: string): number => reasons.reduce((total, each) => total + (each[reason] ?? 0), 0);
  expect([sum('no-route'), sum('upgrade-required')]).toEqual([5, 1]);
  expect(gateway.lines.filter(({ message }) => message === 'refused')).toEqual([]);
});

test('so is a flood of hellos behind which nobody stays, though each had its conversation', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], log: { refusals: 0 } });
  // Nothing of the client passes but its upgrade request, whose hello is among the subprotocols.
  const tap = await startTap(gateway.port, {
    onFrame: ({ direction }) => (direction === 'client' ? 'drop' : 'forward'),
  });
  onTestFinished(() => tap.close());
  for (let i = 0; i < 3; i += 1) {
    const client = await openClient(`${tap.url}/echo`, [], { fastOpen: true });
    const { closed } = await backend.next();
    client.terminate();
    await closed;
  }
  const stays = await openClient(`${gateway.url}/echo`);
  stays.send('who proves who it is');
  await nextText(stays);
  await gateway.close();
  const closed = gateway.lines.filter(({ message }) => message === 'closed');
  expect(closed.map(({ facts }) => facts['end'])).toEqual(['drained']);
  const leftOut = gateway.lines.filter(({ message }) => message === 'refusals were left out of the log');
  const counts = leftOut.map(({ facts }) => facts['reasons'] as Record<string, number>);
  expect(counts.reduce((sum, each) => sum + (each['PQ_ERR_TRUNCATED'] ?? 0), 0)).toBe(3);
});

test('a log of the operator that throws', () => {
  const throws = (): never => {
    throw new Error('the log is broken');
  };
  const log = safeLog({ debug: throws, info: throws, warn: throws, error: throws });
  expect(() => {
    log.error({}, 'nobody hears');
  }).not.toThrow();
});
