/**
 * What other libraries need of our classes, row by row: the client's contract (28 rows: who needs what is in each library's
 * own source) and the server's. Most rows have their test elsewhere; the table below says where, and is checked.
 */
import { once as nodeOnce } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import { WebSocket, WebSocketServer } from '../../src/ws.ts';
import type { WebSocketServerOptions, WsStyleWebSocket } from '../../src/ws.ts';
import { once } from '../support/deferred.ts';
import { startSecure } from '../support/ws-endpoints.ts';

/** Row, what it asks for, and the tests that show it: of PQWebSocket, and of pq-websocket/ws. `here` is this file. */
const CONTRACT: readonly (readonly [
  row: string,
  what: string,
  ...tests: (readonly [file: string, title: string])[],
])[] = [
  [
    '1',
    'a class with the four statics',
    ['conformance/socket-surface', 'constants on the class, the prototype'],
    ['ws-differential/scenarios/api', 'members of WebSocket'],
  ],
  [
    '2',
    'the constants on instances',
    ['conformance/socket-surface', 'constants on the class, the prototype'],
    ['ws-differential/scenarios/api', 'a client before it is open'],
  ],
  [
    '3',
    '(url, protocols?) with undefined, [], string, array, URL',
    ['conformance/socket-surface', 'what the transport is made with'],
    ['ws-differential/scenarios/connecting', 'subprotocols, and where the options stand'],
  ],
  [
    '4',
    'an object as second argument works or throws at once',
    ['conformance/socket-surface', 'an object where subprotocols belong'],
    ['ws-differential/scenarios/connecting', 'subprotocols, and where the options stand'],
  ],
  [
    '5',
    'synchronous throws',
    ['conformance/socket-surface', 'the constructor throws what the native class throws'],
    ['ws-differential/scenarios/connecting', 'addresses that are refused'],
  ],
  [
    '6',
    'on* settable, null again, beside listeners',
    ['conformance/socket-surface', '%s is null, settable, and null again'],
    ['ws-differential/scenarios/dom', 'attributes'],
  ],
  [
    '7',
    'addEventListener with objects, once, signal, no duplicates',
    ['conformance/socket-events', 'handleEvent, once, signal'],
    ['ws-differential/scenarios/dom', 'once, repeated, removed, objects'],
    ['here', 'a signal takes a listener away'],
  ],
  [
    '8',
    '`this` is the socket',
    ['conformance/socket-events', 'this and target are the socket'],
    ['ws-differential/scenarios/dom', 'once, repeated, removed, objects'],
  ],
  [
    '9',
    'a listener that throws keeps nobody from hearing',
    ['conformance/socket-events', 'what a listener throws is reported'],
    ['in-process/ws-server-secure', 'is uncaught, and neither its connection'],
  ],
  [
    '10',
    'events can be constructed again',
    ['conformance/socket-events', 'event classes can be constructed again'],
    ['here', 'events can be constructed again'],
  ],
  [
    '11',
    'code, reason, wasClean in close events',
    ['conformance/socket-close', 'closes that cross'],
    ['ws-differential/scenarios/dom', 'the four events'],
  ],
  [
    '12',
    'error events without `error`, or with a real one',
    ['conformance/socket-events', 'a failure is a plain Event without an error property'],
    ['ws-differential/scenarios/dom', 'async error('],
  ],
  [
    '13',
    'error, then close that is not clean',
    ['conformance/socket-close', 'error, then 1006'],
    ['ws-differential/scenarios/dom', 'async error('],
  ],
  [
    '14',
    'OPEN in the open handler, and send() there',
    ['conformance/socket-events', 'open: once, a plain Event'],
    ['in-process/ws-client-secure', 'what is sent waits, in order'],
  ],
  [
    '15',
    'no message before open handlers, nor before who awaited open',
    ['conformance/socket-send', 'the first message never comes before open handlers'],
    ['ws-differential/scenarios/receiving', 'listeners that are attached in a later turn'],
  ],
  [
    '16',
    'string, ArrayBuffer, views, Blob; bytes as they were',
    ['conformance/socket-send', 'bytes are taken when send() is called'],
    ['ws-differential/scenarios/sending', 'what data may be'],
    ['in-process/ws-client-secure', 'bytes that change after send()'],
  ],
  [
    '17',
    'send(data, options?, callback?)',
    ['ws-differential/scenarios/sending', 'callbacks, and when they are called'],
  ],
  [
    '18',
    'bufferedAmount counts, and comes back to 0 while open',
    ['conformance/socket-channel', 'bufferedAmount grows in send()'],
    ['ws-differential/scenarios/sending', 'bufferedAmount goes back to nothing'],
  ],
  [
    '19',
    'binaryType before open, unknown ones ignored',
    ['conformance/socket-surface', 'binaryType takes its two values'],
    ['ws-differential/scenarios/receiving', 'binaryType, at any time'],
  ],
  [
    '20',
    'an ArrayBuffer of exactly the message',
    ['conformance/socket-send', 'an ArrayBuffer holds exactly the message'],
    ['ws-differential/scenarios/receiving', 'bytes that are delivered are of their exact size'],
  ],
  [
    '21',
    'text stays text',
    ['conformance/socket-send', 'every kind of data there and back'],
    ['ws-differential/scenarios/sending', 'options that say the kind'],
  ],
  [
    '22',
    "protocol is the application's, extensions '', url resolved",
    ['conformance/socket-transport', "are the application's own"],
    ['ws-differential/scenarios/connecting', 'subprotocols, and where the options stand'],
  ],
  [
    '23',
    'extensible, with methods that can be replaced',
    ['conformance/socket-surface', 'takes what applications put on it'],
    ['ws-differential/scenarios/emitter', 'properties of the application'],
  ],
  [
    '24',
    'close() during the handshake, twice',
    ['conformance/socket-close', 'while the handshake is pending'],
    ['here', 'close() while the secure handshake is pending'],
  ],
  ['25', 'a handshake well within 4 s', ['here', 'is open in less than a connect timeout']],
  [
    '26',
    'codes that a browser may send',
    ['conformance/socket-surface', 'send and close count and check'],
    ['ws-differential/scenarios/closing', 'what is refused'],
  ],
  [
    '27',
    'a name for the class',
    ['conformance/socket-surface', 'the class: length, name'],
    ['ws-differential/scenarios/api', 'names of the module'],
  ],
  [
    '28',
    'the ws style: emitter, pause, resume, terminate, _socket',
    ['ws-differential/scenarios/control', 'pause, isPaused, resume'],
    ['ws-differential/scenarios/stream', 'carries bytes and text both ways'],
  ],
  [
    'server',
    'every option of ws, or a reason',
    ['ws-differential/scenarios/server', 'perMessageDeflate'],
    ['here', 'as engine.io makes it'],
  ],
  [
    'server',
    'live options',
    ['ws-differential/scenarios/server', 'options are live'],
    ['ws-differential/scenarios/server', 'handleProtocols'],
    ['here', 'as crossws treats it'],
  ],
  [
    'server',
    'clients has finished handshakes only; close() ends the others',
    ['in-process/ws-server-secure', 'close() ends handshakes that are under way'],
  ],
  ['server', "emit('connection') by hand", ['ws-differential/scenarios/server', 'noServer, by hand']],
  [
    'server',
    'internals that survive removeAllListeners()',
    ['ws-differential/scenarios/server', 'removeAllListeners() on the server'],
  ],
  [
    'server',
    "'headers', 'wsClientError', 'listening', 'error', 'close'",
    ['ws-differential/scenarios/server', 'malformed upgrades, and wsClientError'],
  ],
  [
    'server',
    '(Buffer, isBinary) and (code, Buffer)',
    ['ws-differential/scenarios/server', "'connection', and what is sent in it"],
  ],
  ['server', "binaryType in 'connection'", ['ws-differential/scenarios/receiving', "and in the server's 'connection'"]],
  [
    'server',
    'maxPayload of what the application gets',
    ['here', 'a limit of 4096 bytes'],
    ['ws-differential/scenarios/receiving', 'async maxPayload('],
  ],
  ['server', 'no way around the seal', ['in-process/no-bypass', 'falls back to send, which seals']],
];

const folder = path.resolve(import.meta.dirname, '..');

describe('each row has its tests', () => {
  test('there are all rows', () => {
    const rows = CONTRACT.map(([row]) => row).filter((row) => row !== 'server');
    expect(rows).toEqual(Array.from({ length: 28 }, (_unused, index) => String(index + 1)));
  });

  test.each(CONTRACT)('%s: %s', (_row, _what, ...tests) => {
    for (const [file, title] of tests as readonly (readonly [string, string])[]) {
      const found = [file === 'here' ? 'in-process/contract' : file]
        .flatMap((name) => [`${name}.test.ts`, `${name}.ts`])
        .some((name) => {
          try {
            // This file's own table does not count as a test.
            return (
              readFileSync(path.join(folder, name), 'utf8').split('\nconst folder =').at(-1)?.includes(title) === true
            );
          } catch {
            return false;
          }
        });
      expect(found, `${file}: ${title}`).toBe(true);
    }
  });
});

async function connected(
  options: WebSocketServerOptions = {},
): Promise<{ client: WsStyleWebSocket; peer: WsStyleWebSocket }> {
  const { url, next } = await startSecure(options);
  const client = new WebSocket(url);
  const [{ socket }] = await Promise.all([next(), once(client, 'open')]);
  return { client, peer: socket };
}

/** An http server that leaves the upgrade to `upgrade`. */
async function listening(
  server: WebSocketServer,
  upgrade: (request: never, socket: never, head: Buffer) => void,
): Promise<string> {
  const http = createServer();
  http.on('upgrade', upgrade as never);
  http.listen(0, '127.0.0.1');
  await nodeOnce(http, 'listening');
  onTestFinished(() => {
    for (const socket of server.clients ?? []) socket.terminate();
    server.close();
    http.close();
    http.closeAllConnections();
  });
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

describe('the client of pq-websocket/ws', () => {
  test('a signal takes a listener away', async () => {
    const { client, peer } = await connected();
    const controller = new AbortController();
    const heard: unknown[] = [];
    client.addEventListener('message', ({ data }: MessageEvent) => heard.push(`removed ${String(data)}`), {
      signal: controller.signal,
    });
    client.addEventListener('message', ({ data }: MessageEvent) => heard.push(data), {
      signal: new AbortController().signal,
    });
    client.addEventListener('message', () => heard.push('never'), { signal: AbortSignal.abort() });
    for (const text of ['one', 'two']) {
      peer.send(text);
      await once(client, 'message');
      controller.abort();
    }
    expect(heard).toEqual(['removed one', 'one', 'two']);
  });

  test('events can be constructed again, as wrappers do', async () => {
    const { client, peer } = await connected();
    const clones: Event[] = [];
    const clone = (event: Event): void => {
      const { constructor } = event as unknown as { constructor: new (type: string, init: unknown) => Event };
      clones.push(new constructor(event.type, event));
    };
    for (const type of ['message', 'close'] as const) client.addEventListener(type, clone);
    peer.send('text');
    peer.close(4000, 'done');
    await once(client, 'close');
    expect(clones).toMatchObject([
      { type: 'message', data: 'text' },
      { type: 'close', code: 4000, reason: 'done', wasClean: true },
    ]);
  });

  test('close() while the secure handshake is pending: no throw, error, 1006, once', async () => {
    const http = createServer();
    const { WebSocketServer: Plain } = await import('ws');
    const silent = new Plain({ server: http });
    http.listen(0, '127.0.0.1');
    await nodeOnce(http, 'listening');
    onTestFinished(() => {
      silent.close();
      http.close();
      http.closeAllConnections();
    });
    const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
    const seen: unknown[] = [];
    client.on('error', (error) => seen.push(error.message));
    client.on('close', (code) => seen.push(code));
    await nodeOnce(silent, 'connection');
    client.close();
    client.close(4000);
    client.terminate();
    await once(client, 'close');
    expect(seen).toEqual(['WebSocket was closed before the connection was established', 1006]);
  });

  test('is open in less than a connect timeout of 4 s, both classes', async () => {
    const { url } = await startSecure();
    for (const socket of [new WebSocket(url), new PQWebSocket(url)]) {
      const opened = await Promise.race([
        once(socket, 'open').then(() => true),
        new Promise((resolve) => {
          setTimeout(resolve, 4_000, false).unref();
        }),
      ]);
      expect(opened).toBe(true);
      socket.close();
    }
  });
});

describe('the server', () => {
  test('as engine.io makes it and upgrades by it: four options, a copied head, no tracking', async () => {
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: 1e6,
    });
    const headers: unknown[] = [];
    server.on('headers', (lines) => headers.push(lines.length));
    const accepted = new Promise<WsStyleWebSocket>((resolve) => {
      void listening(server, (request, socket, head) => {
        server.handleUpgrade(request, socket, Buffer.from(head), resolve);
      }).then((url) => {
        const client = new WebSocket(url);
        client.on('open', () => {
          client.send('probe');
        });
        client.on('error', () => undefined);
        onTestFinished(() => {
          client.terminate();
        });
      });
    });
    const socket = await accepted;
    const [data] = await once<[Buffer]>(socket, 'message');
    const { _socket } = socket as unknown as { _socket: { remoteAddress: string } };
    expect([String(data), headers.length, server.clients, _socket.remoteAddress]).toEqual([
      'probe',
      1,
      undefined,
      '127.0.0.1',
    ]);
    expect(() => new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 1024 } as never })).toThrow(
      /perMessageDeflate/,
    );
  });

  test('as crossws treats it: perMessageDeflate set around a synchronous handleUpgrade, then set back', async () => {
    const server = new WebSocketServer({ noServer: true });
    const options = server.options as { perMessageDeflate: unknown };
    const url = await listening(server, (request, socket, head) => {
      const before = options.perMessageDeflate;
      options.perMessageDeflate = true;
      server.handleUpgrade(request, socket, head, (accepted) => server.emit('connection', accepted, request));
      options.perMessageDeflate = before;
    });
    const accepted = once<[WsStyleWebSocket]>(server, 'connection');
    const client = new WebSocket(url);
    await once(client, 'open');
    const [peer] = await accepted;
    peer.on('pong', (data) => {
      peer.send(String(data.equals(Buffer.alloc(0))));
    });
    peer.ping();
    expect([String((await once(client, 'message'))[0]), client.extensions, options.perMessageDeflate]).toEqual([
      'true',
      '',
      false,
    ]);
  });

  test('a limit of 4096 bytes lets 4096 pass, sealed and all', async () => {
    const { client, peer } = await connected({ maxPayload: 4096 });
    client.send(Buffer.alloc(4096));
    expect((await once<[Buffer]>(peer, 'message'))[0].length).toBe(4096);
  });
});
