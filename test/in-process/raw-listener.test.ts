/** Who listens to the `ws` socket underneath as well keeps every frame as it came, and the memory of nobody's is given back or used. */
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer as PlainServer } from 'ws';
import type { WebSocket as PlainSocket } from 'ws';
import { wrapServerSocket } from '../../src/server.ts';
import { WebSocket } from '../../src/ws.ts';
import { once } from '../support/deferred.ts';
import { nativeBinding } from '../support/native.ts';

const isBuilt = nativeBinding('opening where the frame stands') !== undefined;

const SENT = Buffer.alloc(100_000, 'what a listener of the raw socket must not lose');

/** Connects, sends, and gives what the socket that wraps what `prepare` gives was told of it. */
async function exchange(prepare: (raw: PlainSocket) => object, sent = SENT, native = false): Promise<unknown> {
  const server = new PlainServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    for (const raw of server.clients) raw.terminate();
    server.close();
  });
  await once(server, 'listening');
  const received = new Promise((resolve) => {
    server.on('connection', (raw, request) => {
      wrapServerSocket(prepare(raw), { request, native }).on('message', resolve);
    });
  });
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.send(sent);
  return received;
}

test('a listener of the raw socket keeps its frames', async () => {
  const frames: Buffer[] = [];
  const received = await exchange((raw) => {
    raw.on('message', (data, isBinary) => {
      if (isBinary) frames.push(data as Buffer);
    });
    return raw;
  });
  expect(received).toEqual(SENT);
  expect(frames.at(-1)?.length).toBe(12 + SENT.length + 1 + 16);
});

test('what nobody else listens for is given back, and the message is whole', async () => {
  const frames: Buffer[] = [];
  const received = await exchange((raw) => {
    const { emit } = raw;
    raw.emit = (event: string, ...values: unknown[]): boolean => {
      if (event === 'message' && values[1] === true) frames.push(values[0] as Buffer);
      return emit.call(raw, event, ...values);
    };
    return raw;
  });
  expect(received).toEqual(SENT);
  expect(frames.at(-1)?.length).toBe(0);
});

describe.skipIf(!isBuilt)('with pq-websocket-native', () => {
  const SHORT = SENT.subarray(0, 300);

  /** Keeps what `ws` delivers in `frames`, unseen. */
  function watch(raw: PlainSocket, frames: Buffer[]): PlainSocket {
    const { emit } = raw;
    raw.emit = (event: string, ...values: unknown[]): boolean => {
      if (event === 'message' && values[1] === true) frames.push(values[0] as Buffer);
      return emit.call(raw, event, ...values);
    };
    return raw;
  }

  test('what nobody else looks at is opened where it stands', async () => {
    const frames: Buffer[] = [];
    const received = (await exchange((raw) => watch(raw, frames), SHORT, true)) as Buffer;
    expect(received).toEqual(SHORT);
    expect(received.buffer).toBe(frames.at(-1)?.buffer);
    expect(received.byteOffset).toBe((frames.at(-1)?.byteOffset ?? 0) + 12);
  });

  test('who listens to the network keeps what came, sealed', async () => {
    const frames: Buffer[] = [];
    const chunks: Buffer[] = [];
    const received = await exchange(
      (raw) => {
        (raw as unknown as { _socket: Socket })._socket.on('data', (chunk) => chunks.push(chunk));
        return watch(raw, frames);
      },
      SHORT,
      true,
    );
    expect(received).toEqual(SHORT);
    expect((received as Buffer).buffer).not.toBe(frames.at(-1)?.buffer);
    // `ws` has unmasked it there.
    expect(Buffer.concat(chunks).includes(frames.at(-1) as Buffer)).toBe(true);
    expect(Buffer.concat(chunks).includes(SHORT.subarray(0, 20))).toBe(false);
  });
});

test('a socket that only looks like ws needs no more than what is used of it', async () => {
  const received = await exchange((raw) => ({
    readyState: raw.OPEN,
    protocol: '',
    extensions: '',
    bufferedAmount: 0,
    on: raw.on.bind(raw),
    send: raw.send.bind(raw),
    close: raw.close.bind(raw),
    terminate: raw.terminate.bind(raw),
  }));
  expect(received).toEqual(SENT);
});
