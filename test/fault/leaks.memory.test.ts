/** What a connection leaves behind when it has ended, however it ended: nothing. Needs --expose-gc. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import { wrapServerSocket } from '../../src/server.ts';
import { connect, nextTask, observe, secureServer } from '../support/endpoints.ts';
import type { CloseSeen } from '../support/endpoints.ts';
import { memoryNetwork } from '../support/memory-transport.ts';
import type { MemorySocket } from '../support/memory-transport.ts';
import { times } from '../support/soak.ts';

const CONCURRENT = 50;
/** Above the noise of the collector, far below what thousands of forgotten sockets hold: 800 bytes of each are seen, in the soak 300. */
const HEAP_GROWTH = 3 * 2 ** 20;

const collect = globalThis.gc;
if (collect === undefined) throw new Error('run with --expose-gc: vitest.config.ts does, for *.memory.test.ts');

/**
 * Timers that were set and have neither fired nor been cleared, unref'd ones too. Hoisted above the imports: the sources take the
 * platform's timers when they load (#own-timers), and what is counted must be those that they took.
 */
const { pending } = vi.hoisted(() => {
  const timers = new Set<NodeJS.Timeout>();
  const module = process.getBuiltinModule('node:timers');
  const original = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  globalThis.setTimeout = ((act: (...values: unknown[]) => void, ...rest: [number, ...unknown[]]) => {
    const timer = original.setTimeout(
      (...values: unknown[]) => {
        timers.delete(timer);
        act(...values);
      },
      ...rest,
    );
    timers.add(timer);
    return timer;
  }) as typeof setTimeout;
  globalThis.clearTimeout = (timer): void => {
    timers.delete(timer as NodeJS.Timeout);
    original.clearTimeout(timer);
  };
  module.setTimeout = globalThis.setTimeout;
  module.clearTimeout = globalThis.clearTimeout;
  process.getBuiltinModule('node:module').syncBuiltinESMExports();
  return { pending: timers };
});

beforeEach(() => {
  pending.clear();
});

async function heap(): Promise<number> {
  for (let i = 0; i < 4; i += 1) {
    await nextTask();
    collect?.();
  }
  return process.memoryUsage().heapUsed;
}

/** Without timers, which vitest has too; ours are in `pending`. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  const names = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout' && name !== 'Immediate');
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Runs `one` many times, some side by side. */
async function repeat(count: number, one: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await one(index);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, lane));
}

interface Pair {
  readonly client: PQWebSocket;
  readonly server: WebSocket;
  readonly clientEnd: MemorySocket;
  readonly clientClosed: Promise<CloseSeen>;
  readonly serverClosed: Promise<CloseSeen>;
}

async function pair(options: object = {}, serverOptions: object = {}): Promise<Pair> {
  const network = memoryNetwork();
  const client = new PQWebSocket('ws://memory/', [], { ...options, WebSocket: network.WebSocket });
  const clientClosed = observe(client).closed;
  const server = wrapServerSocket(await network.nextServerEnd(), serverOptions) as unknown as WebSocket;
  return {
    client,
    server,
    clientEnd: network.clientEnd as MemorySocket,
    clientClosed,
    serverClosed: observe(server).closed,
  };
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => {
      resolve();
    });
    socket.addEventListener('close', ({ code }) => {
      reject(new Error(`closed with ${code}`));
    });
  });
}

type Ending = () => Promise<{ pair: Pair; code: number }>;

const ENDINGS: Record<string, Ending> = {
  'a message and a close': async () => {
    const ends = await pair();
    await opened(ends.client);
    const heard = new Promise((resolve) => {
      ends.server.addEventListener('message', resolve, { once: true });
    });
    ends.client.send('x');
    await heard;
    ends.client.close(4000, 'done');
    return { pair: ends, code: 4000 };
  },
  'a close by the server': async () => {
    const ends = await pair();
    await opened(ends.client);
    ends.server.close(4001);
    return { pair: ends, code: 4001 };
  },
  'a cut': async () => {
    const ends = await pair();
    await opened(ends.client);
    ends.clientEnd.cut();
    return { pair: ends, code: 1006 };
  },
  'a cut during the handshake': async () => {
    const ends = await pair();
    ends.clientEnd.cut();
    return { pair: ends, code: 1006 };
  },
  'close() during the handshake': async () => {
    const ends = await pair();
    ends.client.send('queued');
    ends.client.close();
    return { pair: ends, code: 1006 };
  },
  'a handshake that fails': async () => ({ pair: await pair({ context: 'a' }, { context: 'b' }), code: 3768 }),
  'a handshake that times out': async () => {
    const ends = await pair({ handshakeTimeout: 5 }, { handshakeTimeout: 5 });
    ends.clientEnd.send = (): void => undefined;
    return { pair: ends, code: 3769 };
  },
  'a frame that does not open': async () => {
    const ends = await pair();
    await opened(ends.client);
    ends.clientEnd.deliver(new Uint8Array(40));
    return { pair: ends, code: 3771 };
  },
  'a queue that is too long': async () => {
    const ends = await pair({ maxQueuedBytes: 3 });
    ends.client.send('four');
    return { pair: ends, code: 3768 };
  },
  'a peer that never answers the close, cut off': async () => {
    const ends = await pair();
    await opened(ends.client);
    ends.clientEnd.send = (): void => undefined;
    ends.client.close();
    await nextTask();
    ends.clientEnd.cut();
    return { pair: ends, code: 1006 };
  },
  'a transport that had not drained when it closed': async () => {
    const ends = await pair();
    await opened(ends.client);
    ends.clientEnd.bufferedAmount = 1000;
    ends.client.close();
    return { pair: ends, code: 1005 };
  },
};

async function end(ending: Ending): Promise<WeakRef<object>[]> {
  const { pair: ends, code } = await ending();
  expect((await ends.clientClosed).code).toBe(code);
  await ends.serverClosed;
  return [new WeakRef(ends.client), new WeakRef(ends.server), new WeakRef(ends.client.pq)];
}

describe('after', () => {
  test.each(Object.entries(ENDINGS))('%s: no timer, and no socket', async (_name, ending) => {
    const references: WeakRef<object>[] = [];
    const before = resources();
    await repeat(100, async () => {
      references.push(...(await end(ending)));
    });
    expect(pending.size).toBe(0);
    await heap();
    await heap();
    expect(references.filter((reference) => reference.deref() !== undefined)).toHaveLength(0);
    expect(resources()).toEqual(before);
  });
});

// An exchange is due an hour after the one before, at either end: the client offers it, the server asks for it (PROTOCOL.md 22).
test.each([
  ['without exchanges: no timer', false, 0],
  ['with exchanges: one timer at each end, for the next', {}, 2],
])('an open connection %s, and none keeps the process', async (_, exchange, timers) => {
  const ends = await pair({ handshakeTimeout: 10_000, exchange }, { handshakeTimeout: 10_000 });
  expect(pending.size).toBe(1);
  await opened(ends.client);
  await ends.client.pq.finished;
  await (ends.server as unknown as PQWebSocket).pq.finished;
  expect(pending.size).toBe(timers);
  expect([...pending].filter((timer) => timer.hasRef())).toEqual([]);
  ends.client.close();
  await ends.clientClosed;
  await ends.serverClosed;
  expect(pending.size).toBe(0);
});

test('a socket that is open, with a listener and nobody holding it, stays', async () => {
  const got: string[] = [];
  const server = await (async () => {
    const ends = await pair();
    ends.client.addEventListener('message', ({ data }) => got.push(String(data)));
    await opened(ends.client);
    return ends.server;
  })();
  await heap();
  const echoed = new Promise((resolve) => {
    server.addEventListener('close', resolve);
  });
  server.send('still there');
  server.close();
  await echoed;
  expect(got).toEqual(['still there']);
});

const MANY = times(10_000, 4_000);

test(`${MANY} connections leave the heap and the handles where they were`, { timeout: 300_000 }, async () => {
  const endings = Object.entries(ENDINGS)
    .filter(([name]) => name !== 'a handshake that times out')
    .map(([, ending]) => ending);
  // Mostly good ones, and every other kind among them.
  const one = async (index: number): Promise<void> => {
    await end((index % 4 === 0 ? endings[(index / 4) % endings.length] : endings[0]) as Ending);
  };
  await repeat(500, one);
  const before = { heap: await heap(), resources: resources() };
  await repeat(MANY, one);
  expect(pending.size).toBe(0);
  const growth = (await heap()) - before.heap;
  console.info(`${MANY} connections: the heap grew by ${(growth / 1024).toFixed(0)} KiB`);
  expect(growth).toBeLessThan(HEAP_GROWTH);
  expect(resources()).toEqual(before.resources);
});

test('500 connections over loopback leave no handle and no timer', { timeout: 60_000 }, async () => {
  const server = await secureServer({
    onPeer: ({ socket }) => {
      socket.on('message', (data) => {
        socket.send(data);
      });
    },
  });
  const references: WeakRef<object>[] = [];
  const one = async (index: number): Promise<void> => {
    const { socket, seen } = connect(server.url, index % 2 === 0 ? {} : { headers: { over: 'ws' } });
    const peer = await server.nextPeer();
    socket.send('x');
    await seen.next();
    if (index % 5 === 0) peer.raw.terminate();
    else socket.close();
    await seen.closed;
    await peer.seen.closed;
    references.push(new WeakRef(peer.socket), new WeakRef(socket));
  };
  await repeat(100, one);
  const before = { heap: await heap(), resources: resources() };
  references.length = 0;
  await repeat(500, one);
  // The transports' own sockets end a little after their close events.
  while ((resources()['TCPSocketWrap'] ?? 0) > (before.resources['TCPSocketWrap'] ?? 0)) await nextTask();
  await heap();
  expect(references.filter((reference) => reference.deref() !== undefined).length).toBeLessThan(10);
  expect(resources()).toEqual(before.resources);
});
