import { createConnection, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { once } from './deferred.ts';
import { rawClient, rawServer } from './raw-peer.ts';
import type { RawPeer } from './raw-peer.ts';
import { OPCODE, assertSealed, startTap } from './tap.ts';
import type { Tap, TapConnection, TapFrame, TapOptions } from './tap.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Bench {
  readonly tap: Tap;
  readonly client: RawPeer;
  readonly server: RawPeer;
  readonly connection: TapConnection;
}

/** A plain client and a plain server with a tap between them. */
async function connectPair(options: TapOptions & { readonly perMessageDeflate?: boolean } = {}): Promise<Bench> {
  const { perMessageDeflate = false, ...tapOptions } = options;
  const target = await rawServer(undefined, { perMessageDeflate });
  cleanups.push(() => target.close());
  const tap = await startTap(target.port, tapOptions);
  cleanups.push(() => tap.close());
  const client = rawClient(tap.url, { perMessageDeflate });
  const [server, connection] = await Promise.all([target.nextPeer(), tap.nextConnection(), client.opened]);
  return { tap, client, server, connection };
}

const by = (direction: string, opcode: number) => (frame: TapFrame) =>
  frame.direction === direction && frame.opcode === opcode;
const text = (frame: TapFrame): string => Buffer.from(frame.payload).toString('utf8');

describe('recording', () => {
  test('decodes what both ends sent, in order, and leaves it unchanged', async () => {
    const { client, server, connection } = await connectPair();
    client.send('from the client');
    expect(await server.nextText()).toBe('from the client');
    server.send(Buffer.from('from the server'));
    expect((await client.nextBinary()).toString()).toBe('from the server');
    client.close(4321, 'because');
    expect(await server.closed).toEqual({ code: 4321, reason: 'because' });
    await connection.closed;
    expect(
      connection.frames.map(({ direction, opcode, fin, masked, order }) => ({ direction, opcode, fin, masked, order })),
    ).toEqual([
      { direction: 'client', opcode: OPCODE.text, fin: true, masked: true, order: 0 },
      { direction: 'server', opcode: OPCODE.binary, fin: true, masked: false, order: 1 },
      { direction: 'client', opcode: OPCODE.close, fin: true, masked: true, order: 2 },
      { direction: 'server', opcode: OPCODE.close, fin: true, masked: false, order: 3 },
    ]);
    expect(connection.frames.slice(0, 2).map(text)).toEqual(['from the client', 'from the server']);
    expect(connection.upgrade.request).toMatch(/^GET \/ HTTP\/1\.1\r\n/);
    expect(connection.upgrade.response).toMatch(/^HTTP\/1\.1 101 /);
  });

  test.each([0, 1, 125, 126, 65_535, 65_536, 1_000_000])('a message of %i bytes', async (length) => {
    const { client, server, connection } = await connectPair();
    const message = Buffer.alloc(length, 0xa5);
    client.send(message);
    expect((await server.nextBinary()).equals(message)).toBe(true);
    server.send(message);
    expect((await client.nextBinary()).equals(message)).toBe(true);
    expect(connection.frames.map((frame) => Buffer.from(frame.payload).equals(message))).toEqual([true, true]);
    const { request, response } = connection.upgrade;
    const bytes = (direction: 'client' | 'server'): Buffer =>
      Buffer.concat(connection.frames.filter((frame) => frame.direction === direction).map((frame) => frame.raw));
    expect(connection.rawBytes('client').equals(Buffer.concat([Buffer.from(request), bytes('client')]))).toBe(true);
    expect(connection.rawBytes('server').equals(Buffer.concat([Buffer.from(response), bytes('server')]))).toBe(true);
  });

  test('fragments with a control frame between them', async () => {
    const { client, server, connection } = await connectPair();
    client.socket.send('first ', { fin: false });
    client.socket.ping();
    client.socket.send('second', { fin: true });
    expect(await server.nextText()).toBe('first second');
    const sent = connection.frames.filter((frame) => frame.direction === 'client');
    expect(sent.map(({ opcode, fin }) => [opcode, fin])).toEqual([
      [OPCODE.text, false],
      [OPCODE.ping, true],
      [OPCODE.continuation, true],
    ]);
  });

  test('frames that come byte by byte', async () => {
    const target = await rawServer();
    cleanups.push(() => target.close());
    const tap = await startTap(target.port);
    cleanups.push(() => tap.close());
    const socket = createConnection({ port: tap.port, host: '127.0.0.1', noDelay: true });
    cleanups.push(async () => void socket.destroy());
    const head = [
      'GET / HTTP/1.1',
      'Host: x',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      '',
      '',
    ];
    const frame = Buffer.from([0x81, 0x83, 1, 2, 3, 4, 0x61 ^ 1, 0x62 ^ 2, 0x63 ^ 3]);
    for (const byte of Buffer.concat([Buffer.from(head.join('\r\n')), frame])) {
      await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    }
    const connection = await tap.nextConnection();
    expect(text(await connection.frame(by('client', OPCODE.text)))).toBe('abc');
    expect(await (await target.nextPeer()).nextText()).toBe('abc');
  });

  test('a refused upgrade passes and has no frames', async () => {
    const target = await rawServer(undefined, { verifyClient: () => false });
    cleanups.push(() => target.close());
    const tap = await startTap(target.port);
    cleanups.push(() => tap.close());
    await expect(rawClient(tap.url).opened).rejects.toThrow('401');
    const connection = await tap.nextConnection();
    expect(connection.upgraded).toBe(false);
    expect(connection.frames).toEqual([]);
  });

  test('a target that refuses connections ends the client', async () => {
    const unused = createServer().listen(0, '127.0.0.1');
    await once(unused, 'listening');
    const { port } = unused.address() as AddressInfo;
    await new Promise((resolve) => unused.close(resolve));
    const tap = await startTap(port);
    cleanups.push(() => tap.close());
    await expect(rawClient(tap.url).opened).rejects.toThrow();
  });
});

describe('tampering', () => {
  test('drops, replaces and repeats', async () => {
    const onFrame = (frame: TapFrame) => {
      if (frame.opcode !== OPCODE.text) return 'forward';
      if (text(frame) === 'drop') return 'drop';
      if (text(frame) === 'replace') return Buffer.alloc(70_000, 'x');
      return text(frame) === 'repeat' ? [frame.payload, frame.payload] : 'forward';
    };
    const { client, server, connection } = await connectPair({ onFrame });
    for (const word of ['drop', 'replace', 'repeat', 'last']) client.send(word);
    expect(await server.nextText()).toBe('x'.repeat(70_000));
    expect([await server.nextText(), await server.nextText(), await server.nextText()]).toEqual([
      'repeat',
      'repeat',
      'last',
    ]);
    server.send('replace');
    expect(await client.nextText()).toBe('x'.repeat(70_000));
    // The record is of what the ends sent.
    expect(connection.frames.map(text)).toEqual(['drop', 'replace', 'repeat', 'last', 'replace']);
  });

  test('a hook can come and go', async () => {
    const { tap, client, server } = await connectPair();
    client.send('one');
    expect(await server.nextText()).toBe('one');
    tap.onFrame = () => 'drop';
    const seen = tap.connections[0]?.frame((frame) => text(frame) === 'two');
    client.send('two');
    await seen;
    tap.onFrame = undefined;
    client.send('three');
    expect(await server.nextText()).toBe('three');
  });

  test('injects frames, masked as their sender must', async () => {
    const { client, server, connection } = await connectPair();
    connection.inject('client', OPCODE.text, Buffer.from('to the server'));
    connection.inject('server', OPCODE.binary, Buffer.from('to the client'));
    expect(await server.nextText()).toBe('to the server');
    expect((await client.nextBinary()).toString()).toBe('to the client');
    expect(connection.frames).toEqual([]);
  });

  test('forges a close in either direction', async () => {
    const first = await connectPair();
    first.connection.forgeClose('server', 1001, 'forged');
    expect(await first.client.closed).toEqual({ code: 1001, reason: 'forged' });
    const second = await connectPair();
    second.connection.forgeClose('client');
    expect(await second.server.closed).toEqual({ code: 1005, reason: '' });
  });

  test('cuts both ends off', async () => {
    const { client, server, connection } = await connectPair();
    connection.cut();
    expect((await client.closed).code).toBe(1006);
    expect((await server.closed).code).toBe(1006);
    await connection.closed;
  });
});

const CLIENT_HELLO = JSON.stringify({ pq_websocket: 1, ml_kem_768_encapsulation_key: 'AAAA' });
const SERVER_HELLO = JSON.stringify({ pq_websocket: 1, ml_kem_768_ciphertext: 'AAAA' });
const SEALED = Buffer.alloc(29, 0x5a);
const SECRET = 'a secret of the application';

/** Two peers that have said hello, as peers of the protocol do. */
async function greetedPair(): Promise<Bench> {
  const bench = await connectPair();
  bench.client.send(CLIENT_HELLO);
  await bench.server.next();
  bench.server.send(SERVER_HELLO);
  await bench.client.next();
  return bench;
}

describe('assertSealed', () => {
  test('a plain exchange is not sealed, whether its text is looked for or not', async () => {
    const { tap, client, server } = await connectPair();
    client.send(SECRET);
    await server.next();
    expect(() => {
      assertSealed(tap, [SECRET]);
    }).toThrow(/client: secret 0 \(plain\) in a message/);
    expect(() => {
      assertSealed(tap, []);
    }).toThrow(/first message that is no hello/);
  });

  test('hellos, sealed frames and silent control frames are sealed', async () => {
    const { tap, client, server, connection } = await greetedPair();
    client.send(SEALED);
    server.send(SEALED);
    client.socket.ping();
    await connection.frame(by('server', OPCODE.pong));
    client.close(1000);
    await connection.closed;
    assertSealed(tap, [SECRET]);
  });

  const disguised: [string, (secret: Buffer) => Buffer][] = [
    ['as it is', (secret) => secret],
    ['in hex', (secret) => Buffer.from(secret.toString('hex'))],
    ['in upper-case hex', (secret) => Buffer.from(secret.toString('hex').toUpperCase())],
    ...[0, 1, 2].map((shift): [string, (secret: Buffer) => Buffer] => [
      `in base64 after ${shift} bytes`,
      (secret) => Buffer.from(Buffer.concat([Buffer.alloc(shift, 1), secret, Buffer.alloc(5, 2)]).toString('base64')),
    ]),
    ['in base64url', (secret) => Buffer.from(secret.toString('base64url'))],
  ];
  for (const secret of [Buffer.from(SECRET), Buffer.from([0xff, 0xfb, 0xfe, 0xfb, 0xff, 0xff])]) {
    test.each(disguised)(`finds ${secret.length} secret bytes %s`, async (_name, disguise) => {
      const { tap, client, server } = await greetedPair();
      client.send(Buffer.concat([SEALED, disguise(secret), SEALED]));
      await server.next();
      expect(() => {
        assertSealed(tap, [secret]);
      }).toThrow(/client: secret 0 /);
    });
  }

  test('finds a secret across fragments, and in the upgrade request', async () => {
    const { tap, client, server } = await greetedPair();
    client.socket.send(Buffer.concat([SEALED, Buffer.from('a secret ')]), { fin: false, binary: true });
    client.socket.ping();
    client.socket.send(Buffer.from('of the application'), { fin: true, binary: true });
    await server.next();
    expect(() => {
      assertSealed(tap, [SECRET]);
    }).toThrow(/in a message/);
    expect(() => {
      assertSealed(tap, ['Sec-WebSocket-Key']);
    }).toThrow(/in the raw bytes/);
  });

  const betrayals: [string, (client: RawPeer) => void, RegExp][] = [
    [
      'a text message after the hello',
      (client) => {
        client.send('x'.repeat(40));
      },
      /message 1 as text/,
    ],
    [
      'a binary message too short to be sealed',
      (client) => {
        client.send(Buffer.alloc(27));
      },
      /too few to be sealed/,
    ],
    [
      'a ping with a payload',
      (client) => {
        client.socket.ping('1');
      },
      /a ping with a payload/,
    ],
    [
      'a pong with a payload',
      (client) => {
        client.socket.pong('1');
      },
      /a pong with a payload/,
    ],
    [
      "a close with the application's code",
      (client) => {
        client.close(4000);
      },
      /close frame with code 4000/,
    ],
    [
      'a normal close with a reason',
      (client) => {
        client.close(1000, 'x');
      },
      /code 1000 and a reason/,
    ],
    [
      'a failure with a reason of its own',
      (client) => {
        client.close(3771, 'x');
      },
      /3771 and an unknown reason/,
    ],
    [
      'a failure without a reason',
      (client) => {
        client.close(3771);
      },
      /3771 and an unknown reason/,
    ],
  ];
  test.each(betrayals)('refuses %s', async (_name, betray, message) => {
    const { tap, client, connection } = await greetedPair();
    const count = connection.frames.length;
    betray(client);
    await connection.frame((frame) => frame.order >= count);
    expect(() => {
      assertSealed(tap, []);
    }).toThrow(message);
  });

  test.each([
    [1000, ''],
    [1001, ''],
    [1012, ''],
    [1013, ''],
    [3768, 'malformed hello'],
    [3773, 'message too long'],
  ])('takes a close with %i and %j', async (code, reason) => {
    const { tap, server, connection } = await greetedPair();
    server.close(code, reason);
    await connection.closed;
    assertSealed(tap, []);
  });

  test('refuses compression, which would hide payloads from it', async () => {
    const { tap } = await connectPair({ perMessageDeflate: true });
    const [connection] = tap.connections;
    expect(connection?.upgrade.response).toMatch(/permessage-deflate/);
    connection?.inject('client', OPCODE.ping, new Uint8Array());
    await connection?.frame(by('server', OPCODE.pong));
    expect(() => {
      assertSealed(tap, []);
    }).toThrow(/extension was negotiated/);
  });

  test('cannot pass for want of something to look at or for', async () => {
    const { tap } = await connectPair();
    expect(() => {
      assertSealed(tap, [SECRET]);
    }).toThrow(/saw no WebSocket frame/);
    expect(() => {
      assertSealed(tap, ['short']);
    }).toThrow(RangeError);
  });
});

test('closing the tap ends its connections', async () => {
  const { tap, client, server } = await connectPair();
  await tap.close();
  expect((await client.closed).code).toBe(1006);
  expect((await server.closed).code).toBe(1006);
  const late = new WebSocket(tap.url);
  const [error] = await once<[Error]>(late, 'error');
  expect(error.message).toContain('ECONNREFUSED');
});
