/** Options whose check has to be loaded, as in pages: what is wrong fails the connection before anything goes out. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import type { PQWebSocketOptions } from '../../src/index.ts';
import type * as checks from '../../src/options/client-checks.ts';
import { once } from '../support/deferred.ts';
import { startSecure } from '../support/ws-endpoints.ts';

const load = vi.hoisted(() => ({ isThere: true, times: 0 }));

vi.mock('#read-client', async () => await import('../../src/options/read-client.ts'));
vi.mock('../../src/options/client-checks.ts', async (original) => {
  const { wholeClient, ...others } = await original<typeof checks>();
  return {
    ...others,
    get wholeClient() {
      load.times += 1;
      if (!load.isThere) throw new Error('not there');
      return wholeClient;
    },
  };
});

beforeEach(() => {
  load.isThere = true;
  load.times = 0;
});

/** Whatever opens one, has let something out. */
class Underneath {
  static opened = 0;
  constructor() {
    Underneath.opened += 1;
  }
}

async function failureOf(options: object): Promise<{ code: unknown; cause: unknown; closeCode: number }> {
  Underneath.opened = 0;
  const socket = new PQWebSocket('ws://127.0.0.1:1', [], { ...options, WebSocket: Underneath });
  socket.send('a message for nobody');
  const closed = once<[CloseEvent]>(socket, 'close');
  await once(socket, 'error');
  const [{ code }] = await closed;
  expect(Underneath.opened).toBe(0);
  return { code: socket.pq.failure?.code, cause: socket.pq.failure?.cause, closeCode: code };
}

const PIN = `sha256:${'0'.repeat(64)}`;

describe.each([false, true])('fast open: %s', (fastOpen) => {
  test.each([
    ['handshakeTimeout', 0, RangeError],
    ['maxPayload', '5', TypeError],
    ['maxQueuedBytes', 'many', TypeError],
    ['maxBatchBytes', 2 ** 21, RangeError],
    ['padding', 'on', TypeError],
    ['context', '', RangeError],
    ['rekey', { record: 5 }, TypeError],
    ['exchange', { milliseconds: 0 }, RangeError],
    ['exchange', null, TypeError],
    ['heartbeat', { interval: 5 }, TypeError],
    ['grease', 1, TypeError],
    ['kem', ['ml-kem-768', 'ml-kem-768'], TypeError],
    ['serverKeys', 'sha256:12', TypeError],
    ['serverKeys', [], TypeError],
    ['verifyAttestation', false, TypeError],
    ['identity', 5, TypeError],
    ['strict', 'yes', TypeError],
    ['profile', 'v2', TypeError],
  ])('%s: %j fails the connection and opens nothing', async (name, value, kind) => {
    const { code, cause, closeCode } = await failureOf({ fastOpen, [name]: value });
    expect(code).toBe('PQ_ERR_INTERNAL');
    expect(cause).toBeInstanceOf(kind);
    expect((cause as Error).message).toContain('PQWebSocket: ');
    expect((cause as Error).message).toContain(name);
    expect(closeCode).toBe(1006);
  });
});

test('what is wrong in what belongs together, too', async () => {
  for (const options of [
    { profile: 'yellowpages' },
    { profile: 'yellowpages', verifyAttestation: false, serverKeys: PIN },
    { fastOpen: 'yes' },
  ]) {
    expect((await failureOf(options)).cause).toBeInstanceOf(TypeError);
  }
});

test('a check that does not come has its own code, and is asked for again', async () => {
  load.isThere = false;
  expect((await failureOf({ maxPayload: 5 })).code).toBe('PQ_ERR_LOAD');
  load.isThere = true;
  expect((await failureOf({ maxPayload: 0 })).code).toBe('PQ_ERR_INTERNAL');
});

test('what is thrown at once, as everywhere: unknown names, a signal that is none, no object', () => {
  for (const options of [{ maxPayloads: 5 }, { signal: 5 }, 5, { WebSocket: 5 }]) {
    expect(() => new PQWebSocket('ws://127.0.0.1:1', [], options as PQWebSocketOptions)).toThrow(TypeError);
  }
});

test('nothing is loaded where no option can be wrong', async () => {
  const { server, url } = await startSecure();
  const socket = new PQWebSocket(url, [], { strict: true, fastOpen: true, grease: false, heartbeat: true });
  await once(socket, 'open');
  expect(load.times).toBe(0);
  socket.close();
  await once(socket, 'close');
  server.close();
});

test.each([false, true])('right ones count as they were when the socket was made, fast open: %s', async (fastOpen) => {
  const bytes = Uint8Array.of(1, 2, 3);
  const { server, url } = await startSecure({ context: bytes.slice() });
  const kem: string[] = ['ml-kem-1024'];
  const heartbeat = { interval: 60_000, timeout: 60_000 };
  const options = { fastOpen, context: bytes, kem, heartbeat, maxPayload: 4 } as PQWebSocketOptions;
  const socket = new PQWebSocket(url, [], options);
  bytes.fill(9);
  kem[0] = 'none';
  heartbeat.interval = -1;
  await once(socket, 'open');
  expect(load.times).toBe(1);
  expect(socket.pq.kem).toBe('ml-kem-1024');
  socket.close();
  await once(socket, 'close');
  server.close();
});

test('a close while the check is loaded opens nothing', async () => {
  Underneath.opened = 0;
  const options = { maxPayload: 5, WebSocket: Underneath } as unknown as PQWebSocketOptions;
  const socket = new PQWebSocket('ws://127.0.0.1:1', [], options);
  socket.close();
  await once(socket, 'close');
  await new Promise(setImmediate);
  expect(Underneath.opened).toBe(0);
});
