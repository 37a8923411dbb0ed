/**
 * `npm run bench:gateway`: processor time of a proxy for an echo through it, which is one message each way: the gateway, without
 * pq-websocket-native and with it, beside the same proxying with plain npm `ws` in and out. Writes the table of docs/gateway.md.
 *
 * The proxy has a core for itself, and the client and the backend, which nobody counts, share another. All proxies of a set are there from its
 * beginning, and warm; their rounds take turns, so that whatever else the machine does strikes all of them.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { nativeFile } from '../../scripts/lib/native.ts';
import { machineFacts } from '../machine.ts';
import { replaceSections } from '../report/document.ts';
import { markdownTable } from '../report/markdown.ts';
import { figure, machineLines } from '../report/table.ts';
import type { End } from '../run/cores.ts';
import { onCoreOf } from '../run/cores.ts';
import { rotated } from '../run/rotated.ts';
import { spread } from '../statistics.ts';
import { KINDS } from './kinds.ts';
import type { Kind, Proxy, Round } from './kinds.ts';

interface Work extends Round {
  /** Bytes of a message. */
  readonly size: number;
}

const WORK: readonly Work[] = [
  { size: 32, window: 512, messages: 10_000 },
  // A full collection comes every few hundred of them, and takes as long as hundreds of them: a round has several.
  { size: 16 * 1024, window: 64, messages: 4_000 },
];
/** A process may have memory that is slow as long as it lives: each set of processes is one draw. */
const SETS = 3;
/** Of each set, many short ones: a machine's slow moments last seconds. */
const ROUNDS = 9;
/** Before a set's first round: V8 compiles the last of the code after some ten thousand messages. */
const WARM_UP_MESSAGES = 30_000;
/** As docs/gateway.md advises, for all of them alike. */
const SHORT_COLLECTIONS = '--max-semi-space-size=2';
const DOCUMENT = path.resolve(import.meta.dirname, '../../docs/gateway.md');

interface Contestant {
  readonly kind: Kind;
  readonly proxy: ChildProcess;
  readonly client: ChildProcess;
}

/** One of the table's rows. */
interface Measured {
  readonly kind: Kind;
  readonly size: number;
  /** Microseconds for one echo, of each round. */
  readonly processor: readonly number[];
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const exited = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`a process of the benchmark ended with ${String(code)}`);
  });
  const said = once(child, 'message', { signal: ended.signal }).then(([message]) => message as T);
  try {
    return await Promise.race([said, exited]);
  } finally {
    ended.abort();
    await Promise.allSettled([said, exited]);
  }
}

/** Processes that end together. */
class Children {
  readonly #all: ChildProcess[] = [];

  start(role: string, end: End, kind: Kind, ...args: string[]): ChildProcess {
    const [execPath = process.execPath, ...execArgv] = [...onCoreOf(end), process.execPath];
    const { backend, hasBufferutil }: Proxy = KINDS[kind];
    const child = fork(path.join(import.meta.dirname, 'roles.ts'), [role, kind, ...args], {
      execPath,
      execArgv: [...execArgv, SHORT_COLLECTIONS, '--disable-warning=ExperimentalWarning'],
      env: {
        ...process.env,
        PQ_WEBSOCKET_NATIVE: backend === 'native' ? 'require' : 'off',
        // A dependency of our tests brings it.
        ...(!hasBufferutil && { WS_NO_BUFFER_UTIL: '1' }),
      },
    });
    this.#all.push(child);
    return child;
  }

  stop(): void {
    for (const child of this.#all) child.kill();
  }
}

async function enter(children: Children, kind: Kind, size: number): Promise<Contestant> {
  const upstream = await answer<string>(children.start('backend', 'client', kind));
  const proxy = children.start('proxy', 'server', kind, upstream);
  const client = children.start('client', 'client', kind, await answer<string>(proxy), String(size));
  await answer(client);
  return { kind, proxy, client };
}

async function processorTime(proxy: ChildProcess): Promise<number> {
  proxy.send('processor time');
  return answer<number>(proxy);
}

/** @returns microseconds of the proxy's processor time for one echo */
async function round({ proxy, client }: Contestant, { messages, window }: Round): Promise<number> {
  // Not counted: the others had the machine meanwhile, and V8 makes the heap of who waits small.
  client.send({ messages: Math.ceil(messages / 4), window } satisfies Round);
  await answer(client);
  const before = await processorTime(proxy);
  client.send({ messages, window } satisfies Round);
  await answer(client);
  return ((await processorTime(proxy)) - before) / messages;
}

/**
 * One set of processes.
 * @param processor gets what each round has taken
 */
async function measureSet(kinds: readonly Kind[], work: Work, processor: ReadonlyMap<Kind, number[]>): Promise<void> {
  const children = new Children();
  try {
    const contestants = await Promise.all(kinds.map((kind) => enter(children, kind, work.size)));
    const warmUp = Math.ceil(WARM_UP_MESSAGES / work.messages);
    for (let at = -warmUp; at < ROUNDS; at += 1) {
      for (const contestant of rotated(contestants, at + warmUp)) {
        const taken = await round(contestant, work);
        if (at >= 0) processor.get(contestant.kind)?.push(taken);
      }
    }
  } finally {
    children.stop();
  }
}

async function measure(kinds: readonly Kind[], work: Work): Promise<Measured[]> {
  const processor = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]));
  for (let set = 0; set < SETS; set += 1) await measureSet(kinds, work, processor);
  return kinds.map((kind) => ({ kind, size: work.size, processor: processor.get(kind) ?? [] }));
}

function table(measured: readonly Measured[]): string {
  const medianOf = (kind: Kind, size: number): number =>
    spread(measured.find((each) => each.kind === kind && each.size === size)?.processor ?? []).median;
  return markdownTable(
    ['bytes of a message', 'proxy', 'µs of its processor time for an echo', 'least to most', 'to plain ws'],
    measured.map(({ kind, size, processor }) => {
      const { median, min, max } = spread(processor);
      const plain = KINDS[kind].hasBufferutil ? 'plain ws, bufferutil' : 'plain ws';
      const ratio = kind === plain ? '' : (median / medianOf(plain, size)).toFixed(2);
      return [String(size), kind, figure(median), `${figure(min)} to ${figure(max)}`, ratio];
    }),
  );
}

export async function main(): Promise<number> {
  if (!existsSync(nativeFile())) {
    console.error('pq-websocket-native is not built (npm run build:native)');
    return 1;
  }
  const date = new Date();
  const kinds = Object.keys(KINDS) as Kind[];
  const measured: Measured[] = [];
  for (const work of WORK) measured.push(...(await measure(kinds, work)));
  const machine = machineLines(machineFacts({}, 'full', date))[0] ?? '';
  const text = `${table(measured)}\n\nMeasured by \`npm run bench:gateway\`: ${machine}, Node ${process.versions.node}.`;
  console.log(text);
  const old = readFileSync(DOCUMENT, 'utf8');
  writeFileSync(
    DOCUMENT,
    replaceSections(old, (name) => (name === 'gateway' ? text : undefined)),
  );
  return 0;
}
