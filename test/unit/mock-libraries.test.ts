/** docs/mock-libraries.md: what mock-socket, and jest-websocket-mock which is made of it, can do in tests of code that uses this package. */
import { Server, WebSocket as MockSocket } from 'mock-socket';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';

afterEach(() => {
  vi.doUnmock('pq-websocket');
  vi.resetModules();
});

function mockServer(url: string, heard: unknown[], mock = false): void {
  const server = new Server(url, { mock });
  onTestFinished(() => {
    server.stop();
  });
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      heard.push(data);
      socket.send(`answer to ${data as string}`);
    });
  });
}

test('the class itself may stand in for PQWebSocket: then nothing is sealed, and a mock server hears and says plaintext', async () => {
  const heard: unknown[] = [];
  mockServer('wss://mock.test/one', heard);
  vi.doMock('pq-websocket', () => ({ PQWebSocket: MockSocket, default: MockSocket }));
  const { ask } = await import('./mock-libraries-app.ts');
  expect(await ask('wss://mock.test/one', 'how are you?')).toBe('answer to how are you?');
  expect(heard).toEqual(['how are you?']);
});

test('it has no pq, and throws where PQWebSocket queues', () => {
  mockServer('wss://mock.test/three', []);
  const socket = new MockSocket('wss://mock.test/three');
  expect('pq' in socket).toBe(false);
  expect(() => {
    socket.send('early');
  }).toThrow('CONNECTING');
});

test.each([
  ['by the option WebSocket', false],
  ['as the global class', true],
])(
  'under PQWebSocket, %s, a mock server hears a ClientHello and nothing of what is said: the connection fails',
  async (_how, mock) => {
    const heard: unknown[] = [];
    mockServer('wss://mock.test/two', heard, mock);
    const options = mock ? {} : { WebSocket: MockSocket as never };
    const socket = new PQWebSocket('wss://mock.test/two', [], options);
    const events: string[] = [];
    for (const type of ['open', 'error', 'close']) socket.addEventListener(type, () => events.push(type));
    socket.send('a secret');
    const code = await new Promise((resolve) => {
      socket.addEventListener('close', (event) => {
        resolve(event.code);
      });
    });
    expect({ code, events, failure: socket.pq.failure?.code }).toEqual({
      code: 3768,
      events: ['error', 'close'],
      failure: 'PQ_ERR_NOT_PQ_WEBSOCKET',
    });
    expect(heard).toHaveLength(1);
    expect(JSON.parse(String(heard[0]))).toHaveProperty('ml_kem_768_encapsulation_key');
  },
);
