/**
 * Libraries that know npm ws's private members (socket.io's adapter, express-ws) must not find a way around the
 * seal with our sockets: what they reach for is not there, or refuses.
 */
import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import * as ws from 'ws';
import { PQWebSocket } from '../../src/index.ts';
import { wrapServerSocket } from '../../src/server.ts';
import { WebSocket, WebSocketServer } from '../../src/ws.ts';
import type { PQWebSocketError, WsStyleWebSocket } from '../../src/ws.ts';
import { once } from '../support/deferred.ts';
import { encodeFrame } from '../support/frames.ts';
import { rawServer } from '../support/raw-peer.ts';
import { assertSealed, OPCODE } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import type { Accepted, Tapped } from '../support/ws-endpoints.ts';

const { WebSocket: PlainSocket, WebSocketServer: PlainServer } = ws;
/** Exported by ws, and not in its types. */
const { Sender } = ws as unknown as {
  Sender: new (socket: object, extensions: object) => { send(data: string, options: object, done: () => void): void };
};

const SECRET = 'a broadcast for everybody';
const FRAME = Buffer.from(encodeFrame(OPCODE.text, Buffer.from(SECRET), false));

type Private = {
  _sender?: { sendFrame?: (list: Buffer[]) => void };
  _receiver?: unknown;
  _socket: { write(data: Buffer): void; end(data?: Buffer): void };
};

interface Ends extends Tapped {
  readonly client: WsStyleWebSocket;
  readonly accepted: Accepted<WsStyleWebSocket>;
}

async function connected(): Promise<Ends> {
  const running = await startSecure();
  const client = new WebSocket(running.url);
  const [accepted] = await Promise.all([running.next(), once(client, 'open')]);
  await accepted.socket.pq.finished;
  return { ...running, client, accepted };
}

function privates({ client, accepted }: Ends): Private[] {
  return [client, accepted.socket] as unknown as Private[];
}

/** Everything that a script reaches from here by names and symbols, getters called, prototypes included. */
function reachable(from: object): Set<object> {
  const seen = new Set<object>();
  const waiting = [from];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const holder = next;
    if (seen.has(holder)) continue;
    seen.add(holder);
    for (
      let level: object | null = holder;
      level !== null && level !== Object.prototype;
      level = Object.getPrototypeOf(level) as object | null
    ) {
      for (const key of Reflect.ownKeys(level).filter((each) => each !== 'constructor')) {
        let value: unknown;
        try {
          value = Reflect.get(level, key, holder);
        } catch {
          continue;
        }
        if (value !== null && (typeof value === 'object' || typeof value === 'function')) waiting.push(value);
      }
    }
  }
  return seen;
}

function writers(from: object): object[] {
  return [...reachable(from)].filter(
    (value) =>
      value instanceof PlainSocket ||
      value instanceof PlainServer ||
      value instanceof Duplex ||
      'sendFrame' in value ||
      '_handle' in value,
  );
}

test('the search finds the way that there is with npm ws', async () => {
  const server = await rawServer();
  const plain = new PlainSocket(server.url);
  await once(plain, 'open');
  expect(writers(plain).some((value) => 'sendFrame' in value)).toBe(true);
  await server.close();
});

describe('nothing that writes to the network can be reached', () => {
  test('from the sockets of pq-websocket/ws', async () => {
    const { client, accepted } = await connected();
    expect([client, accepted.socket].flatMap(writers)).toEqual([]);
    expect(reachable(client).has(client.pq)).toBe(true);
  });

  test('from a server', () => {
    expect(writers(new WebSocketServer({ noServer: true }))).toEqual([]);
  });

  test('from PQWebSocket and from what wrapServerSocket gives', async () => {
    const server = await rawServer();
    const client = new PQWebSocket(server.url, [], { headers: { 'x-transport': 'ws' } });
    const socket = wrapServerSocket((await server.nextPeer()).socket);
    await Promise.all([once(client, 'open'), socket.pq.finished]);
    expect([client, socket].flatMap((each) => writers(each))).toEqual([]);
    await server.close();
  });
});

describe('a library that reaches for', () => {
  test('_sender.sendFrame with a frame that it made itself falls back to send, which seals', async () => {
    const ends = await connected();
    // As engine.io 6 does with the frame that socket.io's adapter has encoded for all clients.
    const broadcast = (socket: WsStyleWebSocket): void => {
      const { _sender } = socket as unknown as Private;
      if (typeof _sender?.sendFrame === 'function') _sender.sendFrame([FRAME]);
      else socket.send(SECRET);
    };
    const heard = once(ends.client, 'message');
    broadcast(ends.accepted.socket);
    expect(String((await heard)[0])).toBe(SECRET);
    assertSealed(ends.tap, [SECRET]);
  });

  test('_sender and _receiver finds nothing', async () => {
    for (const socket of privates(await connected())) {
      expect([socket._sender, socket._receiver]).toEqual([undefined, undefined]);
    }
  });

  test('_socket.write, end or a Sender over it gets an error, and nothing is sent', async () => {
    const ends = await connected();
    for (const { _socket } of privates(ends)) {
      expect(() => {
        _socket.write(FRAME);
      }).toThrow('not sealed');
      expect(() => {
        _socket.end(FRAME);
      }).toThrow('not sealed');
      expect(() => {
        new Sender(_socket, {}).send(
          SECRET,
          { binary: false, fin: true, compress: false, mask: false },
          () => undefined,
        );
      }).toThrow();
    }
    ends.client.send('afterwards');
    expect(String((await once(ends.accepted.socket, 'message'))[0])).toBe('afterwards');
    assertSealed(ends.tap, [SECRET, 'afterwards']);
  });

  test("npm ws's own methods, called on our sockets, gets an error", async () => {
    const ends = await connected();
    for (const socket of privates(ends)) {
      for (const method of ['send', 'ping', 'close'] as const) {
        expect(() => {
          PlainSocket.prototype[method].call(socket as never, SECRET as never);
        }).toThrow();
      }
    }
    ends.client.send('afterwards');
    expect(String((await once(ends.accepted.socket, 'message'))[0])).toBe('afterwards');
    assertSealed(ends.tap, [SECRET, 'afterwards']);
  });

  test("the request's own network socket, which Node gives to any server, breaks the connection instead of being heard", async () => {
    const { client, accepted } = await connected();
    const heard: unknown[] = [];
    client.on('message', (data) => heard.push(data));
    const failed = once<[PQWebSocketError]>(client, 'error');
    const closed = once<[number]>(client, 'close');
    accepted.request.socket.write(FRAME);
    expect((await failed)[0].code).toBe('PQ_ERR_TEXT_FRAME');
    expect((await closed)[0]).toBe(3772);
    expect(heard).toEqual([]);
  });
});
