/** The server's end of every workload: what a connection does is named by the path of its URL. */
import { createHash } from 'node:crypto';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { BuildName } from '../results.ts';
import { loadBuild } from './builds/index.ts';
import type { BenchSocket } from './socket.ts';

export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
}

/** What a `sink` saw since it was last asked, as the text that it answers with. */
export interface SinkReport {
  readonly messages: number;
  readonly bytes: number;
  /** SHA-256 over all of it, only where the client asked for it: hashing costs as much as sealing. */
  readonly digest: string;
}

type Behaviour = (socket: BenchSocket) => void;

function echo(socket: BenchSocket): void {
  socket.on('message', (data, isBinary) => {
    socket.send(data, { binary: isBinary });
  });
}

/** Takes binary messages and counts them; a text, `counts` or `digest`, is answered with the counts and says what comes next. */
function sink(socket: BenchSocket): void {
  let messages = 0;
  let bytes = 0;
  let hash: ReturnType<typeof createHash> | undefined;
  socket.on('message', (data, isBinary) => {
    if (isBinary) {
      messages += 1;
      bytes += data.length;
      hash?.update(data);
      return;
    }
    const report: SinkReport = { messages, bytes, digest: hash?.digest('hex') ?? '' };
    socket.send(JSON.stringify(report));
    messages = 0;
    bytes = 0;
    hash = data.toString() === 'digest' ? createHash('sha256') : undefined;
  });
}

/** What one says, all get: the chat room of every tutorial. */
function room(): Behaviour {
  const members = new Set<BenchSocket>();
  return (socket) => {
    members.add(socket);
    socket.on('close', () => members.delete(socket));
    socket.on('message', (data, isBinary) => {
      for (const member of members) member.send(data, { binary: isBinary });
    });
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** @returns the port */
export async function startServer(name: BuildName, tls: TlsFiles): Promise<number> {
  const build = await loadBuild(name);
  const server = build.tls ? createTlsServer(tls) : createServer();
  const behaviours: Readonly<Record<string, Behaviour>> = { '/echo': echo, '/sink': sink, '/room': room() };
  build.attach(server).on('connection', (socket, request) => {
    // A connection that fails shows at the client, which counts.
    socket.on('error', () => undefined);
    behaviours[request.url ?? '']?.(socket);
  });
  return listen(server);
}

export interface MemoryUse {
  readonly rssKiB: number;
  readonly heapKiB: number;
}

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/** Memory in use once garbage is gone: of the process, and of JavaScript with its buffers. */
export async function memoryUse(): Promise<MemoryUse> {
  const collect = (globalThis as { gc?: Collect }).gc;
  if (collect === undefined) throw new Error('memory is measured in a Node with --expose-gc');
  for (let i = 0; i < 4; i += 1) {
    // The thorough kind, which gives the room for young objects back too, as an idle process does by itself after a while.
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rssKiB: rss / 1_024, heapKiB: (heapUsed + external) / 1_024 };
}
