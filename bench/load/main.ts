/** `npm run load`: thousands of connections at once over the gateway, beside a plain proxy, and with bad company. */
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { machineFacts } from '../machine.ts';
import { percentile } from '../statistics.ts';
import type { LoadArguments } from './arguments.ts';
import { readArguments, USAGE } from './arguments.ts';
import type { Flood } from './floods.ts';
import { FLOODS } from './floods.ts';
import { liveKiB } from './memory.ts';
import type { FloodReport, NuisanceReport, OpenReport, TalkReport } from './messages.ts';
import { ask, Processes, residentKiB, said, sunk } from './processes.ts';

/** Before memory is read: garbage of the handshakes is collected while nothing happens. */
const SETTLE = 3_000;
/** So long, in milliseconds, a conversation that has ended may be counted. */
const WORKED_OFF = 30_000;
/** What is alive after the bad company may be more than what it was by this much and still count as "where it was", in KiB. */
const MEMORY_SLACK_KIB = 4 * 1024;
const MEMORY_SLACK_SHARE = 0.05;
/** So many times its p99 may a crowd have while one client floods. */
const FLOOD_FACTOR = 3;

/** What the machine does to a crowd without any of ours: not judged. */
const PLAIN_FLOOD = 'plain proxy, one floods with empty messages';

export interface Part {
  readonly name:
    | 'plain proxy'
    | 'gateway'
    | typeof PLAIN_FLOOD
    | `gateway, one floods with ${Flood}`
    | 'plain proxy, with 1 % slow, 1 % cut, 1 % garbage'
    | 'gateway, with 1 % slow, 1 % cut, 1 % garbage';
  readonly connections: number;
  readonly handshakesPerSecond: number | undefined;
  readonly messagesPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** The same crowd's, directly before, without what this part is about. */
  readonly p99Alone?: number | undefined;
  /** Messages a second of the flood that have come through. */
  readonly flood?: number;
  /** Of the proxy's resident memory, over what it had with no connection; NaN where it was not read. */
  readonly kibPerConnection: number;
  readonly errors: readonly string[];
}

interface Proxy {
  readonly child: ChildProcess;
  readonly url: string;
}

/** Who floods, through what, and to whom: a backend of their own, since what is measured is the proxy and not a backend that all share. */
interface FloodPlan {
  readonly kind: 'plain' | 'pq';
  readonly what: Flood;
  readonly url: string;
  readonly sink: ChildProcess;
}

async function settledKiB(child: ChildProcess): Promise<number> {
  await sleep(SETTLE);
  return residentKiB(child);
}

function talkPart(
  name: Part['name'],
  connections: number,
  opened: OpenReport | undefined,
  talk: TalkReport,
  kib: number,
): Part {
  return {
    name,
    connections,
    handshakesPerSecond: opened && opened.opened / opened.seconds,
    messagesPerSecond: talk.messages / talk.seconds,
    p50: percentile(talk.latencies, 0.5),
    p99: percentile(talk.latencies, 0.99),
    kibPerConnection: kib,
    errors: [
      ...(opened !== undefined && opened.failed > 0 ? [`${opened.failed} connections did not open`] : []),
      ...talk.errors,
    ],
  };
}

async function crowdThrough(
  processes: Processes,
  kind: 'plain' | 'pq',
  proxy: Proxy,
  args: LoadArguments,
): Promise<{ crowd: ChildProcess; part: Part; empty: number }> {
  const { connections, seconds, rate } = args;
  const empty = await settledKiB(proxy.child);
  const crowd = processes.role('crowd', kind, proxy.url, String(connections));
  const opened = await ask<OpenReport>(crowd, { type: 'open' });
  const talk = await ask<TalkReport>(crowd, { type: 'talk', seconds, rate });
  const kib = ((await settledKiB(proxy.child)) - empty) / connections;
  return {
    crowd,
    empty,
    part: talkPart(kind === 'plain' ? 'plain proxy' : 'gateway', opened.opened, opened, talk, kib),
  };
}

interface FloodResult {
  readonly alone: TalkReport | undefined;
  readonly talk: TalkReport;
  readonly report: FloodReport;
  /** Messages a second of it that have come through. */
  readonly rate: number;
}

/** The crowd talks as before, among others who are a nuisance, so many of each kind. */
async function inBadCompany(
  processes: Processes,
  kind: 'plain' | 'pq',
  url: string,
  crowd: ChildProcess,
  { connections, seconds, rate }: LoadArguments,
): Promise<{ talk: TalkReport; nuisances: NuisanceReport; each: number }> {
  const each = Math.max(1, Math.round(connections / 100));
  const nuisances = said<NuisanceReport>(processes.role('nuisances', kind, url, String(each), String(seconds)));
  const talk = await ask<TalkReport>(crowd, { type: 'talk', seconds, rate });
  return { talk, nuisances: await nuisances, each };
}

/**
 * The crowd talks as before, first alone and then while one client floods the proxy, from the first message to the last. A quick run
 * leaves out the first: what few messages take tells of the machine.
 */
async function duringFlood(
  processes: Processes,
  { kind, what, url, sink }: FloodPlan,
  crowd: ChildProcess,
  { seconds, rate, isQuick }: LoadArguments,
): Promise<FloodResult> {
  const half = { seconds: seconds / 2, rate };
  const alone = isQuick ? undefined : await ask<TalkReport>(crowd, { type: 'talk', ...half });
  const flooder = processes.role('flood', kind, what, url);
  await said<string>(flooder);
  const reported = said<FloodReport>(flooder);
  // Whoever ends early is told of below.
  reported.catch(() => undefined);
  const before = await sunk(sink);
  const talk = await ask<TalkReport>(crowd, { type: 'talk', ...half });
  const came = (await sunk(sink)) - before;
  flooder.send('enough');
  const report = await reported;
  flooder.kill('SIGKILL');
  return { alone, talk, report, rate: came / talk.seconds };
}

function floodPart(name: Part['name'], connections: number, { alone, talk, report, rate }: FloodResult): Part {
  const part = talkPart(name, connections, undefined, talk, NaN);
  const before = alone && percentile(alone.latencies, 0.99);
  const errors = [
    ...(before !== undefined && part.p99 > FLOOD_FACTOR * before
      ? [`p99 went from ${before.toFixed(1)} to ${part.p99.toFixed(1)} ms`]
      : []),
    ...(report.ended === undefined ? [] : [`the flood was ended with ${report.ended}`]),
  ];
  return { ...part, p99Alone: before, flood: rate, errors: [...(alone?.errors ?? []), ...part.errors, ...errors] };
}

const mib = (kib: number): string => (kib / 1024).toFixed(1);

async function gauge(admin: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? NaN);
}

/** What the flood's last conversation had said is worked off in its shares, and then its end is seen. */
async function settledGauge(admin: string, name: string, wanted: number): Promise<number> {
  const deadline = performance.now() + WORKED_OFF;
  for (;;) {
    const value = await gauge(admin, name);
    if (value === wanted || performance.now() > deadline) return value;
    await sleep(250);
  }
}

async function run(args: LoadArguments, progress: (text: string) => void): Promise<Part[]> {
  const { connections } = args;
  const processes = new Processes();
  try {
    progress('plain proxy');
    const upstream = await said<string>(processes.role('backend'));
    const sinkChild = processes.role('backend');
    const sink = await said<string>(sinkChild);
    const plainChild = processes.role('plain-proxy', upstream, sink);
    const plainUrl = await said<string>(plainChild);
    const plain = await crowdThrough(processes, 'plain', { child: plainChild, url: plainUrl }, args);
    progress('plain proxy, in bad company');
    const annoyed = await inBadCompany(processes, 'plain', plainUrl, plain.crowd, args);
    const plainCompany = talkPart(
      'plain proxy, with 1 % slow, 1 % cut, 1 % garbage',
      plain.part.connections,
      undefined,
      annoyed.talk,
      ((await settledKiB(plainChild)) - plain.empty) / connections,
    );
    progress(PLAIN_FLOOD);
    const plainFlood = floodPart(
      PLAIN_FLOOD,
      plain.part.connections,
      await duringFlood(
        processes,
        { kind: 'plain', what: 'empty messages', url: plainUrl, sink: sinkChild },
        plain.crowd,
        args,
      ),
    );
    await ask(plain.crowd, { type: 'close' });
    for (const child of [plain.crowd, plainChild]) child.kill('SIGKILL');

    progress('gateway');
    const { child, url, admin, inspector } = await processes.gateway(upstream, sink, connections);
    const { crowd, part, empty } = await crowdThrough(processes, 'pq', { child, url }, args);

    const floods: Part[] = [];
    for (const what of Object.keys(FLOODS) as Flood[]) {
      const name = `gateway, one floods with ${what}` as const;
      progress(name);
      const result = await duringFlood(processes, { kind: 'pq', what, url, sink: sinkChild }, crowd, args);
      floods.push(floodPart(name, part.connections, result));
      // Megabytes of it wait in the network: the next part is to begin without them.
      const left = await settledGauge(admin, 'pqws_gateway_connections', part.connections);
      if (left !== part.connections)
        progress(`${left} connections are counted, not ${part.connections}: some of the flood is left`);
    }

    progress('gateway, in bad company');
    const before = { live: await liveKiB(inspector), resident: residentKiB(child) };
    const {
      talk,
      nuisances: { slow, cut, garbage, refused },
      each,
    } = await inBadCompany(processes, 'pq', url, crowd, args);
    progress(`${slow} slow readers, ${cut} cuts and ${garbage} senders of garbage came in, ${refused} were refused`);
    const left = await settledGauge(admin, 'pqws_gateway_connections', part.connections);
    const after = { live: await liveKiB(inspector), resident: await settledKiB(child) };
    progress(
      `memory: ${mib(before.live)} MiB alive and ${mib(before.resident)} resident before the bad company, ${mib(after.live)} and ${mib(after.resident)} after it`,
    );
    const errors: string[] = [];
    if (slow < each || cut < each || garbage < each)
      errors.push(`only ${slow} slow readers, ${cut} cuts and ${garbage} senders of garbage came`);
    if (after.live > before.live * (1 + MEMORY_SLACK_SHARE) + MEMORY_SLACK_KIB)
      errors.push(`memory went from ${mib(before.live)} to ${mib(after.live)} MiB and stayed`);
    if (left !== part.connections) errors.push(`${left} connections are counted, not ${part.connections}`);
    const buffered = await gauge(admin, 'pqws_gateway_buffered_bytes');
    if (buffered !== 0) errors.push(`${buffered} bytes are still buffered`);
    const company = talkPart(
      'gateway, with 1 % slow, 1 % cut, 1 % garbage',
      part.connections,
      undefined,
      talk,
      (after.resident - empty) / connections,
    );
    await ask(crowd, { type: 'close' });
    return [
      plain.part,
      plainCompany,
      plainFlood,
      part,
      ...floods,
      { ...company, errors: [...company.errors, ...errors] },
    ];
  } finally {
    processes.endAll();
  }
}

function table(parts: readonly Part[]): string {
  const number = (value: number, digits = 0): string =>
    value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });
  const lines = [
    [
      '',
      'connections',
      'handshakes/s',
      'messages/s',
      'p50 ms',
      'p99 ms',
      'before',
      'flood/s',
      'KiB/connection',
      'errors',
    ],
    ...parts.map((part) => [
      part.name,
      number(part.connections),
      part.handshakesPerSecond === undefined ? '' : number(part.handshakesPerSecond),
      number(part.messagesPerSecond),
      number(part.p50, 1),
      number(part.p99, 1),
      part.p99Alone === undefined ? '' : number(part.p99Alone, 1),
      part.flood === undefined ? '' : number(part.flood),
      Number.isNaN(part.kibPerConnection) ? '' : number(part.kibPerConnection, 1),
      number(part.errors.length),
    ]),
  ];
  const widths = (lines[0] as string[]).map((_, column) =>
    Math.max(...lines.map((line) => (line[column] as string).length)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
        .join('  '),
    )
    .join('\n');
}

/** @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  let args: LoadArguments;
  try {
    args = readArguments(argv);
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  if (args.help) {
    console.log(USAGE);
    return 0;
  }
  if (!existsSync(path.resolve(import.meta.dirname, '../../packages/cli/dist/cli.js'))) {
    console.error('there is no build: run `npm run build`');
    return 2;
  }
  const { version } = process;
  const parts = await run(args, (text) => {
    console.error(`load: ${text} ...`);
  });
  const facts = machineFacts({}, 'load', new Date());
  if (args.json) console.log(JSON.stringify({ machine: facts, node: version, arguments: args, parts }, undefined, 2));
  else {
    console.log(
      `${facts.date.slice(0, 10)}, ${facts.commit}: ${facts.cpu}, ${facts.cores} cores for clients, proxy and backend together, Node ${version}`,
    );
    console.log(
      `${args.rate} messages a second from each connection for ${args.seconds} s, 64 bytes each, echoed by the backend\n`,
    );
    console.log(table(parts));
  }
  const errors = parts
    .filter(({ name }) => name !== PLAIN_FLOOD)
    .flatMap(({ name, errors: found }) => found.map((error) => `${name}: ${error}`));
  for (const error of errors.slice(0, 20)) console.error(error);
  if (errors.length > 20) console.error(`and ${errors.length - 20} more`);
  return errors.length === 0 ? 0 : 1;
}
