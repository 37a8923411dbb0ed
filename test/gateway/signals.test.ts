/** What the process makes of its signals, and what it tells systemd. Signals, exit and `systemd-notify` are played here. */
import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { configFrom } from '../../packages/cli/src/gateway/config.ts';
import { until } from '../support/until.ts';

vi.mock('node:child_process', () => ({ spawn: vi.fn() }));

/** `systemd-notify`, as long as it runs. */
class Notifying extends EventEmitter {
  readonly kill = vi.fn();

  constructor(readonly said: string) {
    super();
  }

  unref(): void {
    // Nothing waits for it here either.
  }
}
let notifying: Notifying[];
const said = (): string[] => notifying.map((each) => each.said);
/** One that runs has said its word. */
async function over(index: number): Promise<void> {
  await until(() => notifying.length > index);
  notifying[index]?.emit('close', 0, null);
  await new Promise(setImmediate);
}

beforeEach(() => {
  notifying = [];
  vi.mocked(spawn).mockImplementation(((_program: string, [first = '']: string[]) => {
    const child = new Notifying(first);
    notifying.push(child);
    return child;
  }) as never);
  vi.stubEnv('NOTIFY_SOCKET', '/run/notify');
  // What has been said before is the module's own.
  vi.resetModules();
  return (): void => {
    vi.unstubAllEnvs();
  };
});

describe('to systemd', () => {
  test('one word comes after the other, and STOPPING is the last', async () => {
    const { notifySystemd } = await import('../../packages/cli/src/gateway/notify.ts');
    notifySystemd('READY');
    notifySystemd('RELOADING');
    notifySystemd('READY');
    await over(0);
    expect(said()).toEqual(['READY=1', 'RELOADING=1']);
    notifySystemd('STOPPING');
    expect(said()).toEqual(['READY=1', 'RELOADING=1', 'STOPPING=1']);
    expect(notifying.map(({ kill }) => kill.mock.calls.length)).toEqual([0, 1, 0]);
    notifySystemd('READY');
    await over(1);
    await over(2);
    expect(said()).toEqual(['READY=1', 'RELOADING=1', 'STOPPING=1']);
  });

  test('nothing where nobody listens', async () => {
    vi.stubEnv('NOTIFY_SOCKET', '');
    const { notifySystemd } = await import('../../packages/cli/src/gateway/notify.ts');
    notifySystemd('READY');
    notifySystemd('STOPPING');
    await new Promise(setImmediate);
    expect(said()).toEqual([]);
  });
});

test('a drain: the watchdog goes by the settings of the last reload, and a reload has no word in it', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pqws-signals-'));
  const handlers = new Map<string | symbol, () => void>();
  const on = vi.spyOn(process, 'on').mockImplementation(((event: string, handler: () => void) => {
    handlers.set(event, handler);
    return process;
  }) as never);
  const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
  const timers = vi.spyOn(globalThis, 'setTimeout');
  try {
    const { runGateway } = await import('../../packages/cli/src/gateway/process.ts');
    const socket = (name: string): string => path.join(folder, name);
    const configOf = (name: string, deadline: number): ReturnType<typeof configFrom> =>
      configFrom({
        listen: `unix:${socket(name)}`,
        log: { level: 'silent' },
        drain: { deadline },
        routes: [{ upstreams: ['ws://127.0.0.1:1'] }],
      });
    const read = vi.fn(() => configOf('first', 1_000));
    await runGateway(read);
    read.mockImplementation(() => configOf('second', 1_234_000));
    handlers.get('SIGHUP')?.();
    await until(() => existsSync(socket('second')));
    timers.mockClear();
    handlers.get('SIGTERM')?.();
    // The deadline, twice 5 s for the last goodbyes, and a margin.
    expect(timers.mock.calls[0]?.[1]).toBe(1_234_000 + 11_000);
    read.mockClear();
    handlers.get('SIGHUP')?.();
    await until(() => exit.mock.calls.length > 0);
    expect(exit).toHaveBeenCalledWith(0);
    expect(read).not.toHaveBeenCalled();
  } finally {
    for (const mock of [on, exit, timers]) mock.mockRestore();
    rmSync(folder, { recursive: true, force: true });
  }
});
