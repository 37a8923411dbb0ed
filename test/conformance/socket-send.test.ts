/** send() and message events: kinds, order, snapshots, exact bytes, both ways, on every backend. */
import { describe, expect, test } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import { connect, connected, MODES, secureServer, useMode } from '../support/endpoints.ts';
import type { SecureServer } from '../support/endpoints.ts';
import { once } from '../support/deferred.ts';
import { assertSealed } from '../support/tap.ts';

const bytesOf = (...values: number[]): ArrayBuffer => Uint8Array.from(values).buffer;
const echo = (): Promise<SecureServer> =>
  secureServer({
    onPeer: ({ socket }) => {
      socket.on('message', (data, isBinary) => {
        socket.send(data, { binary: isBinary });
      });
    },
  });

const TEXTS = [
  '',
  'plain',
  '\uFEFFwith a byte order mark',
  'NUL \0 in it',
  '\u{1F512} caf\u00E9',
  '\0',
  '\uFEFF',
  '"\\\u2028',
];

describe.each(MODES)('%s', (mode) => {
  useMode(mode);

  test('every kind of data there and back, exactly and in order', async () => {
    const { client, peer } = await connected(await echo());
    const buffer = bytesOf(1, 2, 3, 4, 5, 6, 7, 8);
    const sent = [
      ...TEXTS,
      buffer,
      new Uint8Array(buffer, 2, 3),
      new Uint8ClampedArray(buffer, 1, 2),
      new Int8Array(buffer, 7),
      new Uint16Array(buffer, 2, 1),
      new Int16Array(buffer, 0, 2),
      new Uint32Array(buffer, 4),
      new Int32Array(buffer, 0, 1),
      new Float32Array(buffer, 4),
      new Float64Array(buffer),
      new BigInt64Array(buffer),
      new BigUint64Array(buffer),
      new DataView(buffer, 3, 2),
      new ArrayBuffer(0),
      new Uint8Array(buffer, 5, 0),
      Buffer.from([9]),
    ];
    for (const data of sent) client.socket.send(data);
    const expected = sent.map((data) => {
      if (typeof data === 'string') return data;
      if (data instanceof ArrayBuffer) return data;
      return Uint8Array.from(Buffer.from(data.buffer, data.byteOffset, data.byteLength)).buffer;
    });
    for (const value of expected) expect(await client.seen.next()).toEqual(value);
    expect(peer.seen.messages).toEqual(expected);
  });

  test('lone surrogates become U+FFFD; what is no string and no bytes is sent as its string', async () => {
    const { client, peer } = await connected(await secureServer());
    const send = client.socket.send.bind(client.socket) as (data: unknown) => void;
    for (const value of ['a\uD800b', '\uDC00', null, undefined, 12.5, { toString: () => 'made' }, ['a', 'b'], true])
      send(value);
    for (const value of ['a\uFFFDb', '\uFFFD', 'null', 'undefined', '12.5', 'made', 'a,b', 'true']) {
      expect(await peer.seen.next()).toBe(value);
    }
  });

  test('bytes are taken when send() is called', async () => {
    const server = await secureServer();
    const client = connect(server.url);
    const peer = await server.nextPeer();
    const small = Uint8Array.of(1, 2, 3);
    const large = new Uint8Array(100_000).fill(7);
    const overwrite = (): void => {
      small.fill(0);
      large.fill(0);
    };
    const sendBoth = (): void => {
      small.set([1, 2, 3]);
      large.fill(7);
      client.socket.send(small);
      client.socket.send(large);
      overwrite();
    };
    sendBoth(); // while connecting
    await client.seen.opened;
    sendBoth(); // while open
    client.socket.send(new Blob(['slow']));
    sendBoth(); // behind a Blob
    const expected = [bytesOf(1, 2, 3), new Uint8Array(100_000).fill(7).buffer];
    const got = [];
    for (let i = 0; i < 7; i += 1) got.push(await peer.seen.next());
    expect(got).toEqual([...expected, ...expected, new TextEncoder().encode('slow').buffer, ...expected]);
  });

  test('order holds across text, Blobs and bytes, and close comes last', async () => {
    const { client, peer } = await connected(await secureServer());
    const big = new Blob([new Uint8Array(300_000).fill(1)]);
    client.socket.send('first');
    client.socket.send(big);
    client.socket.send(Uint8Array.of(3));
    client.socket.send(new Blob([]));
    client.socket.send(new Blob(['five']));
    client.socket.send('six');
    client.socket.close(4000, 'done');
    expect(client.socket.readyState).toBe(PQWebSocket.CLOSING);
    expect(await peer.seen.closed).toEqual({ code: 4000, reason: 'done', wasClean: true });
    const five = new TextEncoder().encode('five').buffer;
    expect(peer.seen.messages).toEqual([
      'first',
      new Uint8Array(300_000).fill(1).buffer,
      bytesOf(3),
      bytesOf(),
      five,
      'six',
    ]);
    expect(await client.seen.closed).toEqual({ code: 4000, reason: 'done', wasClean: true });
  });

  test('what waited for open goes out first, in order, before what open handlers send', async () => {
    const server = await secureServer();
    const client = connect(server.url);
    client.socket.send('queued 1');
    client.socket.send(new Blob(['queued 2']));
    client.socket.send(Uint8Array.of(3));
    client.socket.onopen = (): void => {
      expect(client.socket.readyState).toBe(PQWebSocket.OPEN);
      client.socket.send('from open');
    };
    const peer = await server.nextPeer();
    const got = [];
    for (let i = 0; i < 4; i += 1) got.push(await peer.seen.next());
    expect(got).toEqual(['queued 1', new TextEncoder().encode('queued 2').buffer, bytesOf(3), 'from open']);
    expect(client.seen.log).toEqual(['open']);
  });

  test('1 MiB and more, text and binary', async () => {
    const { client } = await connected(await echo());
    const text = '\u00E9'.repeat(2 ** 19);
    const binary = crypto.getRandomValues(new Uint8Array(65_536));
    const large = new Uint8Array(3 * 2 ** 20 + 1).map((_, index) => binary[index % 65_536] as number);
    client.socket.send(text);
    client.socket.send(large);
    expect(await client.seen.next()).toBe(text);
    const back = (await client.seen.next()) as ArrayBuffer;
    expect(back.byteLength).toBe(large.length);
    expect(Buffer.from(back).equals(large)).toBe(true);
  });

  test('many small messages of one turn share records and stay what they are', async () => {
    const server = await secureServer();
    const { client, peer } = await connected(server);
    const before = peer.socket.pq.counters.recordsOpened;
    const sent = Array.from({ length: 500 }, (_, index) => (index % 3 === 0 ? bytesOf(index % 256) : `text ${index}`));
    for (const data of sent) client.socket.send(data);
    for (const data of sent) expect(await peer.seen.next()).toEqual(data);
    expect(peer.socket.pq.counters.recordsOpened - before).toBeLessThan(5);
    assertSealed(server.tap, ['text 499', 'text 101']);
  });
});

test('binaryType decides when the message arrives, and may change in between', async () => {
  const { client, peer } = await connected(await secureServer());
  const got: unknown[] = [];
  client.socket.onmessage = ({ data }): void => {
    got.push(data);
    client.socket.binaryType = client.socket.binaryType === 'blob' ? 'arraybuffer' : 'blob';
  };
  client.socket.binaryType = 'blob';
  for (let i = 0; i < 4; i += 1) peer.socket.send(Uint8Array.of(i));
  for (let i = 0; i < 4; i += 1) await client.seen.next();
  expect(got.map((data) => (data as object).constructor)).toEqual([Blob, ArrayBuffer, Blob, ArrayBuffer]);
  const [first, second] = got as [Blob, ArrayBuffer];
  expect([first.size, first.type, await first.arrayBuffer()]).toEqual([1, '', bytesOf(0)]);
  expect(second).toEqual(bytesOf(1));
});

test("an ArrayBuffer holds exactly the message, is the listener's alone and not shared between messages", async () => {
  const { client, peer } = await connected(await secureServer());
  for (const size of [1, 2, 3]) peer.socket.send(new Uint8Array(size).fill(size));
  const buffers: ArrayBuffer[] = [];
  for (let i = 0; i < 3; i += 1) buffers.push((await client.seen.next()) as ArrayBuffer);
  expect(buffers.map((buffer) => buffer.byteLength)).toEqual([1, 2, 3]);
  new Uint8Array(buffers[0] as ArrayBuffer).fill(9);
  expect(buffers.slice(1)).toEqual([bytesOf(2, 2), bytesOf(3, 3, 3)]);
  structuredClone(buffers[1], { transfer: [buffers[1] as ArrayBuffer] });
  expect(buffers[2]).toEqual(bytesOf(3, 3, 3));
});

test("a message event has the origin of the socket's URL", async () => {
  const server = await secureServer();
  const { client, peer } = await connected(server);
  const arrived = once<[MessageEvent]>(client.socket, 'message');
  peer.socket.send('x');
  const [event] = await arrived;
  expect(event).toMatchObject({ type: 'message', data: 'x', origin: server.url, lastEventId: '', source: null });
  expect(event.origin).toBe(new URL(client.socket.url).origin);
  expect(event).toBeInstanceOf(MessageEvent);
  expect([event.bubbles, event.cancelable, event.target]).toEqual([false, false, client.socket]);
});

test('strict: send() while CONNECTING throws, and works in the open handler', async () => {
  const server = await secureServer();
  const client = connect(server.url, { strict: true });
  for (const data of ['x', Uint8Array.of(1), new Blob(['x'])]) {
    expect(() => {
      client.socket.send(data);
    }).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
  }
  expect(client.socket.bufferedAmount).toBe(0);
  client.socket.onopen = (): void => {
    client.socket.send('now');
  };
  const peer = await server.nextPeer();
  expect(await peer.seen.next()).toBe('now');
  client.socket.close();
  await client.seen.closed;
  client.socket.send('after close is no error');
});

test('the first message never comes before open handlers have run, nor before who awaited open listens', async () => {
  const server = await secureServer({
    onPeer: ({ socket }) => {
      socket.send('server first');
      socket.send('server second');
    },
  });
  for (let round = 0; round < 20; round += 1) {
    const socket = new PQWebSocket(server.url);
    await once(socket, 'open');
    await Promise.resolve();
    const got: unknown[] = [];
    await new Promise<void>((resolve) => {
      socket.onmessage = ({ data }): void => {
        got.push(data);
        if (got.length === 2) resolve();
      };
      socket.onclose = (): void => {
        resolve();
      };
      socket.send('keep going');
    });
    expect(got).toEqual(['server first', 'server second']);
    socket.close();
  }
});

describe.each([
  ['native', undefined],
  ['npm ws', { headers: { 'x-test': 'value' } }],
])('over the %s transport', (_name, options) => {
  test('everything works alike', async () => {
    const server = await echo();
    const { client, peer } = await connected(server, options);
    expect(peer.request.headers['x-test']).toBe(options?.headers['x-test']);
    client.socket.send('text');
    client.socket.send(Uint8Array.of(1, 2));
    expect([await client.seen.next(), await client.seen.next()]).toEqual(['text', bytesOf(1, 2)]);
    client.socket.close(4001, 'bye');
    expect(await client.seen.closed).toEqual({ code: 4001, reason: 'bye', wasClean: true });
    expect(await peer.seen.closed).toEqual({ code: 4001, reason: 'bye', wasClean: true });
    assertSealed(server.tap, []);
  });

  test('a message that comes with the end of the handshake waits for who awaited open', async () => {
    const server = await secureServer({
      onPeer: ({ socket }) => {
        socket.send('server first');
      },
    });
    for (let round = 0; round < 20; round += 1) {
      const socket = new PQWebSocket(server.url, undefined, options);
      await once(socket, 'open');
      await Promise.resolve();
      const message = Promise.race([once<[MessageEvent]>(socket, 'message'), once(socket, 'close')]);
      // Closing from the server after the message shows a lost one without a wait.
      const peer = await server.nextPeer();
      peer.socket.close();
      expect((await message)[0]).toMatchObject({ type: 'message', data: 'server first' });
    }
  });
});
