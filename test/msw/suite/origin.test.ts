/** The mock between the code under test and a real server: two channels, and plaintext where they meet. */
import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PQWebSocket } from 'pq-websocket';
import { WebSocketServer } from 'pq-websocket/ws';
import type { WebSocket as SecureSocket, WebSocketServerOptions } from 'pq-websocket/ws';
import { bytes, closing, inbox, mock, MODES, next, URL_UNDER_TEST } from './support.ts';

interface Origin {
  readonly url: string;
  /** What crossed the network, both ways. */
  readonly wire: () => Buffer;
  readonly closes: (readonly [number, string])[];
  readonly connected: Promise<SecureSocket>;
}

function relay(to: number, wire: Buffer[]): Server {
  return createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        wire.push(chunk);
        into.write(chunk);
      });
      from.on('close', () => into.destroy());
      from.on('error', () => into.destroy());
    }
  });
}

async function origin(
  behaviour: (socket: SecureSocket) => void,
  options: WebSocketServerOptions = {},
): Promise<Origin> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  await once(server as never, 'listening');
  const closes: [number, string][] = [];
  const connected = new Promise<SecureSocket>((resolve) => {
    server.on('connection', (socket: SecureSocket) => {
      socket.on('close', (code, reason) => closes.push([code, reason.toString()]));
      behaviour(socket);
      resolve(socket);
    });
  });
  const wire: Buffer[] = [];
  const tap = relay((server.address() as AddressInfo).port, wire);
  tap.listen(0, '127.0.0.1');
  await once(tap, 'listening');
  onTestFinished(async () => {
    for (const socket of server.clients ?? []) socket.terminate();
    tap.close();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return {
    url: `ws://127.0.0.1:${(tap.address() as AddressInfo).port}`,
    wire: () => Buffer.concat(wire),
    closes,
    connected,
  };
}

const echo = (socket: SecureSocket): void => {
  socket.on('message', (data, isBinary) => {
    socket.send(isBinary ? data : `echo ${data.toString()}`);
  });
};

describe.each(MODES)('%s', (mode) => {
  test('messages of both sides go through, seen in plaintext, and the network sees none of them', async () => {
    const { url, wire } = await origin(echo);
    const log: string[] = [];
    mock(
      mode,
      ({ client, server }) => {
        server.connect();
        client.addEventListener('message', ({ data }) =>
          log.push(`client: ${typeof data === 'string' ? data : String(bytes(data))}`),
        );
        server.addEventListener('message', ({ data }) =>
          log.push(`server: ${typeof data === 'string' ? data : String(bytes(data))}`),
        );
      },
      {},
      url,
    );
    const socket = new PQWebSocket(url);
    socket.binaryType = 'arraybuffer';
    const { until } = inbox(socket);
    await next(socket, 'open');
    socket.send('marker');
    socket.send(new Uint8Array([7, 8]));
    const [text, binary] = await until(2);
    expect(text).toBe('echo marker');
    expect(bytes(binary)).toEqual([7, 8]);
    expect(log).toEqual(['client: marker', 'client: 7,8', 'server: echo marker', 'server: 7,8']);
    expect(wire().length).toBeGreaterThan(2000);
    expect(wire().includes('marker')).toBe(false);
  });

  test('handlers change, drop and add messages on both legs', async () => {
    const { url } = await origin(echo);
    mock(
      mode,
      ({ client, server }) => {
        server.connect();
        client.addEventListener('message', (event) => {
          if (event.data === 'secret') event.preventDefault();
          if (event.data === 'rewrite') {
            event.preventDefault();
            server.send('rewritten');
          }
        });
        server.addEventListener('message', (event) => {
          if (event.data !== 'echo rewritten') return;
          event.preventDefault();
          client.send(`${String(event.data)}, twice`);
        });
        server.addEventListener('open', () => {
          client.send('the real server is there');
        });
      },
      {},
      url,
    );
    const socket = new PQWebSocket(url);
    const { until } = inbox(socket);
    await until(1);
    for (const message of ['secret', 'rewrite', 'plain']) socket.send(message);
    expect(await until(3)).toEqual(['the real server is there', 'echo rewritten, twice', 'echo plain']);
  });

  test('the close of the real server reaches handler and application; the handler can keep it back', async () => {
    const { url } = await origin((socket) => {
      socket.on('message', () => {
        socket.close(4001, 'moved');
      });
    });
    const seen: unknown[] = [];
    let keepBack = false;
    mock(
      mode,
      ({ client, server }) => {
        server.connect();
        server.addEventListener('close', (event) => {
          seen.push(closing(event));
          if (!keepBack) return;
          event.preventDefault();
          client.send('still here');
        });
      },
      {},
      url,
    );
    const socket = new PQWebSocket(url);
    socket.send('x');
    expect(closing(await next<CloseEvent>(socket, 'close'))).toEqual({ code: 4001, reason: 'moved', wasClean: true });
    keepBack = true;
    const kept = new PQWebSocket(url);
    const { until } = inbox(kept);
    kept.send('x');
    expect(await until(1)).toEqual(['still here']);
    expect(kept.readyState).toBe(kept.OPEN);
    expect(seen).toEqual(Array(2).fill({ code: 4001, reason: 'moved', wasClean: true }));
  });

  test('the close of the application reaches the real server, sealed', async () => {
    const { url, closes, connected, wire } = await origin(echo);
    mock(
      mode,
      ({ server }) => {
        server.connect();
      },
      {},
      url,
    );
    const socket = new PQWebSocket(url);
    const { until } = inbox(socket);
    socket.send('x');
    await until(1);
    const real = await connected;
    const closed = once(real as never, 'close');
    socket.close(4002, 'marker: bye');
    expect(closing(await next<CloseEvent>(socket, 'close'))).toEqual({
      code: 4002,
      reason: 'marker: bye',
      wasClean: true,
    });
    await closed;
    expect(closes).toEqual([[4002, 'marker: bye']]);
    expect(real.pq.failure).toBe(null);
    expect(wire().includes('marker')).toBe(false);
  });

  test('server.close() ends that leg alone, and server.connect() makes a new one', async () => {
    const { url, closes } = await origin(echo);
    mock(
      mode,
      ({ client, server }) => {
        server.connect();
        server.addEventListener('close', () => {
          client.send('let go');
        });
        client.addEventListener('message', (event) => {
          if (event.data === 'close') {
            event.preventDefault();
            server.close();
          }
          if (event.data === 'again') {
            event.preventDefault();
            server.connect();
            server.send('hello again');
          }
        });
      },
      {},
      url,
    );
    const socket = new PQWebSocket(url);
    const { until } = inbox(socket);
    socket.send('one');
    await until(1);
    socket.send('close');
    await until(2);
    socket.send('again');
    expect(await until(3)).toEqual(['echo one', 'let go', 'echo hello again']);
    expect(closes).toEqual([[1005, '']]);
  });

  test('options of the origin leg: its context and the pins of its identity', async () => {
    const { url } = await origin(echo, { context: 'production' });
    mock(
      mode,
      ({ server }) => {
        server.connect();
      },
      { context: 'test', origin: { context: 'production' } },
      url,
    );
    const socket = new PQWebSocket(url, [], { context: 'test' });
    const { until } = inbox(socket);
    socket.send('x');
    expect(await until(1)).toEqual(['echo x']);
  });

  test.each(['fails the checks', 'is not there'])('a real server that %s is a connection that breaks', async (how) => {
    const url = how === 'is not there' ? URL_UNDER_TEST : (await origin(echo)).url;
    const events: string[] = [];
    mock(
      mode,
      ({ server }) => {
        server.connect();
        server.addEventListener('error', ({ type }) => events.push(type));
        server.addEventListener('close', (event) => events.push(String(event.code)));
      },
      { origin: { serverKeys: `sha256:${'0'.repeat(64)}` } },
      url,
    );
    const socket = new PQWebSocket(url);
    socket.send('marker');
    expect(closing(await next<CloseEvent>(socket, 'close'))).toEqual({ code: 1006, reason: '', wasClean: false });
    expect(events).toEqual(['error', how === 'is not there' ? '1006' : '3770']);
  });

  test('what cannot be is said', async () => {
    const { url } = await origin(echo);
    const said: string[] = [];
    const attempt = (act: () => void): void => {
      try {
        act();
      } catch (error) {
        said.push((error as Error).message);
      }
    };
    mock(
      mode,
      ({ client, server }) => {
        attempt(() => {
          server.send('too early');
        });
        attempt(() => {
          server.close();
        });
        attempt(() => {
          server.connect();
        });
        attempt(() => {
          server.connect();
        });
        client.send('done');
      },
      {},
      url,
    );
    for (const fastOpen of [false, true]) {
      const socket = new PQWebSocket(url, [], { fastOpen });
      await inbox(socket).until(1);
      socket.close();
    }
    expect(said).toEqual([
      expect.stringContaining('server.send: the connection is not open'),
      expect.stringContaining('server.close: the connection is not open'),
      expect.stringContaining('server.connect: it is connected already'),
      expect.stringContaining('server.send: the connection is not open'),
      expect.stringContaining('server.close: the connection is not open'),
      ...Array<unknown>(2).fill(expect.stringContaining('the client uses fastOpen')),
    ]);
  });
});
