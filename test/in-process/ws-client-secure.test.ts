/** What our WebSocket of pq-websocket/ws does that npm ws's does not, or does otherwise. */
import { describe, expect, test } from 'vitest';
import { WebSocket as PlainWebSocket } from 'ws';
import { PQWebSocket } from '../../src/index.ts';
import defaultExport, * as entry from '../../src/ws.ts';
import { createWebSocketStream, Server, WebSocket, WebSocketServer } from '../../src/ws.ts';
import type { PQWebSocketError, WsStyleWebSocket } from '../../src/ws.ts';
import { AsyncQueue, once } from '../support/deferred.ts';
import { rawServer } from '../support/raw-peer.ts';
import { assertSealed, OPCODE } from '../support/tap.ts';
import { startSecure, uncaughtErrors } from '../support/ws-endpoints.ts';
import type { Tapped } from '../support/ws-endpoints.ts';

async function connected(): Promise<Tapped & { client: WsStyleWebSocket; peer: WsStyleWebSocket }> {
  const running = await startSecure();
  const client = new WebSocket(running.url);
  const [{ socket }] = await Promise.all([running.next(), once(client, 'open')]);
  await socket.pq.finished;
  return { ...running, client, peer: socket };
}

function sending(socket: WsStyleWebSocket, data: string): Promise<Error | undefined> {
  return new Promise((resolve) => {
    socket.send(data, resolve);
  });
}

describe('the module', () => {
  test("has ws's names, on the class too", () => {
    expect(defaultExport).toBe(WebSocket);
    expect(Object.keys(entry).sort()).toEqual([
      'PQWebSocketError',
      'PerMessageDeflate',
      'Receiver',
      'Sender',
      'Server',
      'WebSocket',
      'WebSocketServer',
      'createWebSocketStream',
      'default',
      'extension',
      'secureServer',
      'subprotocol',
    ]);
    expect(Server).toBe(WebSocketServer);
    expect([WebSocket.WebSocket, WebSocket.WebSocketServer, WebSocket.Server]).toEqual([
      WebSocket,
      WebSocketServer,
      WebSocketServer,
    ]);
    expect(typeof createWebSocketStream).toBe(typeof WebSocket.createWebSocketStream);
  });
});

describe('before it is open', () => {
  test('what is sent waits, in order, and each callback is called once', async () => {
    const { url, next, tap } = await startSecure();
    const client = new WebSocket(url);
    const calls: unknown[] = [];
    for (const text of ['first queued', 'second queued']) client.send(text, (error) => calls.push([text, error]));
    client.on('open', () => {
      client.send('third, from open', (error) => calls.push(['third', error]));
    });
    const { socket } = await next();
    const received = new AsyncQueue<string>();
    socket.on('message', (data) => {
      received.push(data.toString());
    });
    expect([await received.next(), await received.next(), await received.next()]).toEqual([
      'first queued',
      'second queued',
      'third, from open',
    ]);
    socket.send('answer');
    await once(client, 'message');
    expect(calls).toEqual([
      ['first queued', undefined],
      ['second queued', undefined],
      ['third', undefined],
    ]);
    assertSealed(tap, ['first queued', 'second queued', 'third, from open', 'answer']);
  });

  test('a server that speaks no pq gets none of it, and the callbacks get the reason', async () => {
    const server = await rawServer((peer) => {
      peer.send('welcome');
    });
    const client = new WebSocket(server.url);
    const callbacks = Promise.all([sending(client, 'a secret'), sending(client, 'another')]);
    const closed = once<[number, Buffer]>(client, 'close');
    const [error] = await once<[PQWebSocketError]>(client, 'error');
    expect([error.code, error.closeCode, error.origin]).toEqual(['PQ_ERR_NOT_PQ_WEBSOCKET', 3768, 'local']);
    expect(await callbacks).toEqual([error, error]);
    expect((await closed).map(String)).toEqual(['3768', '']);
    const peer = await server.nextPeer();
    const { data } = await peer.next();
    expect(JSON.parse(data.toString())).toHaveProperty('ml_kem_768_encapsulation_key');
    await expect(peer.next()).rejects.toThrow('3768');
    await server.close();
  });

  test('a refused upgrade fails the callbacks', async () => {
    const { url } = await startSecure({ verifyClient: () => false });
    const client = new WebSocket(url);
    const failed = once<[Error]>(client, 'error');
    const error = await sending(client, 'a secret');
    expect(error).toBe(client.pq.failure);
    expect((await failed)[0]).toBe(error?.cause);
    expect((error?.cause as Error).message).toBe('Unexpected server response: 401');
  });

  test('pause does not hold the handshake up', async () => {
    const { url, next } = await startSecure();
    const client = new WebSocket(url);
    client.on('upgrade', () => {
      queueMicrotask(() => {
        client.pause();
      });
    });
    await Promise.all([next(), once(client, 'open')]);
    expect(client.isPaused).toBe(false);
  });
});

describe('what a frame on the wire would show', () => {
  test("a ping's data stays here, and comes back with the pong that answers", async () => {
    const { client, peer, tap } = await connected();
    for (const end of [client, peer]) {
      const heard = once<[Buffer]>(end === client ? peer : client, 'ping');
      const answers: string[] = [];
      const all = new Promise<void>((resolve) => {
        end.on('pong', (data: Buffer) => {
          if (answers.push(data.toString()) === 5) resolve();
        });
      });
      const bytes = Buffer.from('heartbeat two');
      end.ping('heartbeat one');
      end.ping(bytes, true);
      bytes.fill(0);
      end.ping();
      end.ping(4);
      end.ping(new Uint8Array([0x68, 0x69]).buffer);
      expect((await heard)[0].length).toBe(0);
      await all;
      expect(answers).toEqual(['heartbeat one', 'heartbeat two', '', '4', 'hi']);
      expect(() => {
        end.ping(true as never);
      }).toThrow(TypeError);
      expect(() => {
        end.ping('x'.repeat(126));
      }).toThrow('must not be greater than 125 bytes');
    }
    assertSealed(tap, ['heartbeat one', 'heartbeat two']);
  });

  test('pong takes no data', async () => {
    const { client, peer, tap } = await connected();
    for (const end of [client, peer]) {
      for (const data of ['beat', Buffer.from('beat'), 1, true]) {
        expect(() => {
          end.pong(data as never);
        }).toThrow('data is not supported, since control frames are not sealed');
      }
      const heard = once<[Buffer]>(end === client ? peer : client, 'pong');
      end.pong(Buffer.alloc(0) as never, true);
      expect((await heard)[0].length).toBe(0);
    }
    assertSealed(tap, ['beat\0\0']);
  });

  test('pong takes back what a ping has brought: a peer that is none of ours says something in it', async () => {
    const { url, next } = await startSecure({ autoPong: false });
    const sockets: PlainWebSocket[] = [];
    class Peer extends PlainWebSocket {
      constructor(...given: ConstructorParameters<typeof PlainWebSocket>) {
        super(...given);
        sockets.push(this);
      }
    }
    const client = new PQWebSocket(url, [], { WebSocket: Peer });
    const [{ socket }] = await Promise.all([next(), client.opened]);
    const [plain] = sockets as [PlainWebSocket];
    socket.on('ping', (data: Buffer) => {
      // Whatever the application makes of it meanwhile.
      data.fill(0);
      setImmediate(() => {
        socket.pong(data);
      });
    });
    for (const data of ['one', '', 'x'.repeat(125)]) {
      const answered = once<[Buffer]>(plain, 'pong');
      plain.ping(data);
      expect((await answered)[0].toString()).toBe(data);
    }
  });

  test('fragments leave as one sealed message, with the last of them', async () => {
    const { client, peer, tap } = await connected();
    client.send('part one, ', { fin: false });
    client.ping();
    await once(peer, 'ping');
    expect([tap.connections.length, client.bufferedAmount]).toEqual([1, 10]);
    client.send(Buffer.from('part two'));
    expect((await once<[Buffer, boolean]>(peer, 'message')).map(String)).toEqual(['part one, part two', 'false']);
    assertSealed(tap, ['part one, ', 'part two']);
  });

  test('close code and reason are not on it', async () => {
    const { client, peer, tap } = await connected();
    client.close(4242, 'the secret reason');
    expect((await once<[number, Buffer]>(peer, 'close')).map(String)).toEqual(['4242', 'the secret reason']);
    expect(client.pq.closeAnswered).toBe(true);
    assertSealed(tap, ['the secret reason']);
  });
});

describe('failures', () => {
  test("a frame that was changed: 'error' with the cause, then 'close', at the end that found it and at the other", async () => {
    const { client, peer, tap } = await connected();
    const heard: unknown[] = [];
    for (const [name, end] of [
      ['client', client],
      ['peer', peer],
    ] as const) {
      end.on('message', () => heard.push(`${name} message`));
      end.on('error', ({ code }) => heard.push(`${name} ${code} ${end.pq.failure?.origin}`));
      end.on('close', (code, reason) => heard.push(`${name} ${code} ${reason.toString()}`));
    }
    tap.onFrame = ({ direction, opcode, payload }) => {
      if (direction !== 'client' || opcode !== OPCODE.binary) return 'forward';
      const changed = Uint8Array.from(payload);
      changed[20] = (changed[20] ?? 0) ^ 1;
      return changed;
    };
    const closes = Promise.all([once(client, 'close'), once(peer, 'close')]);
    client.send('tampered with');
    await closes;
    expect(heard.filter((line) => String(line).startsWith('peer'))).toEqual(['peer PQ_ERR_RECORD local', 'peer 3771 ']);
    expect(heard.filter((line) => String(line).startsWith('client'))).toEqual([
      'client PQ_ERR_PEER transport',
      'client 3771 ',
    ]);
    assertSealed(tap, ['tampered with']);
  });

  test('a callback that throws is uncaught, and the connection goes on', async () => {
    const errors = uncaughtErrors();
    const { client, peer } = await connected();
    const received = new AsyncQueue<string>();
    peer.on('message', (data) => {
      received.push(data.toString());
    });
    client.send('a', () => {
      throw new Error('in the callback');
    });
    client.send('b');
    expect(await errors.next()).toEqual(new Error('in the callback'));
    client.send('c');
    expect([await received.next(), await received.next(), await received.next()]).toEqual(['a', 'b', 'c']);
  });

  test("an 'error' that nobody listens for ends no process for what somebody has sent", async () => {
    const errors = uncaughtErrors();
    const { client, peer, tap } = await connected();
    const closes = Promise.all([once(client, 'close'), once(peer, 'close')]);
    tap.connections[0]?.inject('client', OPCODE.text, Buffer.from('unsealed'));
    await closes;
    expect(peer.pq.failure?.code).toBe('PQ_ERR_TEXT_FRAME');
    expect([client.pq.failure?.code, errors.size]).toEqual(['PQ_ERR_PEER', 0]);
  });

  test("an 'error' that nobody listens for is thrown where a connection cannot be made, as every emitter does", async () => {
    const errors = uncaughtErrors();
    const client = new WebSocket('ws://127.0.0.1:1/');
    await once(client, 'close');
    expect(await errors.next()).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('arguments', () => {
  const construct = (options: object) => () => new WebSocket('ws://127.0.0.1:1/', options);

  test('perMessageDeflate is refused with the reason, unknown options by name', () => {
    expect(construct({ perMessageDeflate: true })).toThrow(/'perMessageDeflate' is not supported: .*compress/);
    expect(construct({ strict: true })).toThrow(new TypeError("WebSocket: unknown option 'strict'"));
    expect(construct({ generateMasks: 1 })).toThrow("unknown option 'generateMasks'");
    expect(construct({ maxPayload: -1 })).toThrow(RangeError);
  });

  test.each(['nonsense', 'ftp://host/', 'ws://host/#fragment'])('%s is a SyntaxError', (url) => {
    expect(() => new WebSocket(url)).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
  });

  test('options count where the subprotocols are null or undefined', async () => {
    const { url, next } = await startSecure({ context: 'both know' });
    for (const protocols of [null, undefined]) {
      const client = new WebSocket(url, protocols as never, { context: 'both know', perMessageDeflate: false });
      const [{ socket }] = await Promise.all([next(), once(client, 'open')]);
      await socket.pq.finished;
      expect(client.protocol).toBe('');
    }
  });

  test('both ends agree on what they know of the channel', async () => {
    const { client, peer } = await connected();
    expect(client.pq.transcriptHash).toEqual(peer.pq.transcriptHash);
    expect(await client.pq.exportKey('binding', 32)).toEqual(await peer.pq.exportKey('binding', 32));
    expect([client.pq.backend, peer.pq.profile, client.pq.kem, peer.pq.cipher]).toEqual([
      'node',
      'v1',
      'ml-kem-768',
      'AES-256-GCM',
    ]);
  });
});

// The slice of a Buffer is no copy: each of these waits for its turn in another place.
const WAYS_TO_WAIT: Record<string, (socket: WebSocket, bytes: Buffer, binary: boolean) => void> = {
  alone: (socket, bytes, binary) => {
    socket.send(bytes, { binary });
  },
  'behind another': (socket, bytes, binary) => {
    socket.send('first');
    socket.send(bytes, { binary });
  },
  'behind a Blob': (socket, bytes, binary) => {
    socket.send(new Blob(['first']));
    socket.send(bytes, { binary });
  },
  'as the first part of a message': (socket, bytes, binary) => {
    socket.send(bytes, { binary, fin: false });
    socket.send('', { binary });
  },
};

test.each(Object.keys(WAYS_TO_WAIT).flatMap((way) => [true, false].map((binary) => [way, binary] as const)))(
  'bytes that change after send() are not what arrives (%s, binary: %s)',
  async (way, binary) => {
    const { url, server } = await startSecure();
    const arrived = new Promise<string>((resolve) => {
      server.on('connection', (socket) => {
        socket.on('message', (data) => {
          if (data.toString() !== 'first') resolve(data.toString());
        });
      });
    });
    const socket = new WebSocket(url);
    await once(socket, 'open');
    const bytes = Buffer.from('as given');
    WAYS_TO_WAIT[way]?.(socket, bytes, binary);
    bytes.fill('x');
    expect(await arrived).toBe('as given');
    socket.terminate();
  },
);
