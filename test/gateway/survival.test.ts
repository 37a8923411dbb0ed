/**
 * Nothing that a backend or a client says ends the gateway, or keeps an answer from whom it is due: a fuzz of both, with a kept
 * corpus. vitest fails the run for any uncaught error, which would have ended the process.
 */
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { once } from '../support/deferred.ts';
import { startBackend } from './backend.ts';
import { answer, delivery } from './fuzz/answers.ts';
import type { Delivery } from './fuzz/answers.ts';
import { ANSWERS, REQUESTS, UPSTREAM_FRAMES } from './fuzz/corpus.ts';
import { frames } from './fuzz/frames.ts';
import { Choices } from './fuzz/random.ts';
import { oddRequest } from './fuzz/requests.ts';
import { nextText, openClient, startTestGateway } from './support.ts';
import type { TestGateway } from './support.ts';

// The whole corpus and a hundred new inputs are tried, however busy the machine is; how many more there were is said.
vi.setConfig({ testTimeout: 120_000 });

/** Milliseconds of new inputs, behind the corpus. */
const FUZZ_MS = Number(process.env['PQ_FUZZ_MS'] ?? 4_000);
/** New inputs at least, however long they take. */
const MIN_NEW = 100;
const AT_ONCE = 16;
const UPGRADE = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n`;
const limits = {
  connections: 100_000,
  connectionsPerAddress: 100_000,
  handshakesPerSecond: 1_000_000,
  handshakeBurst: 1_000_000,
};

/** Runs inputs, `AT_ONCE` of them at a time: those of the corpus, then new ones until the time is over and there were enough. */
async function each(
  corpus: readonly string[],
  make: () => string,
  run: (input: string) => Promise<void>,
): Promise<number> {
  const inputs = [...corpus];
  const end = performance.now() + FUZZ_MS;
  let count = 0;
  const isEnough = (): boolean => count >= corpus.length + MIN_NEW && performance.now() >= end;
  const worker = async (): Promise<void> => {
    for (;;) {
      const input = inputs.shift() ?? (isEnough() ? undefined : make());
      if (input === undefined) return;
      count += 1;
      await run(input);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return count;
}

/** A server that says what it is told to, to each connection that has sent a request's head. */
async function startRawServer(say: (head: string, socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    let received = '';
    const read = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      if (!received.includes('\r\n\r\n')) return;
      socket.off('data', read);
      socket.resume();
      say(received, socket);
    };
    socket.on('data', read);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as { port: number }).port;
}

function deliver(socket: Socket, { bytes, pieces, then }: Delivery): void {
  const size = Math.ceil(bytes.length / pieces);
  for (let i = 0; i < pieces; i += 1) socket.write(bytes.slice(i * size, (i + 1) * size), 'latin1');
  if (then === 'end') socket.end();
  // Longer than the gateway waits for an answer.
  if (then === 'wait') setTimeout(() => socket.destroy(), 300);
  if (then === 'cut') setImmediate(() => socket.resetAndDestroy());
}

/** Sends bytes and gives what came until the connection's end. */
async function ask(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
  });
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  return received;
}

async function serves(gateway: TestGateway): Promise<void> {
  const client = await openClient(`${gateway.url}/good`);
  client.send('still here');
  expect(await nextText(client)).toBe('still here');
  client.terminate();
  expect(
    gateway.lines.filter(({ message }) => /fail|fault/.test(message) && message !== 'the secure handshake failed'),
  ).toEqual([]);
}

test('whatever a backend answers, the client has an answer, and the gateway goes on', async () => {
  const choices = new Choices();
  const waiting = new Map<string, Delivery>();
  const odd = await startRawServer((head, socket) => {
    const id = /^\S+ \/odd\/(\d+)/.exec(head)?.[1] ?? '';
    deliver(socket, waiting.get(id) ?? { bytes: '', pieces: 1, then: 'end' });
  });
  const good = await startBackend();
  const gateway = await startTestGateway({
    routes: [
      { path: '/odd/*', upstreams: [`ws://127.0.0.1:${odd}`], health: false },
      { path: '/good', upstreams: [good.url.replace('/echo', '')] },
    ],
    plainHttp: 'upstream',
    timeouts: { upgrade: 150, handshake: 300 },
    limits,
  });
  let id = 0;
  const count = await each(
    ANSWERS,
    () => answer(choices),
    async (input) => {
      id += 1;
      waiting.set(`${id}`, delivery(choices, input));
      const asked = `${choices.of(['GET', 'GET', 'HEAD', 'POST'])} /odd/${id} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
      const upgrade = `GET /odd/${id} HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`;
      const answers = await Promise.all([ask(gateway.port, asked), ask(gateway.port, upgrade)]);
      waiting.delete(`${id}`);
      for (const each of answers) {
        // A cut in the middle is one, but there is a beginning.
        expect(each, JSON.stringify(input)).toMatch(/^HTTP\/1\.1 [1-9]\d\d [\t\x20-\x7e\x80-\xff]*\r\n/);
      }
    },
  );
  await serves(gateway);
  console.log(`survival: ${count} answers of backends, each to a request and to an upgrade, seed ${choices.seed}`);
});

test('whatever a backend says behind its 101, the client hears an end, and the gateway goes on', async () => {
  const choices = new Choices();
  const waiting = new Map<string, Delivery>();
  const odd = await startRawServer((head, socket) => {
    const key = /sec-websocket-key: (\S+)/i.exec(head)?.[1] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const said = waiting.get(/^GET \/odd\/(\d+)/.exec(head)?.[1] ?? '');
    const answered = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
    deliver(socket, { pieces: 1, then: 'end', ...said, bytes: answered + (said?.bytes ?? '') });
  });
  const good = await startBackend();
  const gateway = await startTestGateway({
    routes: [
      { path: '/odd/*', upstreams: [`ws://127.0.0.1:${odd}`], health: false },
      { path: '/good', upstreams: [good.url] },
    ],
    limits,
  });
  let id = 0;
  const count = await each(
    UPSTREAM_FRAMES,
    () => frames(choices, false),
    async (input) => {
      id += 1;
      const isLeft = choices.chance(4);
      waiting.set(`${id}`, { ...delivery(choices, input), then: isLeft ? 'wait' : choices.of(['end', 'cut']) });
      const client = await openClient(`${gateway.url}/odd/${id}`).catch(() => undefined);
      if (client === undefined) return;
      client.on('error', () => undefined);
      // What is whole and right ends nothing, and a client may go.
      if (isLeft) client.terminate();
      if (client.readyState !== client.CLOSED) await once(client, 'close');
      waiting.delete(`${id}`);
    },
  );
  await serves(gateway);
  console.log(`survival: ${count} conversations of backends, seed ${choices.seed}`);
});

test('whatever a client says, the gateway goes on', async () => {
  const choices = new Choices();
  const good = await startBackend();
  const gateway = await startTestGateway({
    upstreams: [good.url],
    plainHttp: 'upstream',
    timeouts: { header: 200, handshake: 200 },
    limits,
  });
  const upgraded = (bytes: string): string => `GET /good HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n${bytes}`;
  const count = await each(
    [...REQUESTS, ...UPSTREAM_FRAMES.map(upgraded)],
    () => (choices.chance(3) ? upgraded(frames(choices, true)) : oddRequest(choices, 'fuzz').bytes),
    async (input) => {
      const socket = connect(gateway.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume();
      socket.write(input, 'latin1');
      const end = choices.of(['end', 'reset', 'wait']);
      if (end === 'end') socket.end();
      else if (end === 'reset') socket.resetAndDestroy();
      await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, 250))]);
      socket.destroy();
    },
  );
  await serves(gateway);
  console.log(`survival: ${count} clients, seed ${choices.seed}`);
});
