/** `pq-websocket/inspect`, `diagnostics_channel`, `NODE_DEBUG` and `util.inspect`: what they show of real connections, and what they never do. */
import { spawnSync } from 'node:child_process';
import diagnostics from 'node:diagnostics_channel';
import path from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { events, subscribe } from '../../src/inspect.ts';
import type { InspectClose, InspectControl, InspectEvent, InspectMessage } from '../../src/inspect.ts';
import { traceSockets } from '../../examples/opentelemetry/telemetry.ts';
import { Watcher } from '../../src/connection/watch.ts';
import { connect, connected, MODES, secureServer, useMode } from '../support/endpoints.ts';
import { uncaughtErrors } from '../support/ws-endpoints.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SOURCES = Symbol.for('pq-websocket inspect');

/** What is told while the test runs. */
function told(): InspectEvent[] {
  const seen: InspectEvent[] = [];
  onTestFinished(subscribe((event) => seen.push(event)));
  return seen;
}

function ofSocket(seen: readonly InspectEvent[], role: 'client' | 'server'): InspectEvent[] {
  const { socket } = seen.find((event) => event.type === 'start' && event.role === role) as InspectEvent;
  return seen.filter((event) => event.socket === socket);
}

const messages = (seen: readonly InspectEvent[]): InspectMessage[] => seen.filter((event) => event.type === 'message');

describe.each(MODES)('in mode %s', (mode) => {
  useMode(mode);

  test('every message both ways, beside the record that carried it, exchanges, key updates and the close', async () => {
    const seen = told();
    const server = await secureServer({ channel: { heartbeat: { interval: 60_000, timeout: 60_000 } } });
    const { client, peer } = await connected(server, {
      rekey: { records: 3 },
      heartbeat: { interval: 60_000, timeout: 60_000 },
    });
    client.socket.send('hello, world');
    client.socket.send(Uint8Array.of(0, 255, 128));
    client.socket.send('third');
    expect(await peer.seen.next()).toBe('hello, world');
    await peer.seen.next();
    await peer.seen.next();
    peer.socket.send(new Uint8Array(100_000).fill(7));
    await client.seen.next();
    await client.socket.pq.exchange();
    await client.socket.pq.ping(Uint8Array.of(1, 2));
    for (const text of ['a', 'b', 'c', 'd']) {
      client.socket.send(text);
      await peer.seen.next();
    }
    client.socket.close(4001, 'done');
    await Promise.all([client.seen.closed, peer.seen.closed]);

    const [ofClient, ofServer] = [ofSocket(seen, 'client'), ofSocket(seen, 'server')];
    // What one end sent in the seal is what the other received: content, record, batch and sealed bytes.
    const bare = ({ record, kind, data, size, batch }: InspectMessage): object => ({ record, kind, data, size, batch });
    for (const [from, to] of [
      [ofClient, ofServer],
      [ofServer, ofClient],
    ] as const) {
      const sent = messages(from).filter(({ direction }) => direction === 'sent');
      expect(sent.length).toBeGreaterThan(0);
      expect(
        messages(to)
          .filter(({ direction }) => direction === 'received')
          .map(bare),
      ).toEqual(sent.map(bare));
    }
    expect(
      messages(ofClient)
        .filter(({ direction }) => direction === 'sent')
        .map(({ kind, data, size, batch }) => [kind, data, size, batch]),
    ).toEqual([
      ['text', 'hello, world', 12, { index: 0, count: 3 }],
      ['binary', Uint8Array.of(0, 255, 128), 3, { index: 1, count: 3 }],
      ['text', 'third', 5, { index: 2, count: 3 }],
      ...['a', 'b', 'c', 'd'].map((text) => ['text', text, 1, undefined]),
    ]);

    const controls = ofClient.filter((event): event is InspectControl => event.type === 'control');
    const kinds = controls.map(({ kind, direction }) => `${direction} ${kind}`);
    for (const expected of [
      'received finished',
      'sent finished',
      'sent exchange offer',
      'received exchange answer',
      'sent exchange end',
      'sent ping',
      'received pong',
      'sent key update',
    ]) {
      expect(kinds).toContain(expected);
    }
    // Record numbers have no gap and no repetition in either direction, whatever they carried.
    for (const direction of ['sent', 'received'] as const) {
      const numbers = ofClient.flatMap((event) =>
        'record' in event && event.record && event.direction === direction ? [event.record.number] : [],
      );
      expect([...new Set(numbers)]).toEqual(Array.from({ length: new Set(numbers).size }, (_, number) => number));
    }
    const last = messages(ofClient).at(-1) as InspectMessage;
    expect(last.record.generation).toBe(1);
    expect(last.record.epoch).toBeGreaterThan(0);

    const closes = ofClient.filter((event): event is InspectClose => event.type === 'close');
    expect(closes.map(({ direction, code, reason, isAnswer }) => [direction, code, reason, isAnswer])).toEqual([
      ['sent', 4001, 'done', false],
      ['received', 4001, 'done', true],
    ]);
    expect(ofClient.at(-1)).toMatchObject({ type: 'end', code: 4001, reason: 'done', wasClean: true });
    expect(ofClient.slice(0, 3).map(({ type }) => type)).toEqual(['start', 'hello', 'hello']);
    expect(ofClient.find(({ type }) => type === 'open')).toMatchObject({
      channel: {
        profile: 'v1',
        kem: 'ml-kem-768',
        features: ['exchange', 'heartbeat'],
        transcriptHash: Buffer.from(client.socket.pq.transcriptHash as Uint8Array).toString('hex'),
        handshakeMilliseconds: client.socket.pq.handshakeMilliseconds,
      },
    });

    // The frames are those of the wire.
    const wire = server.tap.connections[0]?.frames.map(({ payload }) => Buffer.from(payload).toString('hex'));
    for (const { record } of messages(ofClient)) {
      expect(record.bytes).toBeGreaterThan(28);
      if (record.bytes <= 4_096) expect(wire).toContain(Buffer.from(record.frame as Uint8Array).toString('hex'));
      else
        expect(wire?.some((frame) => frame.startsWith(Buffer.from(record.frame as Uint8Array).toString('hex')))).toBe(
          true,
        );
    }
  });

  test('why a connection failed', async () => {
    const seen = told();
    const server = await secureServer();
    const { client, peer } = await connected(server);
    peer.raw.send('not sealed');
    await client.seen.closed;
    expect(ofSocket(seen, 'client').find(({ type }) => type === 'failure')).toMatchObject({
      code: 'PQ_ERR_TEXT_FRAME',
      closeCode: 3772,
      origin: 'local',
    });
  });
});

test("yellowpages: what it says is binary, and its close is the transport's", async () => {
  const seen = told();
  const server = await secureServer({ channel: { profiles: ['yellowpages'] } });
  const client = connect(server.url, { profile: 'yellowpages', verifyAttestation: false });
  const peer = await server.nextPeer();
  await client.seen.opened;
  client.socket.send('text');
  await peer.seen.next();
  client.socket.close(4002, 'bye');
  await client.seen.closed;
  expect(messages(ofSocket(seen, 'server'))).toMatchObject([
    { direction: 'received', kind: 'binary', data: new TextEncoder().encode('text'), record: { number: 0 } },
  ]);
  expect(ofSocket(seen, 'client')).toContainEqual(
    expect.objectContaining({ type: 'close', direction: 'sent', code: 4002, reason: 'bye', record: undefined }),
  );
});

test('a listener that throws ends no connection, and hears no more once it is taken off', async () => {
  const errors = uncaughtErrors();
  let calls = 0;
  const end = subscribe(() => {
    calls += 1;
    throw new Error('a bug of the listener');
  });
  const { client, peer } = await connected(await secureServer());
  client.socket.send('x');
  expect(await peer.seen.next()).toBe('x');
  expect(calls).toBeGreaterThan(0);
  end();
  const before = calls;
  client.socket.send('y');
  expect(await peer.seen.next()).toBe('y');
  expect(calls).toBe(before);
  expect(await errors.next()).toMatchObject({ message: 'a bug of the listener' });
  expect(() => subscribe('no function' as never)).toThrow(TypeError);
});

interface Read {
  next: number;
  lost: number;
  events: InspectEvent[];
}

test('who reads late finds the last events on the global object, bytes in base64, and is told what is gone', async () => {
  const [source] = (globalThis as Record<symbol, unknown>)[SOURCES] as [{ read(after: number): string }];
  const { client, peer } = await connected(await secureServer());
  client.socket.send(Uint8Array.of(1, 2, 3));
  await peer.seen.next();
  const read = (after: number): Read => JSON.parse(source.read(after)) as Read;
  const all = read(0);
  expect(all.events.length).toBe(events().length);
  expect(all.events.at(-1)).toMatchObject({ type: 'message', data: { base64: 'AQID' } });
  expect(read(all.next)).toEqual({ next: all.next, lost: 0, events: [] });
  for (let i = 0; i < 2_600; i += 1) {
    client.socket.send('x');
    await peer.seen.next();
  }
  const later = read(all.next);
  expect(events().length).toBeLessThanOrEqual(5_000);
  expect(later.lost).toBeGreaterThan(0);
  expect(later.lost + later.events.length).toBe(later.next - all.next);
});

test('what is kept has a limit in bytes too, frames of what the secure layer says for itself among them', async () => {
  const options = { heartbeat: { interval: 60_000, timeout: 60_000 }, padding: 8_192, handshakeTimeout: 60_000 };
  const { client } = await connected(await secureServer({ channel: options }), options);
  // Each is four events, with 4 KiB of a frame each.
  for (let i = 0; i < 1_200; i += 1) await client.socket.pq.ping();
  const kept = events();
  expect(kept.length).toBeLessThan(4_800);
  const bytes = kept.reduce((sum, event) => sum + ('record' in event ? (event.record?.frame?.length ?? 0) : 0), 0);
  expect(bytes).toBeGreaterThan(15 * 1024 * 1024);
  expect(bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
});

const CHANNELS = ['start', 'open', 'accepted', 'message', 'key-update', 'exchange', 'closing', 'failure', 'close'];

test('diagnostics_channel tells sizes and never what is said', async () => {
  const published: [channel: string, event: Record<string, unknown>][] = [];
  for (const name of CHANNELS) {
    const channel = `pq-websocket:${name}`;
    const listener = (event: unknown): void => void published.push([name, event as Record<string, unknown>]);
    diagnostics.subscribe(channel, listener);
    onTestFinished(() => void diagnostics.unsubscribe(channel, listener));
  }
  const server = await secureServer();
  const client = connect(`${server.url}/?token=QUERY-SECRET`, { rekey: { records: 2 } });
  const peer = await server.nextPeer();
  await Promise.all([client.seen.opened, peer.seen.opened, peer.socket.pq.finished]);
  for (const text of ['CONTENT-SECRET', 'second', 'third']) {
    client.socket.send(text);
    await peer.seen.next();
  }
  await client.socket.pq.exchange();
  client.socket.close(4000, 'REASON-SECRET');
  await Promise.all([client.seen.closed, peer.seen.closed]);
  const of = (name: string): Record<string, unknown>[] =>
    published.filter(([n]) => n === name).map(([, event]) => event);
  for (const name of CHANNELS.filter((each) => each !== 'failure')) expect(of(name), name).not.toEqual([]);
  expect(of('message')[0]).toEqual({
    type: 'message',
    socket: expect.any(Number) as number,
    at: expect.any(Number) as number,
    direction: 'sent',
    kind: 'text',
    size: 14,
    record: { number: 2, generation: 0, epoch: 1, bytes: 43 },
    batch: undefined,
  });
  expect(JSON.stringify(published)).not.toContain('SECRET');
});

test('a connection that nobody subscribes to is not watched', async () => {
  const begin = vi.spyOn(Watcher.prototype, 'begin');
  onTestFinished(() => begin.mockRestore());
  const { client, peer } = await connected(await secureServer());
  client.socket.send('x');
  await peer.seen.next();
  // The two ends, which this file's own inspector looks at: no third and fourth.
  expect(begin).toHaveBeenCalledTimes(2);
});

test('NODE_DEBUG=pq-websocket prints each step to stderr, with sizes alone', () => {
  const script = `
    import { PQWebSocket } from './src/index.ts';
    import { WebSocketServer } from './src/ws.ts';
    const server = new WebSocketServer({ port: 0 }, () => {
      const socket = new PQWebSocket('ws://127.0.0.1:' + server.address().port + '/?q=QUERY-SECRET');
      socket.onopen = () => socket.send('CONTENT-SECRET');
      socket.onmessage = () => socket.close(4000, 'REASON-SECRET');
      socket.onclose = () => server.close();
    });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  `;
  const { stderr, status } = spawnSync(
    process.execPath,
    ['--experimental-transform-types', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
    { cwd: ROOT, encoding: 'utf8', env: { ...process.env, NODE_DEBUG: 'pq-websocket' } },
  );
  expect({ status, stderr }).toMatchObject({ status: 0 });
  for (const expected of [
    /PQ-WEBSOCKET \d+: #1 client begins: ws:\/\/127\.0\.0\.1:\d+\/$/m,
    /open: v1, ml-kem-768, node, exchange, after [\d.]+ ms$/m,
    /text sent, 14 bytes, record 1 of 43 bytes, generation 0, epoch 0$/m,
    /text received, 14 bytes/,
    /answer to the close received, 4000$/m,
    /ended: 4000, clean$/m,
  ]) {
    expect(stderr).toMatch(expected);
  }
  expect(stderr).not.toContain('SECRET');
});

test('util.inspect shows state and facts, and no secret', async () => {
  const context = 'CONTEXT-SECRET';
  const { client, peer } = await connected(await secureServer({ channel: { context } }), { context });
  const shown = inspect(client.socket, { depth: 4 });
  expect(shown).toMatch(/^PQWebSocket \{\s+url: 'ws:\/\/127\.0\.0\.1:\d+\/',\s+readyState: 1,/);
  for (const fact of ["profile: 'v1'", "kem: 'ml-kem-768'", 'recordsSealed: 1', 'failure: null']) {
    expect(shown).toContain(fact);
  }
  expect(inspect(peer.socket)).toMatch(/^WsStyleSocket \{\s+url: '',\s+readyState: 1/);
  expect(inspect(client.socket.pq, { depth: 0 })).toContain('counters: [Object]');
  expect(inspect([[client.socket]], { depth: 1 })).toContain('[PQWebSocket]');
  expect(inspect(Object.create(client.socket))).toBe('PQWebSocket {}');
  // At any depth, with all that can be shown.
  const everything = inspect([client.socket, peer.socket], { depth: null, showHidden: true, getters: true });
  expect(everything).not.toMatch(/secret/i);
});

test('examples/opentelemetry makes a span of each connection, and nothing of it says what was said', async () => {
  const spans: {
    name: string;
    attributes: Record<string, unknown>;
    seen: string[];
    status?: unknown;
    ended: boolean;
  }[] = [];
  const recorded: [string, number, unknown][] = [];
  const end = traceSockets(
    {
      startSpan: (name, { attributes }) => {
        const span = {
          name,
          attributes: { ...attributes } as Record<string, unknown>,
          seen: [] as string[],
          status: undefined as unknown,
          ended: false,
        };
        spans.push(span);
        return {
          setAttributes: (more) => Object.assign(span.attributes, more),
          addEvent: (event) => span.seen.push(event),
          setStatus: (status) => (span.status = status),
          end: () => {
            span.ended = true;
          },
        };
      },
    },
    { createHistogram: (name) => ({ record: (value, attributes) => void recorded.push([name, value, attributes]) }) },
  );
  onTestFinished(end);
  const { client, peer } = await connected(await secureServer());
  client.socket.send('CONTENT-SECRET');
  await peer.seen.next();
  await client.socket.pq.exchange();
  peer.raw.send('not sealed');
  await Promise.all([client.seen.closed, peer.seen.closed]);
  expect(spans).toHaveLength(2);
  const span = spans.find(({ attributes }) => attributes['pq_websocket.role'] === 'client');
  expect(span).toMatchObject({
    attributes: { 'pq_websocket.kem': 'ml-kem-768', 'pq_websocket.close.clean': false },
    seen: ['accepted', 'open', 'exchange offer', 'exchange answer', 'exchange end', 'failure'],
    status: { code: 2, message: 'PQ_ERR_TEXT_FRAME' },
    ended: true,
  });
  expect(recorded).toContainEqual(['pq_websocket.message.size', 14, { direction: 'sent', kind: 'text' }]);
  expect(recorded.filter(([name]) => name === 'pq_websocket.handshake.duration')).toHaveLength(2);
  expect(JSON.stringify([spans, recorded])).not.toContain('SECRET');
});
