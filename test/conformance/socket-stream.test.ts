/** PQWebSocketStream over npm ws: the WHATWG draft's shape, and back-pressure both ways. What engines show stands in test/browser. */
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { PQWebSocketStream, WebSocketError } from '../../src/stream.ts';
import { rawServer } from '../support/raw-peer.ts';
import { assertSealed } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';

const raw = PQWebSocketStream as unknown as new (...values: unknown[]) => InstanceType<typeof PQWebSocketStream>;

const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ value }),
    (error: { name: string; closeCode?: unknown; reason?: unknown }) => [error.name, error.closeCode, error.reason],
  );

async function connected() {
  const { url, next, tap } = await startSecure();
  const stream = new PQWebSocketStream(url);
  const [info, { socket: peer }] = await Promise.all([stream.opened, next()]);
  const writer = (info.writable as WritableStream<unknown>).getWriter();
  return { url, stream, info, writer, peer, tap };
}

describe('a conversation', () => {
  test('text and bytes both ways, in order, sealed', async () => {
    const { stream, info, writer, peer, tap, url } = await connected();
    expect([stream.url, info.protocol, info.extensions]).toEqual([`${url}/`, '', '']);
    peer.on('message', (data, isBinary) => {
      peer.send(data, { binary: isBinary });
    });
    await writer.write('a text of the page');
    await writer.write(Uint8Array.of(1, 2, 3));
    await writer.write(Uint16Array.of(0x0201).buffer);
    await writer.write(12);
    const chunks: unknown[] = [];
    for await (const chunk of info.readable) {
      chunks.push(chunk);
      if (chunks.length === 4) break;
    }
    expect(chunks).toEqual(['a text of the page', Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2), '12']);
    // Leaving the loop cancels, which closes.
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: '' });
    assertSealed(tap, ['a text of the page']);
    expect(stream.pq.profile).toBe('v1');
  });

  test('the selected subprotocol', async () => {
    const { url, server } = await startSecure();
    server.options.handleProtocols = (): string => 'chat';
    const stream = new PQWebSocketStream(url, { protocols: new Set(['other', 'chat']) });
    expect((await stream.opened).protocol).toBe('chat');
    stream.close();
  });
});

describe('its end', () => {
  test('close() with code and reason', async () => {
    const { stream, info, writer, peer } = await connected();
    const heard = once(peer, 'close');
    stream.close({ closeCode: 4001, reason: 'enough' });
    expect(await stream.closed).toEqual({ closeCode: 4001, reason: 'enough' });
    expect(String(((await heard) as unknown[])[1])).toBe('enough');
    expect(await (info.readable as ReadableStream).getReader().read()).toEqual({ done: true, value: undefined });
    expect(await outcome(writer.write('late'))).toEqual(['InvalidStateError', undefined, undefined]);
  });

  test.each<[string, unknown, unknown]>([
    ['a reason alone is 1000', { reason: 'x' }, { closeCode: 1000, reason: 'x' }],
    ['nothing', undefined, { closeCode: 1005, reason: '' }],
    ['null', null, { closeCode: 1005, reason: '' }],
    ['a code alone', { closeCode: 1000 }, { closeCode: 1000, reason: '' }],
  ])('close(): %s', async (_, given, expected) => {
    const { stream } = await connected();
    stream.close(given as undefined);
    expect(await stream.closed).toEqual(expected);
  });

  test.each<[unknown, string]>([
    [{ closeCode: 999 }, 'InvalidAccessError'],
    [{ closeCode: 1001 }, 'InvalidAccessError'],
    [{ closeCode: 65_536 }, 'TypeError'],
    [{ closeCode: -1 }, 'TypeError'],
    [{ closeCode: 1000, reason: 'x'.repeat(124) }, 'SyntaxError'],
    [1, 'TypeError'],
  ])('close(%j) throws, and the connection goes on', async (given, name) => {
    const { stream, writer, peer } = await connected();
    expect(() => {
      stream.close(given as never);
    }).toThrow(expect.objectContaining({ name }));
    const heard = once(peer, 'message');
    await writer.write('still here');
    expect(String(((await heard) as unknown[])[0])).toBe('still here');
    stream.close();
  });

  test("the writable's close() is done when the connection is", async () => {
    const { stream, writer, peer } = await connected();
    await writer.write('last');
    const heard = once(peer, 'message');
    await writer.close();
    expect(String(((await heard) as unknown[])[0])).toBe('last');
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: '' });
  });

  test.each<[string, unknown, unknown]>([
    ['a WebSocketError', new WebSocketError('x', { closeCode: 4444, reason: 'so' }), { closeCode: 4444, reason: 'so' }],
    ['a WebSocketError of a reason', new WebSocketError('x', { reason: 'so' }), { closeCode: 1000, reason: 'so' }],
    ['anything else', new Error('x'), { closeCode: 1005, reason: '' }],
  ])('cancel() and abort() with %s', async (_, reason, expected) => {
    const cancelled = await connected();
    await (cancelled.info.readable as ReadableStream).cancel(reason);
    expect(await cancelled.stream.closed).toEqual(expected);
    const aborted = await connected();
    await aborted.writer.abort(reason);
    expect(await aborted.stream.closed).toEqual(expected);
  });

  test('by the peer', async () => {
    const { stream, info, peer, writer } = await connected();
    peer.send('before');
    peer.close(4000, 'bye');
    const chunks: unknown[] = [];
    for await (const chunk of info.readable) chunks.push(chunk);
    expect(chunks).toEqual(['before']);
    expect(await stream.closed).toEqual({ closeCode: 4000, reason: 'bye' });
    expect(await outcome(writer.write('late'))).toEqual(['InvalidStateError', undefined, undefined]);
  });

  test('a cut is a WebSocketError everywhere', async () => {
    const { stream, info, writer, peer } = await connected();
    const read = (info.readable as ReadableStream).getReader().read();
    peer.terminate();
    const expected = ['WebSocketError', 1006, ''];
    expect(await outcome(stream.closed)).toEqual(expected);
    expect(await outcome(read)).toEqual(expected);
    expect(await outcome(writer.write('late'))).toEqual(expected);
    expect(await stream.closed.catch((error: unknown) => error instanceof WebSocketError)).toBe(true);
  });

  test('a server that speaks no pq: neither opens, and nothing of the page was said', async () => {
    const server = await rawServer((peer) => {
      peer.send('welcome');
    });
    const stream = new PQWebSocketStream(server.url);
    expect(await outcome(stream.opened)).toEqual(['WebSocketError', null, '']);
    expect(await outcome(stream.closed)).toEqual(['WebSocketError', 3768, '']);
    expect(stream.pq.failure).not.toBeNull();
    await server.close();
  });

  test('close() while it connects', async () => {
    const { url } = await startSecure();
    const stream = new PQWebSocketStream(url);
    stream.close();
    expect(await outcome(stream.opened)).toEqual(['WebSocketError', null, '']);
  });
});

describe('signal', () => {
  test('aborted before: no connection', async () => {
    const { url, tap } = await startSecure();
    const stream = new PQWebSocketStream(url, { signal: AbortSignal.abort() });
    expect(await outcome(stream.opened)).toEqual(['AbortError', undefined, undefined]);
    expect(await outcome(stream.closed)).toEqual(['AbortError', undefined, undefined]);
    expect(tap.connections).toHaveLength(0);
    stream.close();
  });

  test('aborted while it connects: its reason', async () => {
    const { url } = await startSecure();
    const abort = new AbortController();
    const stream = new PQWebSocketStream(url, { signal: abort.signal });
    const reason = new Error('mine');
    abort.abort(reason);
    await expect(stream.opened).rejects.toBe(reason);
    await expect(stream.closed).rejects.toBe(reason);
  });

  test('aborted later: nothing', async () => {
    const { url, next } = await startSecure();
    const abort = new AbortController();
    const stream = new PQWebSocketStream(url, { signal: abort.signal });
    const [, { socket: peer }] = await Promise.all([stream.opened, next()]);
    abort.abort();
    peer.close(4000);
    expect(await stream.closed).toEqual({ closeCode: 4000, reason: '' });
  });
});

describe('back-pressure', () => {
  const CHUNK = 65_536;

  test('what is not read stops the sender', async () => {
    const { stream, info, peer } = await connected();
    const total = 600;
    let left = 0;
    for (let i = 0; i < total; i += 1) {
      peer.send(new Uint8Array(CHUNK), () => {
        left += 1;
      });
    }
    // The sender's kernel and ours hold some; then it comes to a stop, for as long as nobody reads.
    for (let before = -1; before !== left;) {
      before = left;
      for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(left).toBeLessThan(total);
    expect(peer.bufferedAmount).toBeGreaterThan(CHUNK);
    let read = 0;
    for await (const chunk of info.readable) {
      read += chunk.length;
      if (read === total * CHUNK) break;
    }
    expect(read).toBe(total * CHUNK);
    await stream.closed;
  });

  test('what is not taken stops the writer', async () => {
    const { stream, writer, peer } = await connected();
    peer.pause();
    let done = 0;
    const writes = Array.from({ length: 600 }, () =>
      writer.write(new Uint8Array(CHUNK)).then(() => {
        done += 1;
      }),
    );
    for (let before = -1; before !== done;) {
      before = done;
      for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(done).toBeLessThan(600);
    let received = 0;
    const all = new Promise<void>((resolve) => {
      peer.on('message', (data) => {
        received += (data as Buffer).length;
        if (received === 600 * CHUNK) resolve();
      });
    });
    peer.resume();
    await Promise.all([...writes, all]);
    stream.close();
    await stream.closed;
  });
});

describe('its shape', () => {
  test('members are enumerable accessors and one operation, on the prototype', async () => {
    expect(Object.keys(PQWebSocketStream.prototype)).toEqual(['url', 'opened', 'closed', 'pq', 'close']);
    expect([PQWebSocketStream.name, PQWebSocketStream.length]).toEqual(['PQWebSocketStream', 1]);
    expect(Object.prototype.toString.call(PQWebSocketStream.prototype)).toBe('[object WebSocketStream]');
    await expect(PQWebSocketStream.prototype.opened).rejects.toThrow(TypeError);
    await expect(Reflect.get(PQWebSocketStream.prototype, 'closed', undefined)).rejects.toThrow(TypeError);
  });

  test.each<[string, unknown[], string]>([
    ['nothing', [], 'TypeError'],
    ['a URL that does not parse', ['//'], 'SyntaxError'],
    ['another scheme', ['ftp://host/'], 'SyntaxError'],
    ['a fragment', ['ws://host/#x'], 'SyntaxError'],
    ['repeated subprotocols', ['ws://host/', { protocols: ['a', 'a'] }], 'SyntaxError'],
    ['a subprotocol that is no sequence', ['ws://host/', { protocols: 'a' }], 'TypeError'],
    ['options that are no object', ['ws://host/', 'a'], 'TypeError'],
    ['a signal that is none', ['ws://host/', { signal: {} }], 'TypeError'],
    ['an unknown option', ['ws://host/', {}, { unheardOf: 1 }], 'TypeError'],
  ])('constructed with %s', (_, given, name) => {
    expect(() => new raw(...given)).toThrow(expect.objectContaining({ name }));
  });

  test('WebSocketError', () => {
    const error = new WebSocketError('m', { closeCode: 4000, reason: 'r' });
    expect(error).toBeInstanceOf(DOMException);
    expect([error.name, error.message, error.closeCode, error.reason]).toEqual(['WebSocketError', 'm', 4000, 'r']);
    expect(new WebSocketError()).toMatchObject({ message: '', closeCode: null, reason: '' });
    expect(new WebSocketError('', { reason: 'r' }).closeCode).toBe(1000);
    expect(() => new WebSocketError('', { closeCode: 1006 })).toThrow(
      expect.objectContaining({ name: 'InvalidAccessError' }),
    );
  });
});
