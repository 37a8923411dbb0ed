/**
 * `WebSocketStream` of Chromium beside ours in its place: the same scenarios over a plain server and over a secure one that do the same,
 * and everything that a script can see of them, in order, must be the same.
 */
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer as PlainServer } from 'ws';
import { buildScriptTag, POLYFILL } from '../../scripts/lib/script-tag.ts';
import type { Engine, EnginePage } from '../support/engines/engine.ts';
import { startChromium } from '../support/engines/puppeteer.ts';
import { assertSealed } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import { serve } from './static-server.ts';

/** What the scenarios share: a log, and how a promise ends by all that a script sees of it. */
const COMMON = `
  const told = (value) => value instanceof Uint8Array || value instanceof ArrayBuffer ? [value.constructor.name, ...new Uint8Array(value)] : value === undefined ? 'undefined'
    : typeof value === 'object' && value !== null && Object.getPrototypeOf(value) !== Object.prototype && !Array.isArray(value)
      ? Object.prototype.toString.call(value) : value;
  const thrown = (error) => [Object.prototype.toString.call(error), error.constructor.name, error.name, error.closeCode, error.reason]
    .map((each) => each === undefined ? 'undefined' : each);
  const settled = (promise) => promise.then((value) => ['resolved', told(value)], (error) => ['rejected', ...thrown(error)]);
  const attempt = (act) => { try { return ['returned', told(act())]; } catch (error) { return ['threw', ...thrown(error)]; } };
  /** Notes by which name a promise settles, in the order in which promises do. */
  function watcher() {
    const log = [];
    const watch = (name, promise) => settled(promise).then((outcome) => { log.push([name, ...outcome]); });
    return { log, watch };
  }
  async function opened(path = '', options) {
    const stream = new WebSocketStream(URL_UNDER_TEST + path, options);
    const info = await stream.opened;
    return { stream, info, reader: info.readable.getReader(), writer: info.writable.getWriter() };
  }
  const several = (...values) => Promise.all(values);
`;

/** Bodies of functions in the page. */
const SCENARIOS: Readonly<Record<string, string>> = {
  'what opens': `
    const stream = new WebSocketStream(URL_UNDER_TEST + '/path?query');
    const before = [stream.url.replace(URL_UNDER_TEST, ''), stream.opened === stream.opened, stream.closed === stream.closed];
    const info = await stream.opened;
    stream.close();
    return [before, Object.keys(info), info.readable instanceof ReadableStream, info.writable instanceof WritableStream, info.protocol,
      info.extensions, Object.prototype.toString.call(stream), stream instanceof WebSocketStream, await settled(stream.closed)];`,
  'text and bytes': `
    const { stream, reader, writer } = await opened();
    const read = [];
    for (const chunk of ['text', '', '\\u{1f510}\\ud800', new Uint8Array([1, 2]), new Uint8Array(0), new Uint16Array([258]).buffer, new DataView(new ArrayBuffer(4), 1, 2),
      12, null, undefined, true, {}, [1, 2], new String('object')]) {
      await writer.write(chunk);
      const { done, value } = await reader.read();
      read.push([done, told(value)]);
    }
    stream.close();
    return read;`,
  'chunks that no stream takes': `
    const seen = [];
    for (const chunk of [Symbol('x'), { toString() { throw new RangeError('mine'); } }, new Blob(['x'])]) {
      const { stream, writer } = await opened();
      seen.push(await settled(writer.write(chunk)));
      stream.close();
    }
    return seen;`,
  'close() with each kind of argument': `
    const seen = [];
    for (const given of [[], [undefined], [null], [{}], [{ closeCode: 1000 }], [{ closeCode: 3000, reason: 'r' }], [{ reason: 'alone' }], [{ reason: '' }],
      [{ closeCode: 4999, reason: 'x'.repeat(123) }], [{ closeCode: undefined, reason: undefined }], [{ closeCode: '4001' }], [{ closeCode: 4001.9 }], [{ reason: '\\ud800' }], [{ reason: null }], [{ code: 4000 }]]) {
      const { stream } = await opened();
      seen.push([attempt(() => stream.close(...given)), await settled(stream.closed)]);
    }
    return seen;`,
  'close() with what is refused': `
    const { stream, reader, writer } = await opened();
    const seen = [];
    for (const given of [true, 1, 'x', Symbol('x'), { closeCode: 999 }, { closeCode: 1001 }, { closeCode: 2999 }, { closeCode: 5000 }, { closeCode: null }, { reason: 'x'.repeat(124) }, { closeCode: 1001, reason: 'x'.repeat(124) }, { closeCode: 1n }, { reason: Symbol('x') }])
      seen.push(attempt(() => stream.close(given)));
    writer.write('and goes on');
    seen.push((await reader.read()).value);
    stream.close();
    return seen;`,
  'in which order close() reads': `
    const { stream } = await opened();
    const read = [];
    stream.close(new Proxy({}, { get: (_, name) => { read.push(String(name)); return undefined; } }));
    return read;`,
  'the end that close() makes': `
    const { stream, reader, writer } = await opened();
    const { log, watch } = watcher();
    watch('closed', stream.closed);
    const read = watch('read', reader.read().then(({ done }) => done));
    const write = watch('writer', writer.closed);
    stream.close({ closeCode: 4000, reason: 'bye' });
    stream.close({ closeCode: 4001, reason: 'again' });
    await several(read, write, stream.closed);
    await new Promise((resolve) => setTimeout(resolve));
    return [log.sort(), await settled(writer.write('late')), await settled(reader.read().then(({ done }) => done))];`,
  'the end that the server makes': `
    const { stream, reader, writer } = await opened('?close=4100');
    const { log, watch } = watcher();
    const all = [watch('closed', stream.closed), watch('writer', writer.closed)];
    const read = [];
    for (;;) { const { done, value } = await reader.read(); if (done) break; read.push(value); }
    await several(...all);
    return [read, log.sort(), attempt(() => stream.close())];`,
  'a cut': `
    const { stream, reader, writer } = await opened('?cut');
    const { log, watch } = watcher();
    const all = [watch('closed', stream.closed), watch('read', reader.read()), watch('writer', writer.closed)];
    await writer.write('cut');
    await several(...all);
    return [log.sort(), await settled(writer.write('late')), await stream.closed.catch((error) => error instanceof WebSocketError && error instanceof DOMException)];`,
  'the writable is closed': `
    const { stream, reader, writer } = await opened();
    await writer.write('last');
    const { log, watch } = watcher();
    const all = [watch('close()', writer.close()), watch('writer', writer.closed), watch('closed', stream.closed)];
    const read = [(await reader.read()).value, (await reader.read()).done];
    await several(...all);
    return [read, log.sort()];`,
  'the writable is aborted, the readable cancelled': `
    const seen = [];
    const reasons = [() => undefined, () => new WebSocketError('m', { closeCode: 4200, reason: 'so' }), () => new WebSocketError('m', { reason: 'so' }), () => new WebSocketError('m'),
      () => ({ closeCode: 4200, reason: 'so' }), () => ({ code: 3456, reason: 'set' }), () => new DOMException('x', 'AbortError')];
    for (const reason of reasons) {
      const first = await opened();
      seen.push([await settled(first.writer.abort(reason())), await settled(first.stream.closed)]);
      const second = await opened();
      seen.push([await settled(second.reader.cancel(reason())), await settled(second.stream.closed)]);
    }
    return seen;`,
  'for await': `
    const stream = new WebSocketStream(URL_UNDER_TEST + '?close=4100');
    const { readable } = await stream.opened;
    const read = [];
    for await (const chunk of readable) read.push(chunk);
    const other = new WebSocketStream(URL_UNDER_TEST + '?hello');
    for await (const chunk of (await other.opened).readable) { read.push(chunk); break; }
    return [read, await settled(stream.closed), await settled(other.closed)];`,
  'no connection': `
    const seen = [];
    const stream = new WebSocketStream(URL_UNDER_TEST + '?refuse');
    seen.push(await settled(stream.opened), await settled(stream.closed), attempt(() => stream.close()));
    const early = new WebSocketStream(URL_UNDER_TEST);
    seen.push(attempt(() => early.close({ closeCode: 4000 })), await settled(early.opened), await settled(early.closed));
    return seen;`,
  subprotocols: `
    const { stream, info } = await opened('?select=chat', { protocols: ['other', 'chat'] });
    stream.close();
    const list = (protocols) => attempt(() => { new WebSocketStream(URL_UNDER_TEST, { protocols }).close(); });
    return [info.protocol, list([]), list(new Set(['a', 'b'])), list('text'), list(['a', 'a']), list(['a b']), list(null), list(1), list([Symbol('x')]), list(undefined)];`,
  signal: `
    const seen = [];
    const before = new WebSocketStream(URL_UNDER_TEST, { signal: AbortSignal.abort() });
    seen.push(await settled(before.opened), await settled(before.closed), attempt(() => before.close()));
    const controller = new AbortController();
    const during = new WebSocketStream(URL_UNDER_TEST, { signal: controller.signal });
    controller.abort();
    seen.push(await settled(during.opened), await settled(during.closed));
    const later = new AbortController();
    const { stream, reader, writer } = await opened('', { signal: later.signal });
    later.abort();
    writer.write('goes on');
    seen.push((await reader.read()).value);
    stream.close();
    seen.push(await settled(stream.closed));
    for (const signal of [null, {}, 1, EventTarget.prototype]) seen.push(attempt(() => { new WebSocketStream(URL_UNDER_TEST, { signal }).close(); }));
    return seen;`,
  'constructors that throw': `
    const seen = [];
    for (const given of [[], ['//['], ['ftp://host/'], ['ws://host/#x'], [URL_UNDER_TEST, 'x'], [URL_UNDER_TEST, 1], [Symbol('x')]]) seen.push(attempt(() => new WebSocketStream(...given)));
    seen.push(attempt(() => WebSocketStream(URL_UNDER_TEST)));
    const { get } = Object.getOwnPropertyDescriptor(WebSocketStream.prototype, 'url');
    seen.push(attempt(() => get.call({})), attempt(() => WebSocketStream.prototype.close.call({}, { closeCode: 1 })));
    for (const name of ['opened', 'closed']) for (const other of [{}, undefined, WebSocketStream.prototype]) {
      const promise = attempt(() => Object.getOwnPropertyDescriptor(WebSocketStream.prototype, name).get.call(other));
      seen.push(promise, await settled(Promise.resolve().then(() => Reflect.get(WebSocketStream.prototype, name, other))));
    }
    return seen;`,
  'the surface': `
    const describe = (owner, name) => { const { value, get, set, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(owner, name);
      const fn = (one) => typeof one === 'function' ? [one.name, one.length] : one === undefined ? 'undefined' : typeof one;
      return [String(name), fn(value), fn(get), fn(set), writable ?? 'none', enumerable, configurable]; };
    const members = (owner) => Reflect.ownKeys(owner).filter((name) => name !== 'pq' && name !== Symbol.for('pq-websocket')).map((name) => describe(owner, name)).sort();
    return [members(WebSocketStream), members(WebSocketStream.prototype), members(WebSocketError), members(WebSocketError.prototype), describe(globalThis, 'WebSocketStream')];`,
  'many at once': `
    const { stream, reader, writer } = await opened();
    const writes = Array.from({ length: 50 }, (_, i) => writer.write(i % 2 ? 'text ' + i : new Uint8Array([i])));
    const read = [];
    for (let i = 0; i < 50; i += 1) read.push(told((await reader.read()).value));
    await Promise.all(writes);
    stream.close();
    return read;`,
};

/** What both servers do with a connection; `?select=` is a subprotocol. */
interface Peer {
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown;
  send(data: string | Buffer, options?: { binary: boolean }): void;
  close(code: number, reason: string): void;
  terminate(): void;
}
function serveAs(server: PlainServer): void {
  server.options.handleProtocols = (_, request): string | false =>
    new URL(request.url ?? '/', 'ws://host').searchParams.get('select') ?? false;
  server.options.verifyClient = ({ req }: { req: IncomingMessage }): boolean => req.url?.includes('refuse') !== true;
  server.on('connection', (given, request) => {
    const peer = given as unknown as Peer;
    const { searchParams } = new URL(request.url ?? '/', 'ws://host');
    if (searchParams.has('hello')) peer.send('hello');
    const code = searchParams.get('close');
    if (code !== null) {
      peer.send('one');
      peer.send('two');
      peer.close(Number(code), 'by the server');
    }
    peer.on('message', (data, isBinary) => {
      if (searchParams.has('cut')) peer.terminate();
      else peer.send(data, { binary: isBinary });
    });
  });
}

/** Where Chromium strays from the draft, ours keeps to it: each in both classes, so that a difference which goes away is seen. */
const STRAYS: Readonly<Record<string, readonly [body: string, native: unknown, ours: unknown]>> = {
  'a code that is no unsigned short ([EnforceRange])': [
    `const { stream } = await opened();
    return [65536, -1, NaN, 'x'].map((closeCode) => { try { stream.close({ closeCode }); return 'taken'; } catch ({ name }) { return name; } });`,
    ['InvalidAccessError', 'InvalidAccessError', 'InvalidAccessError', 'InvalidAccessError'],
    ['TypeError', 'TypeError', 'TypeError', 'TypeError'],
  ],
  "the signal's own reason": [
    `const controller = new AbortController();
    const stream = new WebSocketStream(URL_UNDER_TEST, { signal: controller.signal });
    const reason = new RangeError('mine');
    controller.abort(reason);
    return [await stream.opened.catch((error) => error === reason), await stream.closed.catch((error) => error === reason)];`,
    [false, false],
    [true, true],
  ],
  'the URL of a stream that was aborted before': [
    `return new WebSocketStream('ws://host/path', { signal: AbortSignal.abort() }).url;`,
    '',
    'ws://host/path',
  ],
};

let engine: Engine;
let scripts: Readonly<Record<string, string>>;
beforeAll(async () => {
  [engine, { files: scripts }] = await Promise.all([startChromium(), buildScriptTag()]);
});
afterAll(() => engine?.close());

async function open(url: string, tags: string): Promise<EnginePage> {
  const server = await serve({
    ...scripts,
    'common.js': `const URL_UNDER_TEST = ${JSON.stringify(url)};${COMMON}`,
    'index.html': `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">${tags}<script src="/common.js"></script>`,
  });
  const page = await engine.open(`http://127.0.0.1:${server.port}/`);
  onTestFinished(async () => {
    await page.close();
    await server.close();
  });
  return page;
}

test('everything that a script sees is the same', { timeout: 120_000 }, async () => {
  const plain = new PlainServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    plain.close();
  });
  await new Promise((resolve) => plain.on('listening', resolve));
  serveAs(plain);
  const { url, server, tap } = await startSecure();
  serveAs(server as unknown as PlainServer);
  const native = await open(`ws://127.0.0.1:${(plain.address() as AddressInfo).port}`, '');
  const ours = await open(
    url,
    `<script src="/${POLYFILL}"></script><script src="/pq-websocket.stream.min.js"></script>`,
  );
  const [before, after]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
  for (const [name, body] of Object.entries(SCENARIOS)) {
    const ended = `return Promise.race([(async () => { ${body} })().catch((error) => ['it rejected', ...thrown(error)]), new Promise((resolve) => setTimeout(resolve, 20_000, 'it did not end'))]);`;
    [before[name], after[name]] = await Promise.all([native.run(ended), ours.run(ended)]);
    // What proves nothing must not pass for equal.
    expect(JSON.stringify(before[name]), name).not.toMatch(/^.?"it (did not end|rejected)/);
  }
  expect(Object.keys(before)).toHaveLength(Object.keys(SCENARIOS).length);
  expect(after).toEqual(before);
  for (const [name, [body, ofNative, ofOurs]] of Object.entries(STRAYS)) {
    expect([await native.run(body), await ours.run(body)], name).toEqual([ofNative, ofOurs]);
  }
  assertSealed(tap, ['and goes on', 'by the server']);
});
