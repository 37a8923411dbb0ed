/** Fast open where the key pair takes time: until it is there, nothing is opened, and what was asked meanwhile counts. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type * as NodePlatform from '../../src/platform/node.ts';
import { Refusal } from '../../src/protocol/errors.ts';
import type { PQWebSocketInstance } from '../../src/api/socket-types.ts';
import type { PQWebSocketOptions } from '../../src/api/types.ts';
import { BACKENDS } from '../support/backends.ts';
import { CountingBackend, turn } from '../support/counting-backend.ts';
import { AsyncQueue, once } from '../support/deferred.ts';
import { memoryNetwork } from '../support/memory-transport.ts';
import type { MemorySocket } from '../support/memory-transport.ts';
import { nodeHasKem } from './crypto-fixtures.ts';

/** The platform's, for both ends. */
let backend: CountingBackend;
vi.mock('../../src/platform/node.ts', async (original) => {
  const { platform } = await original<typeof NodePlatform>();
  return { platform: { ...platform, backend: () => backend } };
});
const { PQWebSocket } = await import('../../src/index.ts');
const { install } = await import('../../src/polyfill.ts');
const { wrapServerSocket } = await import('../../src/server.ts');
const { internalsOf } = await import('../../src/ws/socket/socket.ts');
const { noTransportYet } = await import('../../src/transport/late.ts');

interface Opened {
  readonly url: string;
  readonly protocols: readonly string[];
}

let network: ReturnType<typeof memoryNetwork>;
let opened: Opened[];
/** Lets the key pair come. */
let release: () => void;

beforeEach(() => {
  backend = new CountingBackend(BACKENDS.webcrypto);
  release = backend.hold('generateKeyPair');
  network = memoryNetwork();
  opened = [];
});
afterEach(() => {
  release();
  vi.unstubAllGlobals();
});

/** @param constructing runs within its constructor */
function underlying(
  constructing: (socket: MemorySocket) => void = () => undefined,
): NonNullable<PQWebSocketOptions['WebSocket']> {
  return class extends network.WebSocket {
    constructor(url: string, protocols: string | string[] = []) {
      super(url, protocols);
      opened.push({ url, protocols: [protocols].flat() });
      this.protocol = 'pqws1';
      constructing(this);
    }
  };
}

function connect(constructing?: (socket: MemorySocket) => void, options: PQWebSocketOptions = {}): PQWebSocketInstance {
  return new PQWebSocket('ws://host.test/path', [], {
    fastOpen: true,
    WebSocket: underlying(constructing),
    ...options,
  });
}

function record(socket: PQWebSocketInstance): unknown[] {
  const log: unknown[] = [];
  for (const type of ['open', 'error', 'close'] as const) {
    socket.addEventListener(type, (event) => {
      log.push(
        event.type === 'close'
          ? [(event as CloseEvent).code, (event as CloseEvent).reason, (event as CloseEvent).wasClean]
          : event.type,
        socket.readyState,
      );
    });
  }
  return log;
}

const FAILED = ['error', 3, [1006, '', false], 3];

test('the transport opens when the key pair is there, with the hello of that pair, and what was sent meanwhile leaves sealed', async () => {
  const socket = connect();
  socket.send('sent before there is a transport');
  expect([socket.readyState, socket.bufferedAmount, socket.protocol, socket.extensions, socket.url]).toEqual([
    0,
    32,
    '',
    '',
    'ws://host.test/path',
  ]);
  await turn();
  expect(opened).toEqual([]);
  release();
  const end = await network.nextServerEnd();
  expect(opened).toHaveLength(1);
  const [{ url, protocols }] = opened as [Opened];
  expect([url, protocols.length, protocols[0]]).toEqual(['ws://host.test/path', 2, 'pqws1']);
  const server = wrapServerSocket(end, { request: { headers: { 'sec-websocket-protocol': protocols.join(', ') } } });
  const received = new AsyncQueue<unknown>();
  server.addEventListener('message', ({ data }) => {
    received.push(data);
  });
  await once(socket, 'open');
  expect([socket.readyState, socket.protocol, socket.pq.nativeKem]).toEqual([1, '', nodeHasKem]);
  expect(await received.next()).toBe('sent before there is a transport');
  const [hello, ...frames] = network.clientEnd?.sent as [string, ...Uint8Array[]];
  expect(typeof hello).toBe('string');
  for (const frame of frames) expect(new TextDecoder().decode(frame)).not.toContain('sent before');
  const closed = once(socket, 'close');
  socket.close(4001, 'bye');
  await closed;
  await backend.settled();
  expect([...backend.live.values()]).toEqual([]);
});

describe.each<[string, (socket: PQWebSocketInstance) => void, unknown[]]>([
  [
    'close()',
    (socket) => {
      socket.close();
    },
    FAILED,
  ],
  [
    'close() with a code',
    (socket) => {
      socket.close(4000, 'too early');
    },
    FAILED,
  ],
  [
    'more waiting than may',
    (socket) => {
      socket.send(new Uint8Array(101));
    },
    ['error', 3, [3768, '', false], 3],
  ],
])('%s before the key pair is there', (_, end, events) => {
  test.each([false, true])(
    'fails the connection in a later task and opens nothing, whenever the pair comes (before the events: %s)',
    async (early) => {
      const socket = connect(undefined, { maxQueuedBytes: 100 });
      const log = record(socket);
      end(socket);
      expect([socket.readyState, log]).toEqual([2, []]);
      if (early) release();
      await Promise.resolve();
      expect(log).toEqual([]);
      await once(socket, 'close');
      expect(log).toEqual(events);
      release();
      await backend.settled();
      expect([opened, log.length, [...backend.live.values()]]).toEqual([[], 4, []]);
    },
  );
});

test('a key pair that cannot be made fails the connection with the reason, and opens nothing', async () => {
  backend.failAt = 1;
  const socket = connect();
  const log = record(socket);
  socket.send('never');
  release();
  await once(socket, 'close');
  expect(log).toEqual(FAILED);
  expect(socket.pq.failure).toMatchObject({
    code: 'PQ_ERR_INTERNAL',
    origin: 'local',
    cause: { message: 'a defect of the backend' },
  });
  expect([opened, socket.bufferedAmount]).toEqual([[], 5]);
});

test('a key pair whose code cannot be loaded fails it by that code', async () => {
  const cause = new Error('ML-KEM-768 could not be loaded');
  backend.generateKeyPair = () => Promise.reject(new Refusal('PQ_ERR_LOAD', { cause }));
  const socket = connect();
  const log = record(socket);
  await once(socket, 'close');
  expect(log).toEqual(FAILED);
  expect([socket.pq.failure?.code, socket.pq.failure?.cause, opened]).toEqual(['PQ_ERR_LOAD', cause, []]);
});

test('after close() a key pair that cannot be made changes nothing', async () => {
  backend.failAt = 1;
  const socket = connect();
  const log = record(socket);
  socket.close();
  release();
  await once(socket, 'close');
  await backend.settled();
  expect([log, socket.pq.failure?.code]).toEqual([FAILED, 'PQ_ERR_CLOSED_EARLY']);
});

test('a constructor that throws late is a transport that fails, and the key pair is destroyed', async () => {
  const cause = new DOMException('blocked', 'SecurityError');
  const socket = connect(() => {
    throw cause;
  });
  const log = record(socket);
  release();
  await once(socket, 'close');
  await backend.settled();
  expect(log).toEqual(FAILED);
  expect([socket.pq.failure?.code, socket.pq.failure?.cause]).toEqual(['PQ_ERR_TRANSPORT', cause]);
  expect([...backend.live.values()]).toEqual([]);
});

test('a class underneath that closes the connection while it is constructed leaves no transport', async () => {
  const socket = connect((made) => {
    socket.close();
    made.open();
  });
  const log = record(socket);
  release();
  await once(socket, 'close');
  await backend.settled();
  expect(log).toEqual(FAILED);
  expect([network.clientEnd?.sent, network.clientEnd?.readyState, [...backend.live.values()]]).toEqual([[], 3, []]);
});

test('a class underneath that is open from the start counts as open', async () => {
  connect((made) => {
    made.readyState = 1;
  });
  release();
  await backend.settled();
  expect(network.clientEnd?.sent).toEqual([expect.stringContaining('ml_kem_768_encapsulation_key')]);
});

test('who wraps the polyfilled global sees the transport when it opens, and the polyfill beneath does not secure it again', async () => {
  vi.stubGlobal('WebSocket', underlying());
  install();
  const seen: unknown[] = [];
  globalThis.WebSocket = new Proxy(globalThis.WebSocket, {
    construct(target, values: unknown[], newTarget) {
      seen.push([String(values[0]), [values[1]].flat()[0]]);
      return Reflect.construct(target, values, newTarget) as object;
    },
  });
  const socket = new PQWebSocket('ws://host.test/path', [], { fastOpen: true });
  await turn();
  expect([seen, opened]).toEqual([[], []]);
  release();
  const end = await network.nextServerEnd();
  wrapServerSocket(end, { request: { headers: { 'sec-websocket-protocol': opened[0]?.protocols.join(', ') } } });
  await once(socket, 'open');
  expect([seen, opened.length]).toEqual([[['ws://host.test/path', 'pqws1']], 1]);
});

test.each(['close', 'terminate'] as const)('%s() before there is a transport: it ends in a later task', async (end) => {
  const told: unknown[] = [];
  const transport = noTransportYet({
    transportOpened: () => told.push('opened'),
    transportMessage: (message) => told.push(message),
    transportFailed: (cause) => told.push(['failed', cause]),
    transportClosed: (...values) => told.push(values),
  });
  expect([transport.isOpen, transport.bufferedAmount, transport.protocol, transport.extensions, transport.ws]).toEqual([
    false,
    0,
    '',
    '',
    undefined,
  ]);
  transport[end]();
  await Promise.resolve();
  expect(told).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve));
  expect(told).toEqual([
    ['failed', undefined],
    [1006, '', false],
  ]);
});

test('a connection that is cut before the key pair is there opens nothing', async () => {
  const { WebSocket } = await import('../../src/ws.ts');
  const socket = new WebSocket('ws://127.0.0.1:1', { fastOpen: true });
  const closed = new Promise((resolve) => {
    socket.once('close', resolve);
  });
  socket.on('error', () => undefined);
  internalsOf(socket).connection.terminate();
  // In the turns before the task that ends it.
  release();
  expect(await closed).toBe(1006);
  await backend.settled();
  expect([...backend.live.values()]).toEqual([]);
  expect(internalsOf(socket).connection.transport.ws).toBeUndefined();
});

test.each<[string, () => unknown]>([
  ['a URL', () => new PQWebSocket('ftp://host.test', [], { fastOpen: true })],
  ['subprotocols', () => new PQWebSocket('ws://host.test', ['a', 'a'], { fastOpen: true })],
  ['a subprotocol of the layer', () => new PQWebSocket('ws://host.test', 'pqws1', { fastOpen: true })],
  ['an unknown option', () => new PQWebSocket('ws://host.test', [], { fastOpen: true, fast: true } as never)],
  [
    'an option of another profile',
    () => new PQWebSocket('ws://host.test', [], { fastOpen: true, profile: 'yellowpages', verifyAttestation: false }),
  ],
  ['a class', () => new PQWebSocket('ws://host.test', [], { fastOpen: true, WebSocket: PQWebSocket })],
])('%s that is wrong is refused within the constructor, before there is a key pair', (_, construct) => {
  expect(construct).toThrow();
  expect(backend.operations).toEqual([]);
});

test('a backend that answers at once opens at once', () => {
  backend = new CountingBackend(BACKENDS.node);
  connect();
  expect(opened).toHaveLength(1);
  expect(() =>
    connect(() => {
      throw new DOMException('blocked', 'SecurityError');
    }),
  ).toThrow('blocked');
});
