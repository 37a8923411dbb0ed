/** KEMs, exchange, client identity and heartbeat through the classes that applications hold, over real sockets. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { ServerSocket } from '../../src/api/socket-types.ts';
import type { KemName, PQWebSocketOptions } from '../../src/api/types.ts';
import { nodeSignatures } from '../../src/crypto/node/signature.ts';
import { PQWebSocket } from '../../src/index.ts';
import type { WebSocketServerOptions } from '../../src/ws.ts';
import { WebSocketServer } from '../../src/ws.ts';

const servers: WebSocketServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const publicKey = (byte: number): Uint8Array => nodeSignatures().signingKey(seed(byte)).publicKey;

async function connected(
  serverOptions: WebSocketServerOptions,
  options: PQWebSocketOptions,
): Promise<{ client: PQWebSocket; server: ServerSocket }> {
  const server = new WebSocketServer({ port: 0, ...serverOptions });
  servers.push(server);
  await once(server, 'listening');
  const accepted = once(server, 'connection').then(([socket]) => socket as ServerSocket);
  const client = new PQWebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, [], options);
  await new Promise<void>((resolve, reject) => {
    client.onopen = (): void => {
      resolve();
    };
    client.onclose = (): void => {
      reject(client.pq.failure ?? new Error('closed'));
    };
  });
  return { client, server: await accepted };
}

function nextMessage(client: PQWebSocket): Promise<unknown> {
  return new Promise((resolve) => {
    client.onmessage = ({ data }: { data: unknown }): void => {
      resolve(data);
    };
  });
}

describe.each<[KemName | readonly KemName[] | undefined, KemName]>([
  [undefined, 'ml-kem-768'],
  ['ml-kem-1024', 'ml-kem-1024'],
  ['mlkem768-x25519', 'mlkem768-x25519'],
  [['ml-kem-768', 'ml-kem-1024'], 'ml-kem-1024'],
])('a client that offers %s', (kem, taken) => {
  test.each([false, true])(`speaks ${taken}, exchanges and pings, with fast open %s`, async (fastOpen) => {
    const { client, server } = await connected(
      { identity: seed(1), heartbeat: true },
      { ...(kem && { kem }), fastOpen, serverKeys: publicKey(1), heartbeat: true },
    );
    await server.pq.finished;
    expect([client.pq.kem, server.pq.kem]).toEqual([taken, taken]);
    expect(client.pq.peerKey).toEqual(publicKey(1));
    const hash = client.pq.transcriptHash;
    await Promise.all([client.pq.exchange(), client.pq.exchange()]);
    await server.pq.exchange();
    expect(client.pq.generation).toBeGreaterThanOrEqual(2);
    expect(client.pq.generation).toBe(server.pq.generation);
    expect(client.pq.transcriptHash).toEqual(hash);
    const received = nextMessage(client);
    server.send('in a later generation');
    expect(await received).toBe('in a later generation');
    expect(await client.pq.ping(new Uint8Array([1, 2]))).toEqual(new Uint8Array([1, 2]));
    expect(await server.pq.ping()).toEqual(new Uint8Array(0));
  });
});

describe('a server that demands to know its clients', () => {
  test.each([
    ['keys', publicKey(2)],
    ['a function', (key: Uint8Array): Promise<boolean> => Promise.resolve(key[0] === publicKey(2)[0])],
  ])('by %s: lets one in, who shows himself again in each exchange', async (_name, clientKeys) => {
    const { client, server } = await connected({ clientKeys, identity: seed(1) }, { identity: seed(2) });
    expect(server.pq.peerKey).toEqual(publicKey(2));
    await client.pq.exchange();
    await server.pq.exchange();
    expect(server.pq.peerKey).toEqual(publicKey(2));
    const received = nextMessage(client);
    server.send('known');
    expect(await received).toBe('known');
  });

  test.each<[string, PQWebSocketOptions]>([
    ['has none', {}],
    ['has another', { identity: seed(3) }],
  ])('refuses one who %s, and never surfaces it', async (_name, options) => {
    await refuses({ clientKeys: publicKey(2) }, options);
  });
});

async function refuses(serverOptions: WebSocketServerOptions, options: PQWebSocketOptions): Promise<void> {
  let surfaced = 0;
  const server = new WebSocketServer({ port: 0, ...serverOptions });
  servers.push(server);
  server.on('connection', () => (surfaced += 1));
  await once(server, 'listening');
  const client = new PQWebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, [], options);
  const code = await new Promise((resolve) => {
    client.onclose = ({ code }: { code: number }): void => {
      resolve(code);
    };
  });
  expect(code).toBe(3770);
  expect(surfaced).toBe(0);
}

describe('a server that lets its clients say who they are', () => {
  const options = { clientKeys: publicKey(2), clientIdentity: 'accept' } as const;

  test.each<[string, PQWebSocketOptions, Uint8Array | null]>([
    ['has none', {}, null],
    ['has none, and opens fast', { fastOpen: true }, null],
    ['is known', { identity: seed(2) }, publicKey(2)],
    ['is known, and opens fast', { identity: seed(2), fastOpen: true }, publicKey(2)],
  ])('has one in who %s', async (_name, clientOptions, peerKey) => {
    const { client, server } = await connected(options, clientOptions);
    expect(server.pq.peerKey).toEqual(peerKey);
    await client.pq.exchange();
    await server.pq.exchange();
    expect(server.pq.peerKey).toEqual(peerKey);
    const received = nextMessage(client);
    server.send('come in');
    expect(await received).toBe('come in');
  });

  test('refuses one who offers another key', async () => {
    await refuses(options, { identity: seed(3) });
  });

  test.each([
    [{ clientIdentity: 'accept' }, "option 'clientIdentity' needs 'clientKeys'"],
    [{ clientKeys: publicKey(2), clientIdentity: 'maybe' }, "option 'clientIdentity' must be 'demand' or 'accept'"],
  ])('%#: %s', (wrong, message) => {
    expect(() => new WebSocketServer({ noServer: true, ...(wrong as object) })).toThrow(message);
  });
});

test('what is off at one end is off', async () => {
  const { client, server } = await connected({ exchange: false }, { heartbeat: true });
  await server.pq.finished;
  await expect(client.pq.exchange()).rejects.toThrow('exchange is off');
  await expect(client.pq.ping()).rejects.toThrow('heartbeat is off');
  await expect(server.pq.exchange()).rejects.toThrow('exchange is off');
  expect(client.pq.generation).toBe(0);
});
