/** examples/staying-connected, which docs/staying-connected.md explains: nothing lost and nothing repeated, whatever is cut in between. */
import { once as emitted } from 'node:events';
import { connect as connectTo, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
// @ts-expect-error -- an example, in JavaScript
import { LosslessClient as Client } from '../../examples/staying-connected/client.js';
// @ts-expect-error -- an example, in JavaScript
import { Conversation as End } from '../../examples/staying-connected/conversation.js';
// @ts-expect-error -- an example, in JavaScript
import { startServer as start } from '../../examples/staying-connected/server.js';
import { deferred } from '../support/deferred.ts';

interface LosslessClient {
  readonly connections: number;
  send(data: unknown): Promise<void>;
  end(): Promise<void>;
}
interface Conversation {
  readonly received: number;
  send(data: unknown): Promise<void>;
  attach(socket: { send(text: string): void }, peerReceived: number): void;
  detach(socket: object): void;
  take(text: string): void;
  fail(error: Error): void;
}
interface Server {
  readonly port: number;
  readonly conversations: ReadonlyMap<string, { readonly id: string }>;
  close(): void;
}
type Heard = (data: unknown, conversation: Conversation) => void;
const LosslessClient = Client as new (url: string, heard: (data: unknown) => void, options: object) => LosslessClient;
const Conversation = End as new (heard: (data: unknown) => void, limit?: number) => Conversation;
const startServer = start as (heard: Heard, options: object) => Promise<Server>;

const QUICK = { least: 1, most: 8 };

/** The same sequence each time: a failure can be repeated. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    // Marsaglia's xorshift, 32 bits.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

interface Relay {
  readonly port: number;
  /** How many connections it has cut. */
  cuts: number;
  /** What it carries from now on goes nowhere, and nobody is told. */
  swallow(): void;
}

/** Carries bytes both ways, and cuts each connection after as many as `budget` says, in the middle of a frame as well as between two. */
async function startRelay(port: number, budget: () => number): Promise<Relay> {
  const open = new Set<Socket>();
  let isHole = new Set<Socket>();
  const relay: Relay = {
    port: 0,
    cuts: 0,
    swallow() {
      isHole = new Set(open);
    },
  };
  const server = createServer((client) => {
    const backend = connectTo(port, '127.0.0.1');
    let left = budget();
    const cut = (): void => {
      if (!open.delete(client)) return;
      client.destroy();
      backend.destroy();
    };
    open.add(client);
    for (const [from, to] of [
      [client, backend],
      [backend, client],
    ] as const) {
      from.on('error', cut);
      from.on('close', cut);
      from.on('data', (chunk) => {
        if (isHole.has(client)) return;
        to.write(chunk.subarray(0, left));
        left -= chunk.length;
        if (left > 0) return;
        relay.cuts += 1;
        cut();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await emitted(server, 'listening');
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await emitted(server, 'close');
  });
  return Object.assign(relay, { port: (server.address() as AddressInfo).port });
}

test('ten thousand messages each way over a relay that cuts at random: each once, in order', async () => {
  const COUNT = 10_000;
  const random = generator(0x5eed);
  const atServer: unknown[] = [];
  const atClient: unknown[] = [];
  const allAtClient = deferred();
  const server = await startServer(
    (data, conversation) => {
      atServer.push(data);
      conversation.send(`answer to ${String(data)}`).catch(() => undefined);
    },
    { port: 0 },
  );
  onTestFinished(() => {
    server.close();
  });
  // Less than a handshake needs, now and then.
  const relay = await startRelay(server.port, () => Math.floor(2_000 + random() * 60_000));
  const client = new LosslessClient(
    `ws://127.0.0.1:${relay.port}`,
    (data) => {
      if (atClient.push(data) === COUNT) allAtClient.resolve();
    },
    QUICK,
  );
  const acknowledged: Promise<void>[] = [];
  for (let i = 0; i < COUNT; i += 1) {
    acknowledged.push(client.send(i));
    // A little at a time, so that messages are under way whenever it cuts.
    if (i % 100 === 99) await acknowledged[Math.max(0, i - 300)];
  }
  await Promise.all([...acknowledged, allAtClient.promise]);
  expect(atServer).toEqual(Array.from({ length: COUNT }, (_, i) => i));
  expect(atClient).toEqual(Array.from({ length: COUNT }, (_, i) => `answer to ${i}`));
  expect(relay.cuts).toBeGreaterThan(20);
  expect(client.connections).toBeGreaterThan(relay.cuts);
  await client.end();
});

test('a half-open connection is found by the heartbeat, and the conversation goes on', async () => {
  const heartbeat = { interval: 40, timeout: 200 };
  const heard: unknown[] = [];
  const server = await startServer((data) => heard.push(data), { port: 0, heartbeat });
  onTestFinished(() => {
    server.close();
  });
  const relay = await startRelay(server.port, () => Infinity);
  const client = new LosslessClient(`ws://127.0.0.1:${relay.port}`, () => undefined, { ...QUICK, heartbeat });
  await client.send('before');
  relay.swallow();
  // No FIN, no RST, no error: only silence.
  await client.send('into the hole');
  expect(heard).toEqual(['before', 'into the hole']);
  expect(client.connections).toBe(2);
  expect(relay.cuts).toBe(0);
  await client.end();
});

test('a server that has forgotten is no reason to try for ever: what waits is refused', async () => {
  const server = await startServer(() => undefined, { port: 0, keep: 0 });
  onTestFinished(() => {
    server.close();
  });
  let budget = 5_000;
  const relay = await startRelay(server.port, () => budget);
  const client = new LosslessClient(`ws://127.0.0.1:${relay.port}`, () => undefined, { least: 100, most: 200 });
  await client.send('first');
  budget = Infinity;
  await expect(client.send('x'.repeat(10_000))).rejects.toThrow('has forgotten');
  await expect(client.end()).rejects.toThrow('has forgotten');
});

test('only who began a conversation can go on with it', async () => {
  const heard: unknown[] = [];
  const server = await startServer((data) => heard.push(data), { port: 0 });
  onTestFinished(() => {
    server.close();
  });
  const client = new LosslessClient(`ws://127.0.0.1:${server.port}`, () => undefined, QUICK);
  await client.send('mine');
  const [id] = server.conversations.keys();
  const { PQWebSocket } = await import('../../src/index.ts');
  for (const first of [
    JSON.stringify({ login: id, bound: Buffer.alloc(32).toString('base64') }),
    JSON.stringify({ login: id }),
    '{}',
  ]) {
    const thief = new PQWebSocket(`ws://127.0.0.1:${server.port}`);
    const code = new Promise((resolve) => {
      thief.addEventListener('close', (event) => {
        resolve(event.code);
      });
    });
    thief.send(JSON.stringify({ first, received: 0 }));
    expect(await code).toBe(4401);
  }
  await client.send('still mine');
  expect(heard).toEqual(['mine', 'still mine']);
  await client.end();
});

test('an end refuses what cannot follow, and says again only what was not acknowledged', async () => {
  const said: string[] = [];
  const socket = { send: (text: string) => said.push(text) as unknown as void };
  const heard: unknown[] = [];
  const end = new Conversation((data) => heard.push(data), 2);
  end.attach(socket, 0);
  end.take('{"n":1,"data":"a"}');
  for (const wrong of ['{"n":1,"data":"a"}', '{"n":3,"data":"c"}', '{"ack":1}', '{"ack":-1}', 'no JSON']) {
    expect(() => {
      end.take(wrong);
    }).toThrow();
  }
  expect(heard).toEqual(['a']);
  const first = end.send('x');
  const second = end.send('y');
  expect(() => end.send('z')).toThrow(RangeError);
  end.take('{"ack":1}');
  await first;
  expect(said).toEqual(['{"n":1,"data":"x"}', '{"n":2,"data":"y"}', '{"ack":1}']);
  end.detach(socket);
  said.length = 0;
  end.attach(socket, 1);
  expect(said).toEqual(['{"n":2,"data":"y"}']);
  expect(() => {
    end.attach(socket, 0);
  }).toThrow();
  end.fail(new Error('over'));
  await expect(second).rejects.toThrow('over');
});
