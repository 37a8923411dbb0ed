/** What an application was given stays as it was, however long it is kept: memory that the network brought is given back beneath it. */
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { WsStyleWebSocket } from '../../src/ws.ts';
import { WebSocket, WebSocketServer } from '../../src/ws.ts';
import { nativeBinding } from '../support/native.ts';

const isBuilt = nativeBinding('messages that are kept') !== undefined;

/** A message, or with `isPing` a ping, which carries nothing. */
interface Said {
  readonly bytes: number;
  readonly isPing: boolean;
}

const said: fc.Arbitrary<Said> = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 30_000, max: 200_000 }).map((bytes) => ({ bytes, isPing: false })) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 20_000 }).map((bytes) => ({ bytes, isPing: false })) },
  { weight: 1, arbitrary: fc.constant({ bytes: 0, isPing: true }) },
);

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

/** All that a socket is given, with what it was when it came. */
function keep(socket: WsStyleWebSocket, kinds: readonly string[]): [data: Buffer, was: string][] {
  const kept: [Buffer, string][] = [];
  for (const kind of kinds) socket.on(kind as 'ping', (data: Buffer) => kept.push([data, digest(data)]));
  return kept;
}

async function pair(native: boolean): Promise<{ client: WsStyleWebSocket; server: WsStyleWebSocket }> {
  const listener = new WebSocketServer({ port: 0, host: '127.0.0.1', native });
  onTestFinished(() => listener.close());
  await once(listener, 'listening');
  const url = `ws://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const client: WsStyleWebSocket = new WebSocket(url, { native });
  onTestFinished(() => client.terminate());
  const [[server]] = (await Promise.all([once(listener, 'connection'), once(client, 'open')])) as [
    [WsStyleWebSocket],
    unknown,
  ];
  return { client, server };
}

describe.each([false, true])('native %s', (native) => {
  test.skipIf(native && !isBuilt)('both ways, with pings between', async () => {
    const { client, server } = await pair(native);
    const heard = keep(server, ['message', 'ping']);
    const echoed = keep(client, ['message']);
    server.on('message', (data: Buffer) => {
      server.send(data, { binary: true });
    });
    await fc.assert(
      fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 40 }), async (all) => {
        const sent: string[] = [];
        const expected = echoed.length + all.filter(({ isPing }) => !isPing).length + 1;
        const before = heard.length;
        for (const { bytes, isPing } of [...all, { bytes: 0, isPing: false }]) {
          const content = randomFillSync(Buffer.alloc(bytes));
          sent.push(digest(content));
          if (isPing) client.ping();
          else client.send(content);
        }
        while (echoed.length < expected) await once(client, 'message');
        expect(
          heard
            .slice(before)
            .map(([, was]) => was)
            .sort(),
        ).toEqual(sent.sort());
      }),
      { numRuns: 12 },
    );
    for (const [data, was] of [...heard, ...echoed]) expect(digest(data)).toBe(was);
  });
});
