/** Turns of the event loop: who has much to say waits for the others, and nobody waits for ever. */
import type { EventEmitter } from 'node:events';
import { WebSocket } from 'ws';
import { afterEach, expect, test, vi } from 'vitest';
import { Turns } from '../../packages/cli/src/gateway/turns.ts';
import { startBackend } from './backend.ts';
import { openClient, startTestGateway } from './support.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

test('so many go on in each turn, in the order in which they asked', async () => {
  const turns = new Turns();
  const went: number[] = [];
  for (let i = 0; i < 20; i += 1) turns.wait(() => went.push(i));
  expect(went).toEqual([]);
  const lengths: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    await turn();
    lengths.push(went.length);
  }
  expect(lengths).toEqual([8, 16, 20, 20]);
  expect(went).toEqual(Array.from({ length: 20 }, (_, i) => i));
});

test('who asks again while it goes on comes behind all others', async () => {
  const turns = new Turns();
  const went: string[] = [];
  turns.wait(() => {
    went.push('first');
    turns.wait(() => went.push('first again'));
  });
  for (let i = 0; i < 8; i += 1) turns.wait(() => went.push(`${i}`));
  await turn();
  expect(went).toHaveLength(8);
  await turn();
  expect(went.slice(8)).toEqual(['7', 'first again']);
});

test.each(['backend', 'client'] as const)(
  'a %s that sends much is read in shares, and all of it arrives in order',
  async (speaker) => {
    const count = 64;
    const messageBytes = 64 * 1024;
    const backend = await startBackend();
    const gateway = await startTestGateway({
      upstreams: [backend.url],
      limits: { bufferedBytes: 2 * count * messageBytes },
    });
    const client = await openClient(`${gateway.url}/`);
    const { socket } = await backend.next();
    const pauses = vi.spyOn(WebSocket.prototype, 'pause');
    const from = speaker === 'backend' ? socket : client;
    const to: EventEmitter = speaker === 'backend' ? client : socket;
    const received: number[] = [];
    const all = new Promise<void>((resolve) => {
      to.on('message', (data: Buffer) => {
        received.push(data.readUInt32BE());
        if (received.length === count) resolve();
      });
    });
    for (let i = 0; i < count; i += 1) {
      const message = Buffer.alloc(messageBytes);
      message.writeUInt32BE(i);
      from.send(message);
    }
    await all;
    expect(received).toEqual(Array.from({ length: count }, (_, i) => i));
    // Nothing is ever full here: whoever is paused has had its share.
    expect(pauses.mock.calls.length).toBeGreaterThanOrEqual(8);
  },
);
