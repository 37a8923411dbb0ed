/**
 * `npm run bench:gateway`: processor time of a proxy for an echo through it, which is one message each way: the gateway, without
 * pq-websocket-native and with it, beside the same proxying with plain npm `ws` in and out. Writes the table of docs/gateway.md.
 * With `--bufferutil` all of them have the native masking that `ws` takes where it is installed, and the document is left alone.
 *
 * The proxy has a core for itself, and the client and the backend, which nobody counts, share another. All proxies are there from the beginning,
 * and warm; their rounds take turns, so that whatever else the machine does strikes all of them.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { nativeFile } from '../../scripts/lib/native.ts';
import { machineFacts } from '../machine.ts';
import { markdownTable } from '../report/markdown.ts';
import { figure, machineLines } from '../report/table.ts';
import type { End } from '../run/cores.ts';
import { onCoreOf } from '../run/cores.ts';
import { spread } from '../statistics.ts';
import { KINDS } from './kinds.ts';
import type { Kind, Round } from './kinds.ts';

interface Work extends Round {
  /** Bytes of a message. */
  readonly size: number;
}

const WORK: readonly Work[] = [
  { size: 32, window: 512, messages: 40_000 },
  { size: 16 * 1024, window: 64, messages: 4_000 },
];
const ROUNDS = 11;
/** Before the first round: V8 compiles the last of the code after some ten thousand messages. */
const WARM_UP_MESSAGES = 120_000;
/** As docs/gateway.md advises, for all of them alike. */
const SHORT_COLLECTIONS = '--max-semi-space-size=2';
const DOCUMENT = path.resolve(import.meta.dirname, '../../docs/gateway.md');
const SECTION = /(<!-- bench:gateway -->\n)[^]*?(<!-- \/bench -->)/;

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
  readonly #environment: NodeJS.ProcessEnv;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  start(end: End, kind: Kind, ...args: string[]): ChildProcess {
    const [execPath = process.execPath, ...execArgv] = [...onCoreOf(end), process.execPath];
    const { demand }: { demand?: string } = KINDS[kind];
    const child = fork(path.join(import.meta.dirname, 'roles.ts'), args, {
      execPath,
      execArgv: [...execArgv, SHORT_COLLECTIONS, '--disable-warning=ExperimentalWarning'],
      env: { ...process.env, ...this.#environment, ...(demand !== undefined && { PQ_WEBSOCKET_NATIVE: demand }) },
    });
    this.#all.push(child);
    return child;
  }

  stop(): void {
    for (const child of this.#all) child.kill();
  }
}

async function enter(children: Children, kind: Kind, size: number): Promise<Contestant> {
  const upstream = await answer<string>(children.start('client', kind, 'backend'));
  const proxy = children.start('server', kind, 'proxy', kind, upstream);
  const client = children.start('client', kind, 'client', kind, await answer<string>(proxy), String(size));
  await answer(client);
  return { kind, proxy, client };
}

async function processorTime(proxy: ChildProcess): Promise<number> {
  proxy.send('processor time');
  return answer<number>(proxy);
}

/** @returns microseconds of the proxy's processor time for one echo */
async function round({ proxy, client }: Contestant, { messages, window }: Round): Promise<number> {
  const before = await processorTime(proxy);
  client.send({ messages, window } satisfies Round);
  await answer(client);
  return ((await processorTime(proxy)) - before) / messages;
}

/** Each round begins with another kind, so that none always comes after the same one. */
async function measure(kinds: readonly Kind[], work: Work, environment: NodeJS.ProcessEnv): Promise<Measured[]> {
  const children = new Children(environment);
  try {
    const contestants: Contestant[] = [];
    for (const kind of kinds) contestants.push(await enter(children, kind, work.size));
    const warmUp = Math.ceil(WARM_UP_MESSAGES / work.messages);
    const processor = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]));
    for (let at = -warmUp; at < ROUNDS; at += 1) {
      const first = (at + warmUp) % kinds.length;
      for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)]) {
        const taken = await round(contestant, work);
        if (at >= 0) processor.get(contestant.kind)?.push(taken);
      }
    }
    return kinds.map((kind) => ({ kind, size: work.size, processor: processor.get(kind) ?? [] }));
  } finally {
    children.stop();
  }
}

function table(measured: readonly Measured[]): string {
  const plain = new Map(
    measured.flatMap(({ kind, size, processor }) =>
      kind === 'plain ws' ? [[size, spread(processor).median] as const] : [],
    ),
  );
  return markdownTable(
    ['bytes of a message', 'proxy', 'µs of its processor time for an echo', 'least to most', 'to plain ws'],
    measured.map(({ kind, size, processor }) => {
      const { median, min, max } = spread(processor);
      const ratio = kind === 'plain ws' ? '' : (median / (plain.get(size) ?? NaN)).toFixed(2);
      return [String(size), kind, figure(median), `${figure(min)} to ${figure(max)}`, ratio];
    }),
  );
}

export async function main(args: readonly string[]): Promise<number> {
  const { bufferutil } = parseArgs({
    args: [...args],
    options: { bufferutil: { type: 'boolean', default: false } },
  }).values;
  const date = new Date();
  const hasNative = existsSync(nativeFile());
  if (!hasNative) console.error('pq-websocket-native is not built (npm run build:native): left out');
  const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => hasNative || kind !== 'gateway, native');
  // A dependency of our tests brings it, which nobody has who installs `ws`.
  const environment = bufferutil ? {} : { WS_NO_BUFFER_UTIL: '1' };
  const measured: Measured[] = [];
  for (const work of WORK) measured.push(...(await measure(kinds, work, environment)));
  const machine = machineLines(machineFacts({}, 'full', date))[0] ?? '';
  const text = `${table(measured)}\n\nMeasured by \`npm run bench:gateway\`: ${machine}, Node ${process.versions.node}.`;
  console.log(text);
  if (!bufferutil && hasNative) {
    const old = readFileSync(DOCUMENT, 'utf8');
    writeFileSync(
      DOCUMENT,
      old.replace(SECTION, (_: string, begin: string, end: string) => `${begin}${text}\n${end}`),
    );
  }
  return 0;
}
