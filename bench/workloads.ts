/** What is measured, of which builds, and what is better. */
import type { BuildName } from './results.ts';
import { SOCKET_BUILDS } from './results.ts';
import type { SizeName } from './plan.ts';
import { APPLICATION_MEGABYTES, SIZES } from './plan.ts';

/** A rate is better when it is higher, a time and memory when they are lower. */
export type Quantity = 'rate' | 'time' | 'memory';

/** Microseconds of processor time, user and system and of both ends, for one operation. It moves little where others keep the machine busy. */
export const CPU = 'cpu';

/** The row of a workload's processor time. */
export function cpuRow(workload: string): string {
  return `${workload}-cpu`;
}

/** With fast open in this package's builds, and as they connect without being asked for it. */
type FirstMessageKind = 'first-message' | 'first-message-no-fast-open';

/** What the client process is asked to prepare. */
export type WorkloadKind =
  | 'workers-1'
  | 'workers-2'
  | 'echo'
  | 'stream'
  | 'pingpong'
  | 'connect'
  | 'fanout'
  | FirstMessageKind
  | 'record'
  | 'idle-memory';

export interface WorkloadPlan {
  readonly name: string;
  readonly kind: WorkloadKind;
  /** Bytes of one message, where the workload has sizes. */
  readonly size: number;
  readonly quantity: Quantity;
  readonly unit: string;
  readonly builds: readonly BuildName[];
  /** What each end holds beside it, as an application does: as many objects as take so much of V8's heap. */
  readonly heldMegabytes?: number;
  /** Rows of the results: metric of a sample, and what the row is called. */
  readonly rows: Readonly<Record<string, string>>;
}

/** Where the cipher is what bounds it. */
const WITH_BARE_CIPHER: readonly BuildName[] = [...SOCKET_BUILDS, 'native-plain', 'node-crypto', 'native-crypto'];

function sized(kind: 'echo' | 'stream', size: SizeName): WorkloadPlan {
  const name = `${kind}-${size}`;
  return {
    name,
    kind,
    size: SIZES[size],
    quantity: 'rate',
    unit: 'messages/s',
    builds: kind === 'echo' ? WITH_BARE_CIPHER : SOCKET_BUILDS,
    rows: { rate: name, [CPU]: cpuRow(name) },
  };
}

/** In processes that hold what an application holds, which the collector looks through each time. */
function inApplication(size: SizeName): WorkloadPlan {
  const name = `echo-${size}-app`;
  return {
    ...sized('echo', size),
    name,
    builds: ['ws', 'wss', 'pq', 'native'],
    heldMegabytes: APPLICATION_MEGABYTES,
    rows: { rate: name, [CPU]: cpuRow(name) },
  };
}

function pingpong(size: SizeName): WorkloadPlan {
  const name = `pingpong-${size}`;
  const rows = { p50: name, p99: `${name}-p99`, 'p99.9': `${name}-p99.9`, [CPU]: cpuRow(name) };
  return { name, kind: 'pingpong', size: SIZES[size], quantity: 'time', unit: 'ms', builds: WITH_BARE_CIPHER, rows };
}

function record(size: SizeName): WorkloadPlan {
  const name = `record-${size}`;
  return {
    name,
    kind: 'record',
    size: SIZES[size],
    quantity: 'rate',
    unit: 'records/s',
    builds: ['node-crypto', 'pq', 'native'],
    rows: { rate: name, [CPU]: cpuRow(name) },
  };
}

function firstMessage(name: FirstMessageKind): WorkloadPlan {
  return {
    name,
    kind: name,
    size: SIZES['32'],
    quantity: 'time',
    unit: 'ms',
    builds: SOCKET_BUILDS,
    rows: { time: name },
  };
}

/** Several connections to a cluster of so many processes behind one port. */
function workers(name: 'workers-1' | 'workers-2'): WorkloadPlan {
  return {
    name,
    kind: name,
    size: SIZES['1k'],
    quantity: 'rate',
    unit: 'messages/s',
    builds: ['ws', 'pq', 'native'],
    rows: { rate: name },
  };
}

const ALL_SIZES = Object.keys(SIZES) as SizeName[];

export const WORKLOADS: readonly WorkloadPlan[] = [
  ...ALL_SIZES.map((size) => sized('echo', size)),
  inApplication('16k'),
  inApplication('64k'),
  ...ALL_SIZES.map((size) => sized('stream', size)),
  pingpong('32'),
  pingpong('1k'),
  {
    name: 'connect',
    kind: 'connect',
    size: 0,
    quantity: 'rate',
    unit: 'connections/s',
    builds: SOCKET_BUILDS,
    rows: { rate: 'connect', [CPU]: cpuRow('connect') },
  },
  {
    name: 'fanout',
    kind: 'fanout',
    size: SIZES['1k'],
    quantity: 'rate',
    unit: 'deliveries/s',
    builds: WITH_BARE_CIPHER,
    rows: { rate: 'fanout', [CPU]: cpuRow('fanout') },
  },
  {
    name: 'idle-memory',
    kind: 'idle-memory',
    size: 0,
    quantity: 'memory',
    unit: 'KiB',
    builds: SOCKET_BUILDS,
    rows: { rss: 'idle-memory', heap: 'idle-memory-heap' },
  },
  workers('workers-1'),
  workers('workers-2'),
  firstMessage('first-message'),
  firstMessage('first-message-no-fast-open'),
  ...ALL_SIZES.map(record),
];

/** Measured in Chromium: in a secure context, and in one without crypto.subtle. The block with one message of all bytes, or with many. */
export const CHROMIUM_WORKLOADS = [
  'chromium-records',
  'chromium-records-insecure',
  'chromium-longest-block',
  'chromium-longest-block-insecure',
  'chromium-longest-block-64k',
  'chromium-longest-block-64k-insecure',
] as const;
export type ChromiumWorkload = (typeof CHROMIUM_WORKLOADS)[number];

export const WORKLOAD_NAMES: readonly string[] = [...WORKLOADS.map(({ name }) => name), ...CHROMIUM_WORKLOADS];
