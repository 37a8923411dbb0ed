/** Peers that do not speak the protocol, or speak it wrongly: they get a hello at most, and a code. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect, connected, pqOf, secureServer } from '../support/endpoints.ts';
import type { Client } from '../support/endpoints.ts';
import { rawClient, rawServer } from '../support/raw-peer.ts';
import type { RawPeer } from '../support/raw-peer.ts';

const QUEUED = 'queued, and not for strangers';

/** A client with something queued, against a server of the test's own. Gives what the server got but the hello. */
async function against(
  onHello: (peer: RawPeer, hello: string) => void,
  options: object = {},
): Promise<{ client: Client; peer: RawPeer; closed: Promise<unknown> }> {
  const server = await rawServer();
  onTestFinished(() => server.close());
  const client = connect(server.url, options);
  client.socket.send(QUEUED);
  client.socket.send(new Blob([QUEUED]));
  client.socket.onopen = (): void => {
    client.socket.send(QUEUED);
  };
  const peer = await server.nextPeer();
  const hello = await peer.nextText();
  expect(JSON.parse(hello)).toMatchObject({
    pq_websocket: 1,
    ml_kem_768_encapsulation_key: expect.stringMatching(/^[A-Za-z0-9+/]{1578}[A-Za-z0-9+/=]{2}$/) as string,
  });
  onHello(peer, hello);
  return { client, peer, closed: peer.closed };
}

async function expectNothingElse(client: Client, peer: RawPeer, code: number): Promise<void> {
  expect(await client.seen.closed).toEqual({ code, reason: '', wasClean: false });
  expect(client.seen.log).toEqual(['error', 'close']);
  expect(client.socket.bufferedAmount).toBe(2 * QUEUED.length);
  await peer.closed;
  await expect(peer.next()).rejects.toThrow('closed');
}

describe('a server that speaks no pq gets the ClientHello and nothing else', () => {
  const ciphertext = Buffer.alloc(1088, 7).toString('base64');
  const hello = (members: object): string =>
    JSON.stringify({ pq_websocket: 1, ml_kem_768_ciphertext: ciphertext, ...members });
  test.each<[string, (own: string) => string | Uint8Array, string]>([
    ['an echo', (own) => own, 'PQ_ERR_NOT_PQ_WEBSOCKET'],
    ['a text', () => 'welcome to the chat', 'PQ_ERR_NOT_PQ_WEBSOCKET'],
    ['an empty text', () => '', 'PQ_ERR_NOT_PQ_WEBSOCKET'],
    ['JSON of its own', () => '{"type":"connection_ack"}', 'PQ_ERR_NOT_PQ_WEBSOCKET'],
    ['an array', () => '[]', 'PQ_ERR_NOT_PQ_WEBSOCKET'],
    ['a long text', () => 'welcome '.repeat(4000), 'PQ_ERR_NOT_PQ_WEBSOCKET'],
    ['bytes', () => new Uint8Array(100), 'PQ_ERR_NOT_PQ_WEBSOCKET'],
    ['a hello as bytes', () => Buffer.from(hello({})), 'PQ_ERR_MESSAGE_TYPE'],
    ['another version', () => hello({ pq_websocket: 2 }), 'PQ_ERR_VERSION'],
    ['a version as text', () => hello({ pq_websocket: '1' }), 'PQ_ERR_VERSION'],
    [
      'the yellowpages profile',
      () => JSON.stringify({ ml_kem_768_ciphertext: ciphertext, auth_attestation_doc: '' }),
      'PQ_ERR_HELLO',
    ],
    [
      'a short ciphertext',
      () => hello({ ml_kem_768_ciphertext: Buffer.alloc(1087).toString('base64') }),
      'PQ_ERR_HELLO',
    ],
    [
      'a long ciphertext',
      () => hello({ ml_kem_768_ciphertext: Buffer.alloc(1089).toString('base64') }),
      'PQ_ERR_HELLO',
    ],
    [
      'base64 that is not canonical',
      () => hello({ ml_kem_768_ciphertext: `${ciphertext.slice(0, -2)}d=` }),
      'PQ_ERR_HELLO',
    ],
    ['16,385 bytes', () => hello({ pad: 'x'.repeat(16_385 - hello({ pad: '' }).length) }), 'PQ_ERR_HELLO'],
  ])('%s', async (_name, answer, failure) => {
    for (const options of [{}, { headers: { over: 'ws' } }]) {
      const { client, peer } = await against((to, own) => {
        to.send(answer(own));
      }, options);
      await expectNothingElse(client, peer, 3768);
      expect(client.socket.pq.failure).toMatchObject({ code: failure, origin: 'local', closeCode: 3768 });
      expect((await peer.closed).code).toBe(3768);
    }
  });

  // Node's own WebSocket takes the mark away, so that only npm ws can show it.
  test('a byte-order mark', async () => {
    const { client, peer } = await against(
      (to) => {
        to.send(`\uFEFF${hello({})}`);
      },
      { headers: { over: 'ws' } },
    );
    await expectNothingElse(client, peer, 3768);
    expect(client.socket.pq.failure?.code).toBe('PQ_ERR_HELLO');
  });

  test('a good hello of somebody without the key, whatever comes next', async () => {
    for (const next of [new Uint8Array(31), new Uint8Array(10), '{}', hello({})]) {
      const { client, peer } = await against((to) => {
        to.send(hello({}));
        to.send(next);
      });
      await expectNothingElse(client, peer, 3768);
    }
  });

  test('a hello of 16,384 bytes with unknown members is read', async () => {
    const pad = 'x'.repeat(16_384 - hello({ pad: '' }).length);
    const { client, peer } = await against((to) => {
      to.send(hello({ pad }));
      to.send(new Uint8Array(31));
    });
    await expectNothingElse(client, peer, 3768);
    expect(client.socket.pq.failure?.code).toBe('PQ_ERR_RECORD');
  });

  test('a silent server: 3769 after handshakeTimeout', async () => {
    const { client, peer } = await against(() => undefined, { handshakeTimeout: 50 });
    await expectNothingElse(client, peer, 3769);
    expect(client.socket.pq.failure).toMatchObject({ code: 'PQ_ERR_HANDSHAKE_TIMEOUT', origin: 'local' });
    expect(await peer.closed).toEqual({ code: 3769, reason: 'handshake timed out' });
  });

  test('a server that says half a handshake: 3769', async () => {
    const { client, peer } = await against(
      (to) => {
        to.send(hello({}));
      },
      { handshakeTimeout: 50 },
    );
    await expectNothingElse(client, peer, 3769);
  });

  test.each([1000, 1001, 1011, 4000])('a server that closes with %i', async (code) => {
    const { client, peer } = await against((to) => {
      to.close(code, 'no such thing');
    });
    await expectNothingElse(client, peer, code === 1001 ? 1001 : 1006);
  });

  test('a server that does not even end its transport is cut off', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.once('data', (request) => {
        const key = /sec-websocket-key: (.*)\r/i.exec(request.toString())?.[1] ?? '';
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
        socket.write(
          `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    for (const options of [{}, { headers: { over: 'ws' } }]) {
      const client = connect(`ws://127.0.0.1:${port}/`, { handshakeTimeout: 50, ...options });
      expect(await client.seen.closed).toEqual({ code: 3769, reason: '', wasClean: false });
      expect(client.seen.log).toEqual(['error', 'close']);
    }
  });
});

/** An encapsulation key that a real client made, to be changed. */
async function goodHello(): Promise<{ pq_websocket: number; ml_kem_768_encapsulation_key: string }> {
  const server = await rawServer();
  const client = connect(server.url);
  const hello = await (await server.nextPeer()).nextText();
  client.socket.close();
  await server.close();
  return JSON.parse(hello) as { pq_websocket: number; ml_kem_768_encapsulation_key: string };
}

describe('a server and clients that say it wrongly', () => {
  const keyOf = (hello: { ml_kem_768_encapsulation_key: string }): string => hello.ml_kem_768_encapsulation_key;
  type Hello = Awaited<ReturnType<typeof goodHello>>;
  const withKey =
    (key: unknown) =>
    (hello: Hello): string =>
      JSON.stringify({ ...hello, ml_kem_768_encapsulation_key: key });
  const withVersion =
    (version: unknown) =>
    (hello: Hello): string =>
      JSON.stringify({ ...hello, pq_websocket: version });
  const changed =
    (change: (key: string) => string) =>
    (hello: Hello): string =>
      withKey(change(keyOf(hello)))(hello);
  /** The coefficient at `index` becomes q + `above`: 12 bits, little-endian (FIPS 203 4.2.1). */
  const notReduced = (index: number, value: number) =>
    changed((key) => {
      const bytes = Buffer.from(key, 'base64');
      const at = (index >> 1) * 3;
      const [a, b, c] = [bytes[at] as number, bytes[at + 1] as number, bytes[at + 2] as number];
      const [low, high] = index % 2 === 0 ? [value, (b >> 4) | (c << 4)] : [a | ((b & 15) << 8), value];
      bytes.set([low & 255, (low >> 8) | ((high & 15) << 4), high >> 4], at);
      return bytes.toString('base64');
    });

  const ROWS: readonly [string, (hello: Hello) => string | Uint8Array, string][] = [
    ['no JSON', () => 'GET / HTTP/1.1', 'PQ_ERR_NOT_PQ_WEBSOCKET'],
    ['an empty text', () => '', 'PQ_ERR_NOT_PQ_WEBSOCKET'],
    ['null', () => 'null', 'PQ_ERR_NOT_PQ_WEBSOCKET'],
    ['an array', (hello) => JSON.stringify([hello]), 'PQ_ERR_HELLO'],
    ['a string', (hello) => JSON.stringify(JSON.stringify(hello)), 'PQ_ERR_HELLO'],
    ['two objects', (hello) => JSON.stringify(hello) + JSON.stringify(hello), 'PQ_ERR_HELLO'],
    ['binary', (hello) => Buffer.from(JSON.stringify(hello)), 'PQ_ERR_MESSAGE_TYPE'],
    ['empty binary', () => new Uint8Array(), 'PQ_ERR_NOT_PQ_WEBSOCKET'],
    ['a long text', () => 'welcome '.repeat(4000), 'PQ_ERR_NOT_PQ_WEBSOCKET'],
    ['a byte-order mark', (hello) => `\uFEFF${JSON.stringify(hello)}`, 'PQ_ERR_HELLO'],
    ['no version', withVersion(undefined), 'PQ_ERR_HELLO'],
    ...[2, 0, '1', true, null, [1], {}, 1.5].map(
      (version) =>
        [`version ${JSON.stringify(version)}`, withVersion(version), 'PQ_ERR_VERSION'] as [
          string,
          (hello: Hello) => string,
          string,
        ],
    ),
    [
      'a version repeated, wrong at last',
      (hello) => JSON.stringify(hello).replace(/\}$/, ',"pq_websocket":2}'),
      'PQ_ERR_VERSION',
    ],
    [
      'a key repeated, wrong at last',
      (hello) => JSON.stringify(hello).replace(/\}$/, ',"ml_kem_768_encapsulation_key":""}'),
      'PQ_ERR_HELLO',
    ],
    ['no key', withKey(undefined), 'PQ_ERR_HELLO'],
    ['a key that is a number', withKey(1184), 'PQ_ERR_HELLO'],
    ['a key that is null', withKey(null), 'PQ_ERR_HELLO'],
    ['a key in an array', (hello) => withKey([keyOf(hello)])(hello), 'PQ_ERR_HELLO'],
    [
      'a member of another case',
      (hello) => JSON.stringify({ pq_websocket: 1, ML_KEM_768_encapsulation_key: keyOf(hello) }),
      'PQ_ERR_HELLO',
    ],
    [
      'a key one byte short',
      changed((key) => Buffer.from(key, 'base64').subarray(1).toString('base64')),
      'PQ_ERR_HELLO',
    ],
    [
      'a key one byte long',
      changed((key) => Buffer.concat([Buffer.from(key, 'base64'), Buffer.of(0)]).toString('base64')),
      'PQ_ERR_HELLO',
    ],
    ['an empty key', withKey(''), 'PQ_ERR_HELLO'],
    ['base64 without padding', changed((key) => key.replace(/=+$/, '')), 'PQ_ERR_HELLO'],
    [
      'base64 with stray bits',
      changed((key) => key.replace(/.=$/, (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}=`)),
      'PQ_ERR_HELLO',
    ],
    ['base64 with a line break', changed((key) => `${key.slice(0, 76)}\n${key.slice(76)}`), 'PQ_ERR_HELLO'],
    ['base64url', changed((key) => key.replaceAll('+', '-').replaceAll('/', '_')), 'PQ_ERR_HELLO'],
    ['a coefficient of q', notReduced(0, 3329), 'PQ_ERR_KEM'],
    ['the last coefficient at its most', notReduced(767, 4095), 'PQ_ERR_KEM'],
    [
      '16,385 bytes',
      (hello) => JSON.stringify({ ...hello, pad: 'x'.repeat(16_385 - JSON.stringify({ ...hello, pad: '' }).length) }),
      'PQ_ERR_HELLO',
    ],
    [
      '16,385 bytes in fewer characters',
      (hello) => JSON.stringify({ ...hello, pad: '\u00E9'.repeat(8000) }),
      'PQ_ERR_HELLO',
    ],
  ];

  test.each(ROWS)('%s', async (_name, build, failure) => {
    const server = await secureServer({
      onPeer: ({ socket }) => {
        socket.send(QUEUED);
      },
    });
    const raw = rawClient(server.url);
    await raw.opened;
    raw.send(build(await goodHello()));
    const peer = await server.nextPeer();
    expect(await peer.seen.closed).toEqual({ code: 3768, reason: '', wasClean: false });
    expect(peer.socket.pq.failure).toMatchObject({ code: failure, origin: 'local', closeCode: 3768 });
    expect(peer.seen.log).toEqual(['error', 'close']);
    expect(await raw.closed).toEqual({ code: 3768, reason: peer.socket.pq.failure?.message });
    await expect(raw.next()).rejects.toThrow('closed');
  });

  test('rows of base64 change what they are named for', async () => {
    const key = keyOf(await goodHello());
    expect(key).toMatch(/[^=]=$/);
    expect(key).toMatch(/[+/]/);
  });

  test('a good hello with members nobody knows is answered', async () => {
    const server = await secureServer();
    const raw = rawClient(server.url);
    await raw.opened;
    raw.send(JSON.stringify({ __proto__x: 1, ...(await goodHello()), x25519: 'y', nested: { a: [1] } }));
    const answered = Object.keys(JSON.parse(await raw.nextText()) as object).filter(
      (name) => !name.startsWith('grease_'),
    );
    // Our own client, whose hello it is, offers exchanges.
    expect(answered.sort()).toEqual(['exchange', 'ml_kem_768_ciphertext', 'pq_websocket']);
    expect((await raw.nextBinary()).length).toBe(12 + 2 + 1 + 16);
  });

  test.each<[string, (hello: Hello) => string | Uint8Array]>([
    ['the hello again', (hello) => JSON.stringify(hello)],
    ['text', () => '{}'],
    ['bytes that are no Finished', () => new Uint8Array(31)],
    ['a short frame', () => new Uint8Array(28)],
    ['nothing', () => new Uint8Array()],
  ])('after the hello, in place of Finished: %s', async (_name, build) => {
    const server = await secureServer();
    const raw = rawClient(server.url);
    await raw.opened;
    const hello = await goodHello();
    raw.send(JSON.stringify(hello));
    raw.send(build(hello));
    const peer = await server.nextPeer();
    expect(await peer.seen.closed).toEqual({ code: 3768, reason: '', wasClean: false });
    expect(peer.seen.messages).toEqual([]);
    await expect(peer.socket.pq.finished).rejects.toMatchObject({ closeCode: 3768 });
  });

  test.each([
    ['nothing', false],
    ['a hello, but no Finished', true],
  ])('handshake timeout on the server: %s', async (_name, saysHello) => {
    const server = await secureServer({ channel: { handshakeTimeout: 50 } });
    const raw = rawClient(server.url);
    await raw.opened;
    if (saysHello) raw.send(JSON.stringify(await goodHello()));
    const peer = await server.nextPeer();
    expect(await peer.seen.closed).toEqual({ code: 3769, reason: '', wasClean: false });
    expect(peer.socket.pq.failure).toMatchObject({ code: 'PQ_ERR_HANDSHAKE_TIMEOUT', origin: 'local' });
    expect(await raw.closed).toEqual({ code: 3769, reason: 'handshake timed out' });
  });
});

describe('maxPayload', () => {
  const big = (size: number): string => 'x'.repeat(size);

  test.each(['client', 'server'] as const)(
    'of the %s: one byte more fails the connection, and nothing of its record arrives',
    async (side) => {
      const limit = { maxPayload: 1000 };
      const server = await secureServer({ channel: side === 'server' ? limit : {} });
      const ends = await connected(server, side === 'client' ? limit : {});
      const [receiver, sender] = side === 'server' ? [ends.peer, ends.client] : [ends.client, ends.peer];
      sender.socket.send(big(1000));
      sender.socket.send(new Uint8Array(1000));
      expect(await receiver.seen.next()).toBe(big(1000));
      expect(((await receiver.seen.next()) as ArrayBuffer).byteLength).toBe(1000);
      sender.socket.send('in one batch with');
      sender.socket.send(big(1001));
      expect(await receiver.seen.closed).toEqual({ code: 3773, reason: '', wasClean: false });
      expect(await sender.seen.closed).toEqual({ code: 3773, reason: '', wasClean: false });
      expect(pqOf(receiver).failure).toMatchObject({ code: 'PQ_ERR_MESSAGE_SIZE', origin: 'local' });
      expect(receiver.seen.messages).toHaveLength(2);
    },
  );

  test('counts bytes, not characters', async () => {
    const { client, peer } = await connected(await secureServer({ channel: { maxPayload: 1000 } }));
    client.socket.send('\u00E9'.repeat(501));
    expect(await peer.seen.closed).toMatchObject({ code: 3773, wasClean: false });
  });

  test.each([{}, { headers: { over: 'ws' } }])(
    'a frame far above it is 3773 too, over each transport (%j)',
    async (options: object) => {
      const { client, peer } = await connected(await secureServer(), { maxPayload: 1000, ...options });
      peer.socket.send(new Uint8Array(500_000));
      expect(await client.seen.closed).toEqual({ code: 3773, reason: '', wasClean: false });
      expect(client.socket.pq.failure?.code).toBe('PQ_ERR_FRAME_SIZE');
    },
  );
});
