/** The primary of several workers: what it orders, when, and for whom it waits. Its workers are played here. */
import cluster from 'node:cluster';
import { EventEmitter } from 'node:events';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { configFrom } from '../../packages/cli/src/gateway/config.ts';
import { runPrimary } from '../../packages/cli/src/gateway/workers.ts';
import type { Signalled } from '../../packages/cli/src/gateway/workers.ts';
import { memoryLog } from './support.ts';
import type { LogLine } from './support.ts';
import { until } from '../support/until.ts';

class PlayedWorker extends EventEmitter {
  readonly process = { pid: 1 };
  readonly orders: string[] = [];

  isConnected(): boolean {
    return true;
  }

  send(order: string): void {
    this.orders.push(order);
  }

  report(type: 'listening' | 'reloaded'): void {
    const message = { type: `pqws: ${type}` };
    this.emit('message', message);
    cluster.emit('message', this, message);
  }
}

vi.mock('node:cluster', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  return { default: Object.assign(new Emitter(), { isWorker: false, fork: vi.fn() }) };
});

const config = configFrom({ listen: '127.0.0.1:0', routes: [{ upstreams: ['ws://127.0.0.1:1'] }] });
let workers: PlayedWorker[];
let lines: LogLine[];
let read: () => typeof config;
beforeEach(() => {
  workers = [];
  cluster.removeAllListeners();
  vi.mocked(cluster.fork).mockImplementation(() => {
    const worker = new PlayedWorker();
    workers.push(worker);
    return worker as never;
  });
  lines = [];
  read = (): typeof config => config;
});

/** With two workers that listen. */
async function startPrimary(): Promise<Signalled> {
  const starting = runPrimary({ config, read: () => read(), log: memoryLog(lines), count: 2 });
  await until(() => workers.length === 2);
  for (const worker of workers) worker.report('listening');
  return starting;
}

/** Collects what has come to its end. */
function watched(ended: string[], name: string, what: Promise<void>): void {
  void what.then(() => ended.push(name));
}

const orders = (): string[][] => workers.map((worker) => worker.orders);

/** As long as anything that needs no report may take. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
}

test('reloads that overlap: one after the other, each until every worker has reported its own', async () => {
  const primary = await startPrimary();
  const ended: string[] = [];
  watched(ended, 'first', primary.reload());
  watched(ended, 'second', primary.reload());
  await until(() => workers.every((worker) => worker.orders.length > 0));
  await settled();
  expect(orders()).toEqual([['pqws: reload'], ['pqws: reload']]);
  workers[0]?.report('reloaded');
  await settled();
  expect(ended).toEqual([]);
  workers[1]?.report('reloaded');
  await until(() => workers.every((worker) => worker.orders.length > 1));
  await settled();
  expect(ended).toEqual(['first']);
  workers[0]?.report('reloaded');
  await settled();
  expect(ended).toEqual(['first']);
  // Who is gone is waited for no longer.
  workers[1]?.emit('exit', 1, null);
  await until(() => ended.length === 2);
});

test('a worker that is starting is told when it listens, and waited for', async () => {
  const primary = await startPrimary();
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  workers[0]?.emit('exit', null, 'SIGKILL');
  vi.advanceTimersByTime(1_000);
  vi.useRealTimers();
  const [, old, replacement] = workers;
  const ended: string[] = [];
  watched(ended, 'reload', primary.reload());
  await until(() => old?.orders.length === 1);
  old?.report('reloaded');
  await settled();
  expect(replacement?.orders).toEqual([]);
  expect(ended).toEqual([]);
  replacement?.report('listening');
  expect(replacement?.orders).toEqual(['pqws: reload']);
  replacement?.report('reloaded');
  await until(() => ended.length === 1);

  // The same for the end.
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  old?.emit('exit', null, 'SIGKILL');
  vi.advanceTimersByTime(1_000);
  vi.useRealTimers();
  const last = workers[3];
  watched(ended, 'drain', primary.drain());
  await primary.close();
  expect(last?.orders).toEqual([]);
  last?.report('listening');
  expect(last?.orders).toEqual(['pqws: drain', 'pqws: close']);
  replacement?.emit('exit', 0, null);
  await settled();
  expect(ended).toEqual(['reload']);
  last?.emit('exit', 0, null);
  await until(() => ended.length === 2);
});

/** How long the last death has its replacement wait. @param which counts workers from the first */
function waitAfterDeath(which: number, listens = false): number {
  if (listens) workers[which]?.report('listening');
  workers[which]?.emit('exit', 1, null);
  const before = workers.length;
  const { facts } = lines.at(-1) as LogLine;
  const wait = facts['replacedAfter'] as number;
  vi.advanceTimersByTime(wait - 1);
  expect(workers.length).toBe(before);
  vi.advanceTimersByTime(1);
  expect(workers.length).toBe(before + 1);
  return wait;
}

test('replacements that die before they listen wait longer each time, up to a minute, until one listens', async () => {
  await startPrimary();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const waits = [waitAfterDeath(0)];
  for (let which = 2; which < 10; which += 1) waits.push(waitAfterDeath(which));
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  // The other one is no part of that.
  expect(waitAfterDeath(1)).toBe(1_000);
  expect(waitAfterDeath(10, true)).toBe(1_000);
});

test('a reload that is accepted replaces at once who is missing, and one that is refused does not', async () => {
  const primary = await startPrimary();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  waitAfterDeath(0);
  workers[2]?.emit('exit', 1, null);
  const mended = read;
  read = (): never => {
    throw new RangeError('wrong');
  };
  await primary.reload();
  expect(workers).toHaveLength(3);
  read = mended;
  void primary.reload();
  await settled();
  expect(workers).toHaveLength(4);
  // And not again, when it would have been its time.
  vi.advanceTimersByTime(120_000);
  expect(workers).toHaveLength(4);
  // It counts on from there where that did not help.
  expect(waitAfterDeath(3)).toBe(4_000);
});

test('a reload that begins before a drain and is read after it orders nothing', async () => {
  const primary = await startPrimary();
  const reloaded = primary.reload();
  void primary.drain();
  await reloaded;
  expect(orders()).toEqual([['pqws: drain'], ['pqws: drain']]);
});

test('its settings, by which a drain is waited for, are those of the last reload', async () => {
  const primary = await startPrimary();
  expect(primary.settings).toBe(config.settings);
  const next = configFrom({ routes: [{ upstreams: ['ws://127.0.0.1:1'] }], drain: { deadline: 1 } });
  read = (): typeof config => next;
  void primary.reload();
  await until(() => workers.every((worker) => worker.orders.length === 1));
  expect(primary.settings).toBe(next.settings);
  read = (): never => {
    throw new RangeError('wrong');
  };
  for (const worker of workers) worker.report('reloaded');
  await primary.reload();
  expect(primary.settings).toBe(next.settings);
});

test('what fails otherwise than by a wrong configuration is said too', async () => {
  const primary = await startPrimary();
  read = (): never => {
    throw new RangeError('not for the log');
  };
  await primary.reload();
  expect(lines.at(-1)).toMatchObject({
    level: 'error',
    message: 'the old configuration stays',
    facts: { error: 'RangeError', at: expect.stringContaining('workers.test.ts') as string },
  });
  expect(JSON.stringify(lines)).not.toContain('not for the log');
  expect(orders()).toEqual([[], []]);
});
