/** What PQWebSocket has beyond the standard: `opened`, `for await`, `await using`, the option `signal`. Who uses none of it sees none of it. */
import { getEventListeners } from 'node:events';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { installPolyfill } from '../../src/dom/polyfill-install.ts';
import { PQWebSocket, PQWebSocketError } from '../../src/index.ts';
import { connect, connected, MODES, secureServer, useMode } from '../support/endpoints.ts';
import { deferred, once } from '../support/deferred.ts';
import { IdleSocket } from '../support/memory-transport.ts';

const idle = (): PQWebSocket => new PQWebSocket('ws://host/', [], { WebSocket: IdleSocket });

describe.each(MODES)('%s', (mode) => {
  useMode(mode);

  test('opened resolves with the socket open, is one promise, and stays so when the socket has closed', async () => {
    const server = await secureServer();
    const socket = new PQWebSocket(server.url);
    const { opened } = socket;
    expectTypeOf(opened).toEqualTypeOf<Promise<void>>();
    expect(await opened).toBeUndefined();
    expect(socket.readyState).toBe(1);
    expect(socket.opened).toBe(opened);
    socket.close();
    await once(socket, 'close');
    await expect(socket.opened).resolves.toBeUndefined();
  });

  test('asked for late, opened tells what has been', async () => {
    const { client } = await connected(await secureServer());
    await client.socket.opened;
    client.socket.close();
    await client.seen.closed;
    await expect(client.socket.opened).resolves.toBeUndefined();
    const refused = connect('ws://127.0.0.1:1');
    await refused.seen.closed;
    await expect(refused.socket.opened).rejects.toBeInstanceOf(PQWebSocketError);
  });

  test('for await gets every message in order, and ends with the connection', async () => {
    const { client, peer } = await connected(await secureServer());
    const heard: unknown[] = [];
    const loop = (async () => {
      for await (const data of client.socket) {
        expectTypeOf(data).toExtend<string | ArrayBuffer | Blob>();
        heard.push(data);
        // Those that arrive meanwhile wait their turn.
        await once(client.socket, 'probe');
      }
    })();
    for (const text of ['one', 'two', 'three']) peer.socket.send(text);
    peer.socket.send(Uint8Array.of(4));
    peer.socket.close(4000, 'enough');
    await client.seen.closed;
    for (let turn = 0; turn < 4; turn += 1) {
      client.socket.dispatchEvent(new Event('probe'));
      // A listener for the next one stands when the loop has taken its step.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    await loop;
    expect(heard).toEqual(['one', 'two', 'three', Uint8Array.of(4).buffer]);
  });

  test('a connection that is cut ends the loop with its failure, behind what arrived', async () => {
    const { client, peer } = await connected(await secureServer());
    const heard: unknown[] = [];
    const loop = (async () => {
      for await (const data of client.socket) {
        heard.push(data);
        peer.raw.terminate();
      }
    })();
    peer.socket.send('the last');
    const thrown: unknown = await loop.catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(PQWebSocketError);
    expect(thrown).toBe(client.socket.pq.failure);
    expect(heard).toEqual(['the last']);
  });

  test('await using closes, and goes on when the peer has answered', async () => {
    const { client, peer } = await connected(await secureServer());
    await client.socket[Symbol.asyncDispose]();
    expect(client.socket.readyState).toBe(3);
    expect(await peer.seen.closed).toMatchObject({ wasClean: true });
    await client.socket[Symbol.asyncDispose]();
  });

  test('signal: an abort while connecting fails the connection, an abort later closes it', async () => {
    const server = await secureServer();
    const early = new AbortController();
    const failing = connect(server.url, { signal: early.signal });
    early.abort();
    expect(failing.socket.readyState).toBe(2);
    expect(await failing.seen.closed).toMatchObject({ code: 1006, wasClean: false });
    expect(failing.seen.log).toEqual(['error', 'close']);
    await expect(failing.socket.opened).rejects.toMatchObject({ code: 'PQ_ERR_CLOSED_EARLY' });

    const late = new AbortController();
    const open = await connected(await secureServer(), { signal: late.signal });
    open.client.socket.send('before the abort');
    late.abort();
    expect(await open.peer.seen.closed).toMatchObject({ code: 1005, wasClean: true });
    expect(open.peer.seen.messages).toEqual(['before the abort']);
    expect(await open.client.seen.closed).toMatchObject({ code: 1005, wasClean: true });
  });

  test('signal: aborted before, nothing connects; and a socket that has closed lets go of it', async () => {
    const server = await secureServer();
    const { socket, seen } = connect(server.url, { signal: AbortSignal.abort() });
    expect(socket.readyState).toBe(2);
    expect(await seen.closed).toMatchObject({ code: 1006 });
    const controller = new AbortController();
    const { client } = await connected(server, { signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    client.socket.close();
    await client.seen.closed;
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });
});

test('a loop that is left leaves the socket open, and its listeners go with it', async () => {
  const { client, peer } = await connected(await secureServer());
  const before = getEventListeners(client.socket, 'message').length;
  peer.socket.send('first');
  const loop = client.socket[Symbol.asyncIterator]();
  expect(await loop.next()).toEqual({ value: 'first', done: false });
  // What `break` does.
  await loop.return?.();
  expect(getEventListeners(client.socket, 'message')).toHaveLength(before);
  expect(client.socket.readyState).toBe(1);
  peer.socket.send('second');
  expect(await client.socket[Symbol.asyncIterator]().next()).toEqual({ value: 'second', done: false });
});

test('a loop over a socket that has closed ends at once, with the failure where there is one', async () => {
  const { client } = await connected(await secureServer());
  client.socket.close();
  await client.seen.closed;
  for await (const data of client.socket) expect(data).toBe('nothing');
  const refused = connect('ws://127.0.0.1:1');
  await refused.seen.closed;
  await expect(refused.socket[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(PQWebSocketError);
});

test('who only looks at opened is not told of a failure', async () => {
  const unhandled = deferred<unknown>();
  const listener = (reason: unknown): void => {
    unhandled.resolve(reason);
  };
  process.on('unhandledRejection', listener);
  try {
    const { socket, seen } = connect('ws://127.0.0.1:1');
    void socket.opened;
    await seen.closed;
    const later = new Promise((resolve) => {
      setImmediate(() => setImmediate(resolve, 'none'));
    });
    expect(await Promise.race([unhandled.promise, later])).toBe('none');
  } finally {
    process.off('unhandledRejection', listener);
  }
});

test('no enumeration shows them, nothing listens before they are used, and an application may take the name', () => {
  const socket = idle();
  const names: string[] = [];
  for (const name in socket) names.push(name);
  expect(names).toContain('pq');
  expect(names).not.toContain('opened');
  expect(Object.keys(socket)).toEqual([]);
  expect(getEventListeners(socket, 'open')).toEqual([]);
  const own = Object.assign(socket, { opened: true });
  expect(own.opened).toBe(true);
  expect(Object.getOwnPropertyDescriptor(own, 'opened')).toEqual({
    value: true,
    writable: true,
    enumerable: true,
    configurable: true,
  });
});

test('they refuse another this', async () => {
  const { get } = Object.getOwnPropertyDescriptor(PQWebSocket.prototype, 'opened') as { get: () => unknown };
  expect(() => get.call({})).toThrow(TypeError);
  const { [Symbol.asyncIterator]: iterate, [Symbol.asyncDispose]: dispose } = PQWebSocket.prototype;
  await expect(iterate.call({} as PQWebSocket).next()).rejects.toThrow(TypeError);
  await expect(dispose.call({} as PQWebSocket)).rejects.toThrow(TypeError);
});

test('the polyfilled class has none of them: a page that never heard of us asked for nothing', () => {
  const { installed, uninstall } = installPolyfill({});
  try {
    const { prototype } = installed as unknown as { prototype: object };
    expect(Reflect.ownKeys(prototype)).not.toContain('opened');
    for (const symbol of [Symbol.asyncIterator, Symbol.asyncDispose]) expect(symbol in prototype).toBe(false);
    expect(Reflect.ownKeys(prototype)).toContain('pq');
    expect(Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)).toMatchObject({ value: 'WebSocket' });
  } finally {
    uninstall();
  }
});

test.each([null, 1, 'signal', {}, () => undefined])('signal %j is refused by name', (signal) => {
  expect(() => new PQWebSocket('ws://host/', [], { WebSocket: IdleSocket, signal: signal as never })).toThrow(
    expect.objectContaining({ name: 'TypeError', message: expect.stringContaining("'signal'") as string }),
  );
});
