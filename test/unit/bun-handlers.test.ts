/** The handlers for Bun.serve, with a stand-in for Bun's socket over a memory transport. Bun itself: `npm run runtimes`. */
import { describe, expect, test, vi } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import { bunHandlers } from '../../src/server.ts';
import type { BunHandlers, BunServerWebSocket, ServerSocket, ServerSocketOptions } from '../../src/server.ts';
import { memoryNetwork } from '../support/memory-transport.ts';
import type { MemorySocket } from '../support/memory-transport.ts';

type Data = { readonly room: string };

/** Calls the handlers as Bun does. */
function bunSocket(end: MemorySocket, handlers: BunHandlers<Data>): BunServerWebSocket<Data> & { drops: boolean } {
  end.binaryType = 'arraybuffer';
  const socket = {
    data: { room: 'one' },
    remoteAddress: '127.0.0.1',
    drops: false,
    get readyState() {
      return end.readyState;
    },
    send(message: string | Uint8Array): number {
      if (socket.drops) return 0;
      end.send(message);
      return message.length === 0 ? -1 : message.length;
    },
    close: (code?: number) => {
      end.close(code);
    },
    terminate: () => {
      end.cut();
    },
    getBufferedAmount: () => 0,
  };
  end.addEventListener('message', (event) => {
    const { data } = event as MessageEvent<string | ArrayBuffer>;
    handlers.message(socket, typeof data === 'string' ? data : Buffer.from(data));
  });
  end.addEventListener('close', (event) => {
    handlers.close(socket, (event as CloseEvent).code, '');
  });
  return socket;
}

interface Connected {
  readonly client: PQWebSocket;
  readonly server: ServerSocket;
  readonly accepted: ReturnType<typeof bunSocket>;
}

async function connect(
  options?: ServerSocketOptions | ((accepted: BunServerWebSocket<Data>) => ServerSocketOptions),
): Promise<Connected> {
  const network = memoryNetwork();
  const connected = vi.fn<(socket: ServerSocket, accepted: BunServerWebSocket<Data>) => void>();
  const handlers = options === undefined ? bunHandlers<Data>(connected) : bunHandlers<Data>(connected, options);
  const client = new PQWebSocket('ws://host/', [], { WebSocket: network.WebSocket, context: 'one' });
  const accepted = bunSocket(await network.nextServerEnd(), handlers);
  handlers.open(accepted);
  expect(connected).toHaveBeenCalledOnce();
  const [server, given] = connected.mock.calls[0] ?? [];
  expect(given).toBe(accepted);
  return { client, server: server as ServerSocket, accepted };
}

const BY_ROOM = ({ data }: BunServerWebSocket<Data>): ServerSocketOptions => ({ context: data.room });

describe('bunHandlers', () => {
  test('carry text, bytes and the close, with options by connection', async () => {
    const { client, server } = await connect(BY_ROOM);
    const got: unknown[] = [];
    server.on('message', (data, isBinary) => {
      got.push([data.toString(), isBinary]);
      server.send(data, { binary: isBinary });
    });
    const closed = new Promise((resolve) => {
      server.on('close', (code, reason) => {
        resolve([code, reason.toString()]);
      });
    });
    const back: unknown[] = [];
    client.binaryType = 'arraybuffer';
    client.send('text');
    client.send(Uint8Array.of(65));
    await new Promise<void>((resolve) => {
      client.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>): void => {
        back.push(typeof data === 'string' ? data : [...new Uint8Array(data)]);
        if (back.length === 2) resolve();
      };
    });
    expect(got).toEqual([
      ['text', false],
      ['A', true],
    ]);
    expect(back).toEqual(['text', [65]]);
    client.close(4000, 'bye');
    expect(await closed).toEqual([4000, 'bye']);
  });

  test('a message that Bun drops ends the connection, which is not clean', async () => {
    const { client, server, accepted } = await connect(BY_ROOM);
    await server.pq.finished;
    const closed = new Promise<CloseEvent>((resolve) => {
      client.onclose = resolve;
    });
    const received = vi.fn();
    client.onmessage = received;
    accepted.drops = true;
    server.send('lost');
    expect(await closed).toMatchObject({ code: 1006, wasClean: false });
    expect(received).not.toHaveBeenCalled();
  });

  test('a connection whose options are wrong is cut, and the handler throws', async () => {
    const network = memoryNetwork();
    const connected = vi.fn();
    const handlers = bunHandlers<Data>(connected, () => ({ padding: -1 }));
    const client = new PQWebSocket('ws://host/', [], { WebSocket: network.WebSocket });
    const closed = new Promise<CloseEvent>((resolve) => {
      client.onclose = resolve;
    });
    const accepted = bunSocket(await network.nextServerEnd(), handlers);
    expect(() => {
      handlers.open(accepted);
    }).toThrow(/option 'padding'/);
    expect(await closed).toMatchObject({ code: 1006 });
    expect(connected).not.toHaveBeenCalled();
  });

  test('refuse bad arguments at once', () => {
    expect(() => bunHandlers(undefined as never)).toThrow(/^bunHandlers: the first argument must be a function/);
    expect(() => bunHandlers(() => undefined, { ['unknown' as string]: 1 })).toThrow(
      new TypeError("bunHandlers: unknown option 'unknown'"),
    );
  });

  test("tell Bun not to compress, and to take every frame that 'maxPayload' allows", () => {
    const { perMessageDeflate, maxPayloadLength, backpressureLimit } = bunHandlers(() => undefined, {
      maxPayload: 2 ** 20,
    });
    expect([perMessageDeflate, backpressureLimit]).toEqual([false, 2 ** 31 - 1]);
    expect(maxPayloadLength).toBeGreaterThan((2 ** 20 * 9) / 8);
    expect(maxPayloadLength).toBeLessThan(2 ** 22);
    expect(bunHandlers(() => undefined, { maxPayload: 2 ** 40 }).maxPayloadLength).toBe(2 ** 31 - 1);
  });
});
