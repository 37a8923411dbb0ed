/**
 * `npm run hops`: which of our functions a short message passes on its way through a PQWebSocket over npm `ws`. Needs
 * `npm run build`.
 *
 * Out: those on the stack where send() puts the message to what waits, and, in the turn's microtask, those on the stack of
 * net.Socket.write(). In: those on the stack of `onmessage`. Functions that return before that point (the cipher, a check)
 * are no hop, and neither are those of `ws` and of Node.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { Socket } from 'node:net';
import path from 'node:path';
import { WebSocket } from 'ws';
import type * as Client from '../src/index.ts';
import type * as Ws from '../src/ws.ts';

/** The most hops that each way may have. */
const MOST = 14;
const ROOT = path.resolve(import.meta.dirname, '..');
/** Looking at the stack uses what is watched. */
let isLooking = false;
const MESSAGE = 'hello';

/** The source file that a line of a built chunk is of: esbuild heads each file's part with its name. */
function sourceOf(chunk: string, line: number): string {
  const lines = readFileSync(chunk, 'utf8').split('\n').slice(0, line).reverse();
  return lines.find((text) => text.startsWith('// src/'))?.slice('// src/'.length) ?? path.basename(chunk);
}

/** One line for each of our functions on the stack, the first that was entered first. */
function hopsHere(): string[] {
  const { stack = '' } = new Error('where');
  return stack
    .split('\n')
    .flatMap((line) => {
      const [, name = '(a function without a name)', chunk = '', at = '0'] =
        /at (?:async )?(?:(?:new )?(.*) \()?file:\/\/(.*\/dist\/node\/.*?):(\d+):\d+\)?$/.exec(line) ?? [];
      return chunk === '' ? [] : [`${sourceOf(chunk, Number(at)).padEnd(36)} ${name}`];
    })
    .reverse();
}

/** From now on each call of `target[name]` first calls `note`. @returns what ends that */
function watch(target: object, name: string, note: () => void): () => void {
  const methods = target as Record<string, (...values: unknown[]) => unknown>;
  const real = methods[name] as (...values: unknown[]) => unknown;
  methods[name] = function (this: unknown, ...values: unknown[]): unknown {
    if (!isLooking) {
      isLooking = true;
      note();
      isLooking = false;
    }
    return Reflect.apply(real, this, values);
  };
  return () => {
    methods[name] = real;
  };
}

Error.stackTraceLimit = 100;
const { PQWebSocket } = (await import(`${ROOT}/dist/node/index.js`)) as typeof Client;
const { WebSocketServer } = (await import(`${ROOT}/dist/node/ws.js`)) as typeof Ws;

const server = new WebSocketServer({ port: 0 });
server.on('connection', (socket) => {
  socket.on('message', (data: Uint8Array) => {
    socket.send(data, { binary: false });
  });
});
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const client = new PQWebSocket(`ws://127.0.0.1:${port}`, [], { WebSocket: WebSocket });
await new Promise((resolve) => client.addEventListener('open', resolve, { once: true }));

let queued: string[] = [];
let written: string[] = [];
let received: string[] = [];
const answered = new Promise<void>((resolve) => {
  client.onmessage = (): void => {
    if (received.length === 0) received = hopsHere();
    resolve();
  };
});
// What waits is kept in arrays: the deepest push of the turn is the message's.
const endPush = watch(Array.prototype, 'push', () => {
  const here = hopsHere();
  if (here.length > queued.length) queued = here;
});
client.send(MESSAGE);
endPush();
const endWrite = watch(Socket.prototype, 'write', () => {
  if (written.length === 0) written = hopsHere();
});
await answered;
endWrite();
client.close();
server.close();

const out = [...queued, ...written];
console.log(`Out, from send() to what waits for the end of the turn, then to net.Socket.write(): ${out.length}`);
for (const hop of out) console.log(`  ${hop}`);
console.log(`In, from a frame to onmessage: ${received.length}`);
for (const hop of received) console.log(`  ${hop}`);
for (const [way, hops] of Object.entries({ out, in: received })) {
  if (hops.length > 0 && hops.length <= MOST) continue;
  console.error(`${hops.length} hops ${way}, and 1 to ${MOST} were promised`);
  process.exitCode = 1;
}
