/** What a process of the benchmark can be asked: one request at a time, over the channel that started it. */
import { FAN_OUT_CLIENTS } from '../plan.ts';
import type { BuildName } from '../results.ts';
import type { WorkloadKind } from '../workloads.ts';
import { loadBuild } from './builds/index.ts';
import type { Target } from './connection.ts';
import { openMany } from './connection.ts';
import { startRelay } from './relay.ts';
import type { TlsFiles } from './server.ts';
import { memoryUse, startServer } from './server.ts';
import { tlsGroup } from './tls-group.ts';
import type { Workload } from './workload.ts';
import { startCluster } from './cluster.ts';
import { connections } from './workloads/connect.ts';
import { echo } from './workloads/echo.ts';
import { fanout } from './workloads/fanout.ts';
import { firstMessage } from './workloads/first-message.ts';
import { pingpong } from './workloads/pingpong.ts';
import { stream } from './workloads/stream.ts';
import { manyEchoes } from './workloads/workers.ts';

export interface Preparation {
  readonly kind: Exclude<WorkloadKind, 'idle-memory'>;
  readonly size: number;
  readonly build: BuildName;
  /** Of the server, or of the relay in front of it. */
  readonly port: number;
  readonly ca: string;
}

async function workloadOf({ kind, size, build, port, ca }: Preparation): Promise<Workload> {
  if (kind === 'record') {
    // It has this package's source within.
    const { record } = await import('./workloads/record.ts');
    return record(build as 'pq' | 'native' | 'node-crypto', size);
  }
  await loadBuild(build);
  const target: Target = { build, port, ca };
  switch (kind) {
    case 'echo':
      return echo(target, size);
    case 'workers-1':
    case 'workers-2':
      return manyEchoes(target, size);
    case 'stream':
      return stream(target, size);
    case 'pingpong':
      return pingpong(target, size);
    case 'connect':
      return connections(target);
    case 'fanout':
      return fanout(target);
    case 'first-message':
      return firstMessage(target, true);
    case 'first-message-no-fast-open':
      return firstMessage(target, false);
  }
}

/** Bytes that one of what `hold` makes takes in V8's heap, about. */
const HELD_BYTES = 160;
let held: readonly object[] = [];

let prepared: Workload | undefined;

function current(): Workload {
  if (prepared === undefined) throw new Error('no workload is prepared');
  return prepared;
}

export const calls = {
  versions: () => ({ node: process.versions.node, openssl: process.versions.openssl }),
  serve: ({ build, tls }: { build: BuildName; tls: TlsFiles }) => startServer(build, tls),
  serveCluster: ({ build, workers }: { build: BuildName; workers: number }) => startCluster(build, workers),
  relay: ({ port, milliseconds }: { port: number; milliseconds: number }) => startRelay(port, milliseconds),
  tlsGroup: ({ port, ca }: { port: number; ca: string }) => tlsGroup(port, ca),
  memory: () => memoryUse(),
  /** Microseconds of processor time, user and system, since the process began. */
  cpu() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  /** Objects of so much memory, until the process ends. */
  hold({ megabytes }: { megabytes: number }) {
    const count = Math.ceil((megabytes * 1e6) / HELD_BYTES);
    held = Array.from({ length: count }, (_, i) => ({ i, values: [i, i + 1, i + 2], inner: { i } }));
    return held.length;
  },
  async prepare(preparation: Preparation) {
    prepared = await workloadOf(preparation);
  },
  sample: ({ milliseconds }: { milliseconds: number }) => current().sample(milliseconds),
  verify: () => current().verify(),
  /** Connections that say nothing, and stay open as long as the process runs. */
  async openIdle({ target, count }: { target: Target; count: number }) {
    await loadBuild(target.build);
    await openMany(target, '/echo', count, Math.min(count, FAN_OUT_CLIENTS / 10));
  },
} as const;

export type Calls = typeof calls;
