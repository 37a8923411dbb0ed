/** One client that says nothing, as fast as it can: what costs it little and the gateway much. */
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket } from 'pq-websocket/ws';
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
/** What waits in this process, in bytes: the flood is what the gateway takes, and this process's memory stays its own. */
const WATER = 1024 * 1024;
/** So many messages are a flood. */
const MANY = 1_000;
const ADDRESS = '127.0.0.3';

/**
 * @param begun called when it is under way
 * @param stop says when it is enough
 */
export async function flood(kind: Flood, url: string, begun: () => void, stop: Promise<void>): Promise<FloodReport> {
  const { options, aTurn } = FLOODS[kind];
  const socket = new WebSocket(new URL(SINK, url), [], { ...options, localAddress: ADDRESS });
  const report = { messages: 0, ended: undefined as number | undefined };
  await new Promise<void>((resolve, reject) => {
    socket.on('open', () => {
      resolve();
    });
    socket.on('error', reject);
  });
  socket.on('close', (code) => {
    report.ended = code;
  });
  let isStopped = false;
  void stop.then(() => {
    isStopped = true;
  });
  while (!isStopped && socket.readyState === socket.OPEN) {
    for (let i = 0; i < aTurn && socket.bufferedAmount < WATER; i += 1) {
      socket.send('');
      report.messages += 1;
    }
    await turn();
    if (report.messages >= MANY) begun();
  }
  const { ended } = report;
  socket.terminate();
  return { messages: report.messages, ended };
}
