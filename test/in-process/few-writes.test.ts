/** How often a connection writes to the network: each write wakes its peer, and costs as much as a record. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Socket } from 'node:net';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import type { WsStyleWebSocket } from '../../src/ws.ts';
import { WebSocket, WebSocketServer } from '../../src/ws.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

async function listening(): Promise<{ server: WebSocketServer; port: number }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    for (const socket of server.clients ?? []) socket.terminate();
    server.close();
  });
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** Counts writes from now on, of each end. */
function countWrites(port: number): { client: number; server: number } {
  const writes = { client: 0, server: 0 };
  for (const name of ['_write', '_writev'] as const) {
    const write = Socket.prototype[name] as (...values: unknown[]) => void;
    vi.spyOn(Socket.prototype, name).mockImplementation(function (this: Socket, ...values: unknown[]) {
      writes[this.localPort === port ? 'server' : 'client'] += 1;
      write.apply(this, values);
    });
  }
  return writes;
}

test.each([
  ['closed in the turn in which it opens', (act: () => void): void => act()],
  [
    'closed by who awaits that it opens',
    (act: () => void): unknown =>
      Promise.resolve()
        .then(() => undefined)
        .then(act),
  ],
])('a connection that is %s', async (_name, soon) => {
  const { port } = await listening();
  const writes = countWrites(port);
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  client.on('open', () => {
    soon(() => {
      client.close(1000);
    });
  });
  const [code] = (await once(client, 'close')) as [number];
  expect(code).toBe(1000);
  // The request, the hello, Finished and close, the close of RFC 6455; at the server the response, both answers to the hello, both closes.
  expect(writes).toEqual({ client: 4, server: 3 });
});

test("what is sent at once goes with the Finished, and with the server's answers", async () => {
  const { server, port } = await listening();
  const writes = countWrites(port);
  server.on('connection', (socket) => {
    socket.send('welcome');
    socket.on('message', () => {
      socket.send('answer');
    });
  });
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  client.on('open', () => {
    client.send('question');
  });
  const received: string[] = [];
  await new Promise<void>((resolve) => {
    client.on('message', (data) => {
      received.push(String(data));
      if (received.length === 2) resolve();
    });
  });
  expect(received).toEqual(['welcome', 'answer']);
  expect(writes).toEqual({ client: 3, server: 3 });
});

test('what was sent before terminate() has left, though its turn is not over', async () => {
  const { server, port } = await listening();
  const accepted = new Promise<string>((resolve) => {
    server.on('connection', (socket: WsStyleWebSocket) => {
      socket.on('error', () => undefined);
      socket.on('message', (data) => {
        resolve(String(data));
      });
    });
  });
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  client.on('error', () => undefined);
  client.on('open', () => {
    client.send('last words');
    client.terminate();
  });
  expect(await accepted).toBe('last words');
});
