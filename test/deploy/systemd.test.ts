/** systemd's own tools read the unit of examples/deploy, and carry what the gateway says to a socket as systemd's. No unit is started. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { useCommand } from '../support/command.ts';
import { EXAMPLES, program, temporaryFolder } from './stack.ts';

const UNIT = path.join(EXAMPLES, 'pq-websocket-gateway.service');
const text = readFileSync(UNIT, 'utf8');
const valueOf = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1];

const start = useCommand();

/** What it warns of; an unknown key is a warning to it. */
function verify(file: string): string {
  return execFileSync('sh', ['-c', `"$0" verify "$1" 2>&1`, program('systemd-analyze'), file], { encoding: 'utf8' });
}

test('systemd knows every key, and wrong ones are found', () => {
  expect(verify(UNIT)).toBe('');
  const wrong = path.join(temporaryFolder(), 'wrong.service');
  writeFileSync(wrong, text.replace('KillMode=mixed', 'KilMode=mixed'));
  expect(verify(wrong)).toMatch(/Unknown key .*'KilMode'/);
});

test('it leaves little to whoever breaks in', () => {
  // Of 100; a service without any of these keys has 96. Above the threshold the tool fails.
  execFileSync(program('systemd-analyze'), ['security', '--offline=yes', '--no-pager', '--threshold=25', UNIT], {
    stdio: 'ignore',
  });
});

test('it is stopped later than it drains, and never killed for a wrong configuration', () => {
  const { delay, deadline } = (
    parse(readFileSync(path.join(EXAMPLES, 'gateway.yaml'), 'utf8')) as { drain: { delay: number; deadline: number } }
  ).drain;
  expect(Number(valueOf('TimeoutStopSec')) * 1000).toBeGreaterThan(delay + deadline + 10_000);
  expect(valueOf('RestartPreventExitStatus')).toBe('2');
  expect(valueOf('ExecStartPre')).toBe(`${valueOf('ExecStart')} --check-config`);
});

/** As systemd does, it takes datagrams and drops the descriptor that comes with a barrier, for which their sender waits. */
const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(receiver.recv(4096).decode().replace(chr(10), ' ').strip(), flush=True)
`;

test.each([[[]], [['--workers', '2']]])(
  'it is ready when it listens, and says when it reloads and stops %j',
  async (more) => {
    expect(valueOf('Type')).toBe('notify');
    expect(valueOf('NotifyAccess')).toBe('all');
    const socket = path.join(temporaryFolder(), 'notify');
    const receiver = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => {
      receiver.kill('SIGKILL');
    });
    const told = createInterface(receiver.stdout)[Symbol.asyncIterator]();
    /** The next state; a barrier is none. */
    const next = async (): Promise<unknown> => {
      for (;;) {
        const { value } = (await told.next()) as { value: unknown };
        if (value !== 'BARRIER=1') return value;
      }
    };
    expect(await next()).toBe('bound');
    const gateway = start(['gateway', '--listen', '127.0.0.1:0', '-u', 'ws://127.0.0.1:1', ...more], {
      env: { NOTIFY_SOCKET: socket },
    });
    expect(await next()).toBe('READY=1');
    gateway.child.kill('SIGHUP');
    expect(await next()).toMatch(/^RELOADING=1 MONOTONIC_USEC=\d+$/);
    await gateway.line('reloaded');
    expect(await next()).toBe('READY=1');
    gateway.child.kill('SIGTERM');
    expect(await next()).toBe('STOPPING=1');
    expect((await gateway.ended).code).toBe(0);
  },
);
