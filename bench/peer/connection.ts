/** Opening connections in the client process. */
import type { BuildName } from '../results.ts';
import { loadedBuild } from './builds/index.ts';
import type { BenchSocket } from './socket.ts';

/** Where the client connects, and as which build, which is loaded. */
export interface Target {
  readonly build: BuildName;
  readonly port: number;
  readonly ca: string;
}

export function connect({ build, port, ca }: Target, path: string, fastOpen = false): BenchSocket {
  const { tls, connect: open } = loadedBuild(build);
  const socket = open(`${tls ? 'wss' : 'ws'}://127.0.0.1:${port}${path}`, { fastOpen, ...(tls && { ca }) });
  // Each is followed by `close`, where whoever waits is told.
  socket.on('error', () => undefined);
  return socket;
}

/** @throws Error when it closes instead */
export function opened(socket: BenchSocket): Promise<BenchSocket> {
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      resolve(socket);
    });
    socket.on('close', (code) => {
      reject(new Error(`the connection closed with ${code}`));
    });
  });
}

/** `count` open connections, a few at a time. */
export async function openMany(target: Target, path: string, count: number, atOnce: number): Promise<BenchSocket[]> {
  const sockets: BenchSocket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(atOnce, count - sockets.length) }, () => opened(connect(target, path)));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** Resolves when `expected` messages have come; gives a copy of each to `note`, if there is one. */
export function receive(socket: BenchSocket, expected: number, note?: (data: Buffer) => void): Promise<void> {
  return new Promise((resolve) => {
    let received = 0;
    socket.removeAllListeners('message');
    socket.on('message', (data) => {
      received += 1;
      note?.(data);
      if (received === expected) resolve();
    });
  });
}
