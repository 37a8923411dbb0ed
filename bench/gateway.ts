/**
 * Messages a second through the gateway, beside the same proxying with plain npm `ws` in and out. Client, proxy and
 * backend are processes of their own; the two proxies take turns, so that a busy machine slows both.
 *
 *     npm run build && npx node bench/gateway.ts [--seconds 3] [--rounds 5]
 *
 * Beside messages a second stands what the proxy alone can do: messages a second of its processor time.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { startGateway } from 'pq-websocket-cli/gateway';
import { WebSocket as SecureSocket } from 'pq-websocket/ws';
import { WebSocket, WebSocketServer } from 'ws';
import { plainProxy } from './plain-proxy.ts';

const SIZES = [32, 16 * 1024] as const;
/** Messages under way at once. */
const WINDOW: Readonly<Record<(typeof SIZES)[number], number>> = { 32: 512, 16384: 64 };
const KINDS = ['plain', 'gateway'] as const;
type Kind = (typeof KINDS)[number];

interface Result {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

async function backend(): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
  });
  await once(server, 'listening');
  process.send?.(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
}

async function proxy(kind: Kind, upstream: string): Promise<void> {
  const address =
    kind === 'plain'
      ? await plainProxy(() => upstream)
      : `ws://${(await startGateway({ listen: '127.0.0.1:0', routes: [{ upstreams: [upstream] }], log: { level: 'silent' } })).address}`;
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.((user + system) / 1e6);
  });
  process.send?.(address);
}

/** Echoes for `seconds`, after a warm-up of a third of that; asks for the proxy's processor time at both ends. */
async function client(kind: Kind, url: string, size: number, seconds: number): Promise<void> {
  const socket =
    kind === 'plain'
      ? new WebSocket(url, { perMessageDeflate: false })
      : (new SecureSocket(url) as unknown as WebSocket);
  await once(socket, 'open');
  const message = Buffer.alloc(size, 1);
  let count = 0;
  socket.on('message', () => {
    count += 1;
    socket.send(message);
  });
  for (let i = 0; i < (WINDOW[size] ?? 64); i++) socket.send(message);
  const mark = (): void => {
    process.send?.({ count, at: performance.now() });
  };
  setTimeout(
    () => {
      mark();
      setTimeout(() => {
        mark();
        socket.terminate();
      }, seconds * 1000);
    },
    (seconds * 1000) / 3,
  );
}

function start(...args: string[]): ChildProcess {
  return fork(import.meta.filename, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

async function message<T>(child: ChildProcess): Promise<T> {
  return ((await once(child, 'message')) as [T])[0];
}

async function measure(kind: Kind, size: number, seconds: number): Promise<Result> {
  const children: ChildProcess[] = [];
  const child = (...args: string[]): ChildProcess => {
    const started = start(...args);
    children.push(started);
    return started;
  };
  const upstream = await message<string>(child('backend'));
  const proxied = child('proxy', kind, upstream);
  const url = await message<string>(proxied);
  const cpu = async (): Promise<number> => {
    proxied.send('cpu');
    return message<number>(proxied);
  };
  const sender = child('client', kind, url, String(size), String(seconds));
  const first = await message<{ count: number; at: number }>(sender);
  const cpuBefore = await cpu();
  const last = await message<{ count: number; at: number }>(sender);
  const cpuAfter = await cpu();
  for (const each of children) each.kill();
  const messages = last.count - first.count;
  return { perSecond: (messages * 1000) / (last.at - first.at), perCpuSecond: messages / (cpuAfter - cpuBefore) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

async function main(seconds: number, rounds: number): Promise<void> {
  console.log('bytes   proxy      messages/s   messages/s of its CPU   (medians of', rounds, 'rounds)');
  for (const size of SIZES) {
    const results: Record<Kind, Result[]> = { plain: [], gateway: [] };
    for (let round = 0; round < rounds; round++)
      for (const kind of KINDS) results[kind].push(await measure(kind, size, seconds));
    const of = (kind: Kind, what: keyof Result): number => median(results[kind].map((each) => each[what]));
    for (const kind of KINDS) {
      console.log(
        `${String(size).padEnd(7)} ${kind.padEnd(8)} ${of(kind, 'perSecond').toFixed(0).padStart(12)} ${of(kind, 'perCpuSecond').toFixed(0).padStart(14)}`,
      );
    }
    const ratio = (what: keyof Result): string => (of('gateway', what) / of('plain', what)).toFixed(2);
    console.log(
      `${String(size).padEnd(7)} ratio    ${ratio('perSecond').padStart(12)} ${ratio('perCpuSecond').padStart(14)}`,
    );
  }
}

const [role, ...args] = process.argv.slice(2);
if (role === 'backend') await backend();
else if (role === 'proxy') await proxy(args[0] as Kind, args[1] as string);
else if (role === 'client') await client(args[0] as Kind, args[1] as string, Number(args[2]), Number(args[3]));
else {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '3' }, rounds: { type: 'string', default: '5' } },
  });
  await main(Number(values.seconds), Number(values.rounds));
}
