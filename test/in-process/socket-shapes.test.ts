/** Every socket that a server may be given, and the first thing that is done with it (docs/runtimes.md has the table). */
import type { Duplex } from 'node:stream';
import { Server as MockServer, WebSocket as MockSocket } from 'mock-socket';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import { wrapServerSocket } from '../../src/server.ts';
import type { ServerSocket } from '../../src/server.ts';
import { WebSocket } from '../../src/ws.ts';
import type { WsStyleWebSocket } from '../../src/ws.ts';
import { connected, secureServer } from '../support/endpoints.ts';
import { plainHello } from '../support/plain-hello.ts';
import { BACKENDS } from '../support/backends.ts';
import { deferred, once } from '../support/deferred.ts';
import { rawClient } from '../support/raw-peer.ts';
import { SHAPES, startShape } from '../support/socket-shapes.ts';

interface Ends {
  readonly client: WsStyleWebSocket;
  readonly socket: ServerSocket;
  readonly network: Duplex;
}

/** @param first done with the wrapped socket at once */
async function ends(shape: string, first?: (socket: ServerSocket) => void): Promise<Ends> {
  const accepted = deferred<{ socket: ServerSocket; network: Duplex }>();
  const { url } = await startShape(shape, (socket, network) => {
    // Its 'close' tells what went wrong.
    socket.on('error', () => undefined);
    first?.(socket);
    accepted.resolve({ socket, network });
  });
  const client = new WebSocket(url);
  client.on('error', () => undefined);
  onTestFinished(() => {
    client.terminate();
  });
  return { client, ...(await accepted.promise) };
}

function closeOf(socket: WsStyleWebSocket): Promise<readonly [code: number, reason: string]> {
  return once<[number, Buffer]>(socket, 'close').then(([code, reason]) => [code, reason.toString()]);
}

describe.each(Object.keys(SHAPES))('%s', (shape) => {
  test('carries text and bytes both ways', async () => {
    const { client } = await ends(shape, (socket) => {
      socket.on('message', (data, isBinary) => {
        socket.send(data, { binary: isBinary });
      });
    });
    for (const [data, isBinary] of [
      ['ärger', false],
      [Uint8Array.of(1, 2, 3), true],
      ['', false],
      [new Uint8Array(60_000).fill(7), true],
    ] as const) {
      client.send(data);
      const [received, type] = await once<[Buffer, boolean]>(client, 'message');
      expect([received.equals(Buffer.from(data as string)), type]).toEqual([true, isBinary]);
    }
  });

  test('immediate send', async () => {
    const { client } = await ends(shape, (socket) => {
      socket.send('at once');
    });
    expect(String((await once(client, 'message'))[0])).toBe('at once');
  });

  test('immediate send and close', async () => {
    const heard: unknown[] = [];
    const { client, socket } = await ends(shape, (accepted) => {
      accepted.send('first');
      accepted.close(4401, 'who are you?');
    });
    client.on('message', (data) => heard.push(String(data)));
    const closes = await Promise.all([closeOf(client), closeOf(socket)]);
    expect(heard).toEqual(['first']);
    expect(closes).toEqual([
      [4401, 'who are you?'],
      [4401, 'who are you?'],
    ]);
    expect([socket.pq.failure, client.pq.failure]).toEqual([null, null]);
  });

  test.each(['at once', 'later'])('terminate %s', async (when) => {
    const { client, socket } = await ends(shape, (accepted) => {
      if (when === 'at once') accepted.terminate();
    });
    const closes = Promise.all([closeOf(client), closeOf(socket)]);
    if (when === 'later') {
      await once(client, 'open');
      socket.terminate();
    }
    expect((await closes).map(([code]) => code)).toEqual([1006, 1006]);
  });

  test('cut', async () => {
    const { client, socket, network } = await ends(shape);
    await once(client, 'open');
    await socket.pq.finished;
    const closes = Promise.all([closeOf(client), closeOf(socket)]);
    network.destroy();
    expect((await closes).map(([code]) => code)).toEqual([1006, 1006]);
    expect(socket.readyState).toBe(3);
  });

  test('refused: who does not speak the protocol', async () => {
    const accepted = deferred<ServerSocket>();
    const { url } = await startShape(shape, (socket) => {
      socket.on('error', () => undefined);
      accepted.resolve(socket);
    });
    const client = rawClient(url);
    await client.opened;
    const closed = accepted.promise.then(closeOf);
    client.send('hello?');
    expect((await client.closed).code).toBe(3768);
    expect((await closed)[0]).toBe(3768);
  });
});

describe('refused by name', () => {
  const nothing = (): void => undefined;

  test.each([
    ['nothing', undefined, /must be a WebSocket/],
    ['a function', nothing, /must be a WebSocket/],
    ['uWebSockets.js', { send: nothing, close: nothing, end: nothing, subscribe: nothing }, /uWebSockets\.js/],
    ['an object with send alone', { send: nothing }, /must be a WebSocket/],
    ['an object without events', { send: nothing, close: nothing }, /addEventListener/],
  ])('%s', (_name, socket, message) => {
    expect(() => wrapServerSocket(socket as object)).toThrow(TypeError);
    expect(() => wrapServerSocket(socket as object)).toThrow(message);
  });

  test('one that is secure already, of either end and of both classes', async () => {
    const { client, peer } = await connected(await secureServer());
    const ofWs = new WebSocket(client.socket.url);
    ofWs.on('error', () => undefined);
    for (const socket of [client.socket, peer.socket, ofWs]) {
      expect(() => wrapServerSocket(socket)).toThrow(/^wrapServerSocket: the first argument is secure already/);
    }
    ofWs.terminate();
  });

  test("mock-socket's", async () => {
    const server = new MockServer('ws://mock.example');
    onTestFinished(() => {
      server.stop();
    });
    const refused = deferred<unknown>();
    server.on('connection', (socket) => {
      try {
        refused.resolve(wrapServerSocket(socket));
      } catch (error) {
        refused.resolve(error);
      }
    });
    new MockSocket('ws://mock.example');
    expect(String(await refused.promise)).toMatch(/mock-socket/);
  });
});

test('a socket that does not take what it is given to send is closed at once: its client would wait', async () => {
  const listeners = new Map<string, (event: object) => void>();
  const closes: unknown[] = [];
  // Of the standard's shape, but for a send() that knows text alone.
  const socket = wrapServerSocket({
    readyState: 1,
    send(data: unknown) {
      if (typeof data !== 'string') throw new TypeError('send: text alone');
    },
    close(code: number, reason: string) {
      closes.push(code);
      listeners.get('close')?.({ code, reason, wasClean: true });
    },
    addEventListener(type: string, listener: (event: object) => void) {
      listeners.set(type, listener);
    },
  });
  const errors: unknown[] = [];
  socket.on('error', (error: unknown) => errors.push(error));
  const closed = closeOf(socket);
  const pair = await BACKENDS.node.generateKeyPair();
  listeners.get('message')?.({ data: plainHello(pair.encapsulationKey) });
  pair.destroy();
  await closed;
  expect(closes).toEqual([undefined]);
  expect(socket.pq.failure).toMatchObject({ code: 'PQ_ERR_TRANSPORT', cause: { message: 'send: text alone' } });
});

test('a standard client hears what a socket was closed with at once', async () => {
  const { url } = await startShape('faye-websocket', (socket) => {
    socket.close(4401, 'x');
  });
  const client = new PQWebSocket(url);
  const [event] = await once<[CloseEvent]>(client, 'close');
  expect([event.code, event.reason, event.wasClean]).toEqual([4401, 'x', true]);
});
