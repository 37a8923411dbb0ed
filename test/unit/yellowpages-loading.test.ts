/** A client of yellowpages whose code has to be loaded, as in pages: nothing is opened before it is there. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { PQWebSocketInstance } from '../../src/api/socket-types.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { Refusal } from '../../src/protocol/errors.ts';
import type { ProfileMaker } from '../../src/protocol/session-types.ts';
import { Yellowpages } from '../../src/protocol/yellowpages/profile.ts';
import { turn } from '../support/counting-backend.ts';
import type { Deferred } from '../support/deferred.ts';
import { AsyncQueue, deferred, once } from '../support/deferred.ts';
import { memoryNetwork } from '../support/memory-transport.ts';

let code: Deferred<ProfileMaker>;
vi.mock('#platform', async (original) => {
  const { platform } = await original<{ readonly platform: Platform }>();
  return { platform: { ...platform, yellowpages: () => code.promise } };
});
const { PQWebSocket } = await import('../../src/index.ts');
const { wrapServerSocket } = await import('../../src/server.ts');

let network: ReturnType<typeof memoryNetwork>;
let opened: number;

beforeEach(() => {
  code = deferred();
  network = memoryNetwork();
  opened = 0;
});

function connect(): PQWebSocketInstance {
  class Underneath extends network.WebSocket {
    constructor(...given: ConstructorParameters<typeof network.WebSocket>) {
      super(...given);
      opened += 1;
    }
  }
  return new PQWebSocket('ws://host.test', [], {
    profile: 'yellowpages',
    verifyAttestation: false,
    maxQueuedBytes: 10,
    WebSocket: Underneath,
  });
}

test('what was sent before goes out in order, once both code and transport are there', async () => {
  const socket = connect();
  socket.send('one');
  const bytes = new Uint8Array([1, 2]);
  socket.send(bytes);
  bytes.fill(9);
  socket.send('two');
  await turn();
  expect([opened, socket.pq.profile, socket.bufferedAmount]).toEqual([0, 'yellowpages', 8]);
  code.resolve(Yellowpages);
  const server = wrapServerSocket(await network.nextServerEnd(), { profiles: ['yellowpages'] });
  const received = new AsyncQueue<unknown>();
  server.binaryType = 'arraybuffer';
  server.addEventListener('message', ({ data }) => {
    received.push(data);
  });
  await once(socket, 'open');
  expect(socket.pq.profile).toBe('yellowpages');
  for (const sent of [utf8('one'), new Uint8Array([1, 2]), utf8('two')]) {
    expect(new Uint8Array((await received.next()) as ArrayBuffer)).toEqual(sent);
  }
  expect(socket.bufferedAmount).toBe(0);
});

test.each<[string, Error]>([
  ['PQ_ERR_LOAD', new Refusal('PQ_ERR_LOAD', { cause: new Error('no such file') })],
  ['PQ_ERR_INTERNAL', new Error('a defect of it')],
])('code that does not come fails the connection: %s', async (name, error) => {
  const socket = connect();
  socket.send('never');
  code.reject(error);
  await once(socket, 'close');
  expect(socket.pq).toMatchObject({ profile: 'yellowpages', failure: { code: name } });
  socket.send('two');
  await turn();
  expect([opened, socket.bufferedAmount]).toEqual([0, 8]);
});

test.each<[string, string, (socket: PQWebSocketInstance) => void]>([
  [
    'too much waits',
    'PQ_ERR_QUEUE_LIMIT',
    (socket) => {
      socket.send('more than ten');
    },
  ],
  [
    'the application closes',
    'PQ_ERR_CLOSED_EARLY',
    (socket) => {
      socket.close(4000);
    },
  ],
])('where %s, it is over, and code that comes then changes nothing', async (_, name, act) => {
  const socket = connect();
  socket.send('before');
  act(socket);
  expect([socket.readyState, socket.pq.failure?.code]).toEqual([2, name]);
  code.resolve(Yellowpages);
  await once(socket, 'close');
  await turn();
  expect([opened, socket.readyState, socket.pq.failure?.code]).toEqual([0, 3, name]);
});

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
