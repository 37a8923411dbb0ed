/** `pq`, the options that both ends share, and bufferedAmount. */
import { describe, expect, test } from 'vitest';
import { PQWebSocket, PQWebSocketError } from '../../src/index.ts';
import { wrapServerSocket } from '../../src/server.ts';
import { connect, connected, MODES, nextTask, observe, pqOf, secureServer, useMode } from '../support/endpoints.ts';
import type { Client } from '../support/endpoints.ts';
import { IdleSocket, memoryNetwork } from '../support/memory-transport.ts';
import type { MemorySocket } from '../support/memory-transport.ts';
import { rawServer } from '../support/raw-peer.ts';

/** A socket that no network drains: the transport reports all that it was given until `drained` is set. */
class Undrained {
  drained = 0;
  readonly network = memoryNetwork();

  async connected(options: object = {}): Promise<{ client: Client; transport: MemorySocket }> {
    const socket = new PQWebSocket('ws://memory/', [], { ...options, WebSocket: this.network.WebSocket });
    const client = { socket, seen: observe(socket) };
    const server = observe(wrapServerSocket(await this.network.nextServerEnd()));
    const transport = this.network.clientEnd as MemorySocket;
    Object.defineProperty(transport, 'bufferedAmount', {
      get: () => transport.sent.reduce((sum, data) => sum + data.length, 0) - this.drained,
    });
    await Promise.all([client.seen.opened, server.opened]);
    return { client, transport };
  }
}

describe.each(MODES)('%s', (mode) => {
  useMode(mode);

  test('pq before, during and after', async () => {
    const server = await secureServer();
    const client = connect(server.url);
    const { pq } = client.socket;
    expect(client.socket.pq).toBe(pq);
    const constants = {
      profile: 'v1',
      kem: 'ml-kem-768',
      cipher: 'AES-256-GCM',
      backend: mode === 'web' ? 'webcrypto' : mode,
    };
    expect(pq).toMatchObject({
      ...constants,
      failure: null,
      nativeKem: null,
      handshakeMilliseconds: null,
      transcriptHash: null,
      closeAnswered: null,
      counters: { recordsSealed: 0, recordsOpened: 0, bytesSealed: 0, bytesOpened: 0 },
    });
    await expect((async () => pq.exportKey('label', 32))()).rejects.toThrow('not open');

    const peer = await server.nextPeer();
    await Promise.all([client.seen.opened, peer.socket.pq.finished]);
    await pq.finished;
    for (const end of [client, peer]) {
      expect(pqOf(end)).toMatchObject({ ...constants, failure: null });
      expect(pqOf(end).handshakeMilliseconds).toBeGreaterThan(0);
      expect(pqOf(end).transcriptHash).toHaveLength(32);
      expect(typeof pqOf(end).nativeKem).toBe('boolean');
    }
    expect(pq.transcriptHash).toEqual(peer.socket.pq.transcriptHash);
    pq.transcriptHash?.fill(0);
    expect(pq.transcriptHash).toEqual(peer.socket.pq.transcriptHash);

    client.socket.close();
    await Promise.all([client.seen.closed, peer.seen.closed]);
    for (const end of [client, peer]) {
      expect(pqOf(end).closeAnswered).toBe(true);
      await expect((async () => pqOf(end).exportKey('label', 32))()).rejects.toThrow('not open');
    }
    expect(pq.transcriptHash).toEqual(peer.socket.pq.transcriptHash);
  });

  test('exportKey: equal at both ends, and nowhere else', async () => {
    const server = await secureServer();
    const one = await connected(server);
    const two = await connected(server);
    const seen = new Set<string>();
    for (const [label, length] of [
      ['a', 32],
      ['b', 32],
      ['', 32],
      ['a', 33],
      ['\u00E9', 1],
      ['a', 8160],
    ] as const) {
      for (const { client, peer } of [one, two]) {
        const ours = await client.socket.pq.exportKey(label, length);
        expect(ours).toHaveLength(length);
        expect(await peer.socket.pq.exportKey(label, length)).toEqual(ours);
        if (length >= 32) seen.add(Buffer.from(ours.subarray(0, 32)).toString('hex'));
      }
    }
    expect(seen.size).toBe(10);
    for (const length of [0, -1, 8161, 1.5, NaN]) {
      await expect((async () => one.client.socket.pq.exportKey('a', length))()).rejects.toThrow(RangeError);
    }
  });

  test('counters of the two ends agree', async () => {
    const server = await secureServer();
    const { client, peer } = await connected(server, { padding: 256 });
    client.socket.send('one');
    expect(await peer.seen.next()).toBe('one');
    client.socket.send('two');
    expect(await peer.seen.next()).toBe('two');
    peer.socket.send('back');
    await client.seen.next();
    const ours = client.socket.pq.counters;
    const theirs = peer.socket.pq.counters;
    expect(ours).toMatchObject({ recordsSealed: 3, recordsOpened: 2 });
    expect([theirs.recordsOpened, theirs.recordsSealed]).toEqual([3, 2]);
    expect([theirs.bytesOpened, theirs.bytesSealed]).toEqual([ours.bytesSealed, ours.bytesOpened]);
    const [connection] = server.tap.connections;
    const wire = connection?.frames.filter((frame) => frame.direction === 'client' && frame.opcode === 2) ?? [];
    expect(wire.reduce((sum, frame) => sum + frame.payload.length, 0)).toBe(ours.bytesSealed);
    expect(wire.slice(1).map((frame) => frame.payload.length)).toEqual([256 + 28, 256 + 28]);
  });

  test.each<[string | undefined, string | undefined]>([
    ['ours', 'theirs'],
    ['ours', undefined],
    [undefined, 'theirs'],
  ])('contexts that differ (%s, %s) never open at the client, and no message of it arrives', async (ours, theirs) => {
    const server = await secureServer({ channel: theirs === undefined ? {} : { context: theirs } });
    const client = connect(server.url, ours === undefined ? {} : { context: ours });
    client.socket.send('bound to the context');
    const peer = await server.nextPeer();
    expect(await client.seen.closed).toEqual({ code: 3768, reason: '', wasClean: false });
    expect(await peer.seen.closed).toEqual({ code: 3768, reason: '', wasClean: false });
    expect(client.seen.log).toEqual(['error', 'close']);
    expect(client.socket.pq.failure).toMatchObject({ code: 'PQ_ERR_RECORD', closeCode: 3768, origin: 'local' });
    expect(client.socket.pq.failure).toBeInstanceOf(PQWebSocketError);
    expect(peer.socket.pq.failure).toMatchObject({ code: 'PQ_ERR_PEER', origin: 'transport' });
    expect(peer.seen.messages).toEqual([]);
    await expect(peer.socket.pq.finished).rejects.toBe(peer.socket.pq.failure);
    expect(client.socket.bufferedAmount).toBe('bound to the context'.length);
  });

  test('equal contexts open, as string and as bytes', async () => {
    const server = await secureServer({ channel: { context: new TextEncoder().encode('h\u00F4te') } });
    const { client, peer } = await connected(server, { context: 'h\u00F4te' });
    client.socket.send('x');
    expect(await peer.seen.next()).toBe('x');
  });

  test("bufferedAmount grows in send() by the application's bytes, while connecting and when open, and falls to 0", async () => {
    const server = await secureServer();
    const client = connect(server.url);
    const grow = async (): Promise<void> => {
      const base = client.socket.bufferedAmount;
      client.socket.send('\u00E9\u{1F512}');
      expect(client.socket.bufferedAmount).toBe(base + 6);
      client.socket.send(new Uint16Array(5));
      expect(client.socket.bufferedAmount).toBe(base + 16);
      client.socket.send('');
      expect(client.socket.bufferedAmount).toBe(base + 16);
      client.socket.send(new Blob(['abc']));
      expect(client.socket.bufferedAmount).toBe(base + 19);
      client.socket.send('behind');
      expect(client.socket.bufferedAmount).toBe(base + 25);
      await Promise.resolve();
    };
    await grow();
    await client.seen.opened;
    while (client.socket.bufferedAmount > 0) await nextTask();
    await grow();
    while (client.socket.bufferedAmount > 0) await nextTask();
    const peer = await server.nextPeer();
    for (let i = 0; i < 10; i += 1) await peer.seen.next();
  });

  test('bufferedAmount counts what is being sealed and what the transport holds, and never the overhead', async () => {
    const undrained = new Undrained();
    const { client, transport } = await undrained.connected({ padding: 1024 });
    const frames = transport.sent.length;
    expect(client.socket.bufferedAmount).toBe(0);
    client.socket.send('x'.repeat(100));
    client.socket.send('y'.repeat(50));
    // Each turn of the queues between send() and the transport must show all of it.
    while (transport.sent.length === frames) {
      expect(client.socket.bufferedAmount).toBe(150);
      await Promise.resolve();
      if (transport.sent.length === frames) await nextTask();
    }
    expect(client.socket.bufferedAmount).toBe(150);
    undrained.drained = transport.bufferedAmount;
    expect(client.socket.bufferedAmount).toBe(0);
    client.socket.send('z');
    while (transport.sent.length === frames + 1) await nextTask();
    expect(client.socket.bufferedAmount).toBe(1);
  });

  test('send() after close() adds to bufferedAmount, and nothing takes it off', async () => {
    const { client } = await connected(await secureServer());
    client.socket.close();
    const amounts = (): void => {
      const before = client.socket.bufferedAmount;
      client.socket.send('four');
      client.socket.send(new Uint8Array(3));
      client.socket.send(new Blob(['12']));
      expect(client.socket.bufferedAmount).toBe(before + 9);
    };
    amounts();
    await client.seen.closed;
    expect(client.socket.bufferedAmount).toBe(9);
    amounts();
    await nextTask();
    expect(client.socket.bufferedAmount).toBe(18);
  });
});

describe('maxQueuedBytes', () => {
  test('what waits for open beyond it fails the connection; nothing of it was sent', async () => {
    const server = await rawServer();
    const client = connect(server.url, { maxQueuedBytes: 10 });
    client.socket.send('0123456789');
    expect(client.socket.readyState).toBe(0);
    client.socket.send('x');
    expect(await client.seen.closed).toEqual({ code: 3768, reason: '', wasClean: false });
    expect(client.socket.pq.failure).toMatchObject({ code: 'PQ_ERR_QUEUE_LIMIT', origin: 'local' });
    expect(client.seen.log).toEqual(['error', 'close']);
    expect(client.socket.bufferedAmount).toBe(11);
    await server.close();
  });

  test('a Blob counts from the moment that it is given', async () => {
    const server = await rawServer();
    const client = connect(server.url, { maxQueuedBytes: 10 });
    client.socket.send(new Blob(['0123456789x']));
    expect(await client.seen.closed).toMatchObject({ code: 3768, wasClean: false });
    expect(client.socket.pq.failure).toMatchObject({ code: 'PQ_ERR_QUEUE_LIMIT' });
    await server.close();
  });

  describe.each(MODES)('0 (%s)', (mode) => {
    useMode(mode);
    test('still lets a connection open and work', async () => {
      const server = await secureServer({ channel: { maxQueuedBytes: 0 } });
      const { client, peer } = await connected(server, { maxQueuedBytes: 0 });
      client.socket.send('when open there is no such limit');
      expect(await peer.seen.next()).toBe('when open there is no such limit');
    });
  });
});

test('a connection that never opened keeps what was queued in bufferedAmount', async () => {
  const socket = new PQWebSocket('ws://host/', [], { WebSocket: IdleSocket });
  socket.send('12345');
  socket.send(new Blob(['678']));
  socket.close();
  await nextTask();
  expect(socket.bufferedAmount).toBe(8);
});
