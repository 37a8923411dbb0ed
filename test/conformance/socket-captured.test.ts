/** What is put in the place of the platform's functions after this package has loaded does not reach a connection. */
import { afterEach, expect, test, vi } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import { startSecure } from '../support/ws-endpoints.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** What looks a global up that was replaced, as `file:line`: ours alone, since vitest and ws live here too. */
const lookedUp: string[] = [];

function watched(name: string): unknown {
  const note = (): void => {
    const caller = /\/src\/\S+/.exec(new Error().stack?.split('\n')[3] ?? '')?.[0];
    if (caller !== undefined) lookedUp.push(`${name} in ${caller}`);
  };
  return new Proxy((globalThis as unknown as Record<string, object>)[name] as object, {
    apply: (target, receiver, given) => {
      note();
      return Reflect.apply(target as () => unknown, receiver, given) as unknown;
    },
    construct: (target, given, newTarget: () => unknown) => {
      note();
      return Reflect.construct(target as new () => object, given, newTarget);
    },
    get: (target, member) => {
      note();
      return Reflect.get(target, member) as unknown;
    },
  });
}

const WATCHED = [
  ...['Promise', 'Map', 'Set', 'WeakMap', 'URL', 'Blob', 'DOMException', 'TextEncoder', 'TextDecoder'],
  ...['queueMicrotask', 'setImmediate', 'setTimeout', 'clearTimeout', 'atob', 'btoa'],
];

const REPLACEMENTS: Readonly<Record<string, () => void>> = {
  'fake timers': () => {
    vi.useFakeTimers({
      toFake: [
        'setTimeout',
        'clearTimeout',
        'setInterval',
        'clearInterval',
        'setImmediate',
        'clearImmediate',
        'Date',
        'performance',
        'queueMicrotask',
      ],
    });
  },
  'other classes and functions': () => {
    for (const name of WATCHED) vi.stubGlobal(name, watched(name));
  },
};

test.each(Object.entries(REPLACEMENTS))('%s: a conversation comes to its end', async (_, replace) => {
  const { url, next } = await startSecure();
  // Over npm ws, since undici looks up what is replaced here.
  const socket = new PQWebSocket(url, undefined, { headers: {}, padding: 'padme' });
  const opened = new Promise((resolve) => {
    socket.onopen = resolve;
  });
  const accepted = next();
  await opened;
  const { socket: peer } = await accepted;
  const heard: unknown[] = [];
  const closed = new Promise<unknown[]>((resolve) => {
    socket.onmessage = ({ data }): void => {
      heard.push(data);
      if (heard.length === 3) socket.close(4000, 'enough');
    };
    socket.onclose = ({ code, reason }): void => {
      resolve([...heard, code, reason]);
    };
  });
  peer.on('message', (data, isBinary) => {
    peer.send(data, { binary: isBinary });
  });
  replace();
  for (const text of ['one', 'two', 'three']) socket.send(text);
  const seen = await closed;
  vi.unstubAllGlobals();
  expect(seen).toEqual(['one', 'two', 'three', 4000, 'enough']);
  expect(lookedUp).toEqual([]);
});

test.each(['after', 'before'])(
  'ws sockets, made while the timers are fake, which is %s this package loads',
  async (when) => {
    // What ws itself needs is left as it is: it has loaded already.
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'queueMicrotask', 'setInterval', 'Date', 'performance'],
    });
    // As with jest's `fakeTimers.enableGlobally`.
    if (when === 'before') vi.resetModules();
    const { WebSocket, WebSocketServer } = await import('../../src/ws.ts');
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise<void>((resolve) => {
      server.on('listening', resolve);
    });
    server.on('connection', (peer) => {
      peer.on('message', (data) => {
        peer.send(data.toString());
      });
    });
    const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as { port: number }).port}/`);
    const heard = await new Promise((resolve) => {
      socket.on('open', () => {
        socket.send('said');
      });
      socket.on('message', (data) => {
        resolve(String(data));
      });
    });
    expect(heard).toBe('said');
    const ended = new Promise((resolve) => socket.on('close', resolve));
    socket.close(4001);
    expect(await ended).toBe(4001);
    server.close();
  },
);
