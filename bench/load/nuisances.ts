/** Clients that nobody wants: some never read what they asked for, some cut and come back, some send garbage. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { openSocket } from './crowd.ts';
import type { NuisanceReport } from './messages.ts';

/** What the backend sends on and on, to whoever asks. */
export const FLOOD = 'flood';
/** Between two attempts of one of them, in milliseconds: each has its own moment of it to begin. */
const PAUSE = 1_000;
/** All of them come from one. */
const ADDRESS = '127.0.0.2';

/**
 * @param kind of a plain proxy, or of the gateway
 * @param each how many of every kind
 */
export async function annoy(kind: 'plain' | 'pq', url: string, each: number, seconds: number): Promise<NuisanceReport> {
  const end = performance.now() + seconds * 1000;
  const report = { slow: 0, cut: 0, garbage: 0, refused: 0 };
  const begin = (index: number): Promise<void> => sleep((index / each) * PAUSE);
  const repeat = async (index: number, step: () => Promise<boolean>, what: 'cut' | 'garbage'): Promise<void> => {
    await begin(index);
    while (performance.now() < end) {
      report[(await step()) ? what : 'refused'] += 1;
      await sleep(PAUSE);
    }
  };
  const slow = Array.from({ length: each }, async (_, i) => {
    await begin(i);
    const socket = await opened(kind, url);
    if (socket === undefined) {
      report.refused += 1;
      return;
    }
    socket.pause();
    socket.send(FLOOD);
    report.slow += 1;
    await sleep(Math.max(0, end - performance.now()));
    socket.terminate();
  });
  const cutting = Array.from({ length: each }, (_, i) =>
    repeat(
      i,
      async () => {
        const socket = await opened(kind, url);
        socket?.send('cut off');
        socket?.terminate();
        return socket !== undefined;
      },
      'cut',
    ),
  );
  const babbling = Array.from({ length: each }, (_, i) =>
    repeat(i, () => (kind === 'plain' || i % 2 === 0 ? noise(url) : garbageFrames(url)), 'garbage'),
  );
  await Promise.all([...slow, ...cutting, ...babbling]);
  return report;
}

/** @returns undefined where it is not let in */
async function opened(kind: 'plain' | 'pq', url: string): Promise<WebSocket | undefined> {
  const socket = openSocket(kind, url, ADDRESS);
  try {
    await once(socket, 'open');
    socket.on('error', () => undefined);
    return socket;
  } catch {
    return undefined;
  }
}

function tcp(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect({ port: Number(port), host: hostname, localAddress: ADDRESS }).on('error', () => undefined);
}

/** Bytes that are no request. */
async function noise(url: string): Promise<boolean> {
  const socket = tcp(url);
  socket.write(randomBytes(1024));
  socket.resume();
  await once(socket, 'close');
  return true;
}

/** An upgrade, and then bytes that are no hello; a plain proxy would pass them on. */
async function garbageFrames(url: string): Promise<boolean> {
  const socket = tcp(url);
  socket.write(
    `GET / HTTP/1.1\r\nHost: load\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  let isLetIn = false;
  socket.once('data', (answer: Buffer) => {
    isLetIn = answer.toString('latin1').startsWith('HTTP/1.1 101');
    // A masked binary message of 1,000 bytes.
    socket.write(Buffer.concat([Buffer.from([0x82, 0xfe, 0x03, 0xe8]), randomBytes(1004)]));
  });
  socket.resume();
  await once(socket, 'close');
  return isLetIn;
}
