/** One client that says nothing, as fast as it is taken: what costs it little and the gateway much. */
import { setImmediate as turn } from 'node:timers/promises';
import type { WebSocket as PlainSocket } from 'ws';
import { openSocket } from './crowd.ts';
import type { FloodReport } from './messages.ts';

export const FLOODS = {
  /** A record each, with nothing in it. */
  'empty messages': { options: { maxBatchBytes: 1 }, aTurn: 500 },
  /** A key update behind every other record. */
  'key updates': { options: { maxBatchBytes: 1, rekey: { records: 2 } }, aTurn: 500 },
  /** Thousands of empty messages in one record, again and again. */
  batches: { options: {}, aTurn: 10_000 },
} as const;

export type Flood = keyof typeof FLOODS;

/** Where the backend takes everything and says nothing. */
export const SINK = '/sink';
/** So many messages are a flood. */
const MANY = 1_000;
const ADDRESS = '127.0.0.3';

/**
 * @param kind of a plain proxy, which has nothing but messages, or of the gateway
 * @param begun called when it is under way
 * @param stop says when it is enough
 */
export async function flood(
  kind: 'plain' | 'pq',
  what: Flood,
  url: string,
  begun: () => void,
  stop: Promise<void>,
): Promise<FloodReport> {
  const { options, aTurn } = FLOODS[what];
  const socket = openSocket(kind, new URL(SINK, url).href, ADDRESS, options);
  let sent = 0;
  let ended: number | undefined;
  await new Promise<void>((resolve, reject) => {
    socket.on('open', () => {
      resolve();
    });
    socket.on('error', reject);
  });
  socket.on('close', (code) => {
    ended = code;
  });
  let isStopped = false;
  void stop.then(() => {
    isStopped = true;
  });
  while (!isStopped && socket.readyState === socket.OPEN) {
    await Promise.race([stop, taken(socket, aTurn)]);
    sent += aTurn;
    if (sent >= MANY) begun();
    // What the network takes at once comes back before anything else is heard.
    await turn();
  }
  const report = { ended };
  socket.terminate();
  return report;
}

/**
 * Sends so many empty messages, and resolves when the network has taken the last: a flood that comes from another machine is as fast as
 * its network, and takes neither processor nor memory of this one. Empty messages are no bytes that `bufferedAmount` could tell of.
 */
function taken(socket: PlainSocket, messages: number): Promise<void> {
  return new Promise((resolve) => {
    for (let i = 1; i < messages; i += 1) socket.send('');
    socket.send('', () => {
      resolve();
    });
  });
}
