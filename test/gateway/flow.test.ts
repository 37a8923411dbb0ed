/** Back-pressure, draining and the limits of time: what the gateway holds back, and what it lets go. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { platform } from '#platform';
import { once } from '../support/deferred.ts';
import { nextTask } from '../support/endpoints.ts';
import { startBackend } from './backend.ts';
import { metric, nextText, openClient, startTestGateway } from './support.ts';
import type { TestGateway } from './support.ts';

const MESSAGE = 64 * 1024;
const COUNT = 512;
const HIGH_WATER = 256 * 1024;
/** What a leg may hold: the mark, and what was read from the other leg before it was seen, once at each layer. */
const BOUND = HIGH_WATER + 4 * (MESSAGE + 64 * 1024);

async function metricReaches(gateway: TestGateway, series: string, least: number): Promise<string> {
  for (;;) {
    const { body } = await gateway.admin('/metrics');
    if (metric(body, series) >= least) return body;
    await nextTask();
  }
}

/** The first bytes of each message tell its number. */
function numbered(i: number): Buffer {
  const message = Buffer.alloc(MESSAGE);
  message.writeUInt32BE(i);
  return message;
}

test('a client that does not read stops the reading from the backend; nothing is lost', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], limits: { bufferedBytes: HIGH_WATER } });
  const client = await openClient(`${gateway.url}/`);
  const { socket } = await backend.next();
  client.pause();
  for (let i = 0; i < COUNT; i++) socket.send(numbered(i));
  const stalled = await metricReaches(gateway, 'pqws_gateway_pauses_total', 1);
  // Paused is paused: from here on nothing more is read, so this is the most that it ever holds.
  for (let i = 0; i < 50; i++) await nextTask();
  const later = (await gateway.admin('/metrics')).body;
  for (const body of [stalled, later]) expect(metric(body, 'pqws_gateway_buffered_bytes')).toBeLessThanOrEqual(BOUND);
  expect(metric(later, 'pqws_gateway_buffered_bytes')).toBeGreaterThan(0);
  expect(socket.bufferedAmount).toBeGreaterThan(0);

  const received: number[] = [];
  const all = new Promise<void>((resolve) => {
    client.on('message', (data: Buffer) => {
      received.push(data.readUInt32BE());
      if (received.length === COUNT) resolve();
    });
  });
  client.resume();
  await all;
  expect(received).toEqual(Array.from({ length: COUNT }, (_, i) => i));
});

test('a backend that is cut while its client does not read: all that it had sent arrives, then the cut', async () => {
  const backend = await startBackend();
  // Room for everything, so that the gateway still holds much of it when the backend is gone.
  const gateway = await startTestGateway({ upstreams: [backend.url], limits: { bufferedBytes: 2 * COUNT * MESSAGE } });
  const client = await openClient(`${gateway.url}/`);
  const { socket, request, closed } = await backend.next();
  client.pause();
  for (let i = 0; i < COUNT; i++) socket.send(numbered(i));
  await metricReaches(gateway, 'pqws_gateway_messages_total{direction="out"}', COUNT);
  request.socket.end();
  await closed;
  await nextTask();
  expect(metric((await gateway.admin('/metrics')).body, 'pqws_gateway_buffered_bytes')).toBeGreaterThan(0);
  let received = 0;
  client.on('message', () => {
    received += 1;
  });
  const ended = once<[number]>(client, 'close');
  client.resume();
  expect((await ended)[0]).toBe(1006);
  expect(received).toBe(COUNT);
});

test('a backend that does not read stops the reading from the client; nothing is lost', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], limits: { bufferedBytes: HIGH_WATER } });
  const client = await openClient(`${gateway.url}/`);
  const { socket } = await backend.next();
  socket.pause();
  for (let i = 0; i < COUNT; i++) client.send(numbered(i));
  await metricReaches(gateway, 'pqws_gateway_pauses_total', 1);
  for (let i = 0; i < 50; i++) await nextTask();
  const { body } = await gateway.admin('/metrics');
  expect(metric(body, 'pqws_gateway_buffered_bytes')).toBeLessThanOrEqual(BOUND);
  expect(metric(body, 'pqws_gateway_buffered_bytes')).toBeGreaterThan(0);
  expect(client.bufferedAmount).toBeGreaterThan(0);

  const received: number[] = [];
  const all = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      received.push(data.readUInt32BE());
      if (received.length === COUNT) resolve();
    });
  });
  socket.resume();
  await all;
  expect(received).toEqual(Array.from({ length: COUNT }, (_, i) => i));
});

test('a drain refuses newcomers, lets conversations end, and says 1001 behind all that the backend had sent', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], drain: { deadline: 500 } });
  const client = await openClient(`${gateway.url}/`);
  const { socket, closed } = await backend.next();
  expect((await gateway.admin('/readyz')).status).toBe(200);
  const drained = gateway.drain();
  expect(gateway.isReady).toBe(false);
  expect((await gateway.admin('/readyz')).status).toBe(503);
  expect((await gateway.admin('/healthz')).status).toBe(200);
  await expect(openClient(`${gateway.url}/`)).rejects.toThrow();
  expect(backend.accepted()).toBe(1);

  const received: string[] = [];
  client.on('message', (data: Buffer) => received.push(data.toString()));
  const ended = once<[number, Buffer]>(client, 'close');
  // The backend speaks until it hears of the end, and its last words count too.
  socket.on('close', () => undefined);
  let sent = 0;
  const speak = setInterval(() => {
    if (socket.readyState === socket.OPEN) socket.send(`${sent++}`);
  }, 1);
  const [code] = await ended;
  clearInterval(speak);
  await drained;
  expect(code).toBe(1001);
  expect(await closed).toBe(1001);
  expect(sent).toBeGreaterThan(0);
  expect(received).toEqual(Array.from({ length: sent }, (_, i) => `${i}`));
  await expect(fetch(`http://${gateway.adminAddress}/healthz`)).rejects.toThrow();
});

test('a drain waits for handshakes that are under way', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], drain: { deadline: 3_600_000 } });
  const opening = openClient(`${gateway.url}/echo`);
  // The backend is reached before the client is upgraded.
  await backend.next();
  const drained = gateway.drain();
  const client = await opening;
  client.send('served');
  expect(await nextText(client)).toBe('served');
  client.close();
  await drained;
});

test("in a drain's delay newcomers are served, since load balancers have not heard of it; an end now does not wait for it", async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], drain: { delay: 3_600_000 } });
  const drained = gateway.drain();
  expect((await gateway.admin('/readyz')).status).toBe(503);
  const client = await openClient(`${gateway.url}/echo`);
  client.send('served');
  expect(await nextText(client)).toBe('served');
  const ended = once<[number]>(client, 'close');
  void gateway.close();
  expect((await ended)[0]).toBe(1001);
  await drained;
});

test('a drain is over as soon as nothing is open', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], drain: { deadline: 3_600_000 } });
  const client = await openClient(`${gateway.url}/echo`);
  const drained = gateway.drain();
  client.send('still served');
  expect(await nextText(client)).toBe('still served');
  client.close();
  await drained;
});

test('a backend that never answers the close cannot keep a drain', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const client = await openClient(`${gateway.url}/`);
  const { socket } = await backend.next();
  socket.pause();
  const ended = once<[number]>(client, 'close');
  await gateway.close();
  expect((await ended)[0]).toBe(1001);
});

test('an idle conversation gets 1001; a ping keeps it', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], timeouts: { idle: 400 } });
  const idle = await openClient(`${gateway.url}/`);
  const busy = await openClient(`${gateway.url}/`);
  const pings = setInterval(() => {
    busy.ping();
  }, 50);
  const [code] = await once<[number]>(idle, 'close');
  expect(code).toBe(1001);
  expect(busy.readyState).toBe(1);
  clearInterval(pings);
});

test('what a client says is opened where it stands, though the gateway counts its bytes', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const client = await openClient(`${gateway.url}/echo`);
  client.send('the first');
  expect(await nextText(client)).toBe('the first');
  const asked = vi.spyOn(platform, 'readsAlone');
  onTestFinished(() => {
    asked.mockRestore();
  });
  client.send('the second');
  expect(await nextText(client)).toBe('the second');
  // Both ends are in this process, and what short messages stand in is never theirs alone.
  expect(asked.mock.results.map(({ value }) => value)).toEqual([true, true]);
});

test('what a backend says in several pieces leaves none of them for the collector', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const client = await openClient(`${gateway.url}/`);
  const { socket } = await backend.next();
  const words = Buffer.alloc(4 * MESSAGE, 'said in the clear, ');
  let pieces = 0;
  const memory = ArrayBuffer.prototype as unknown as { transfer(this: ArrayBuffer): ArrayBuffer };
  const transfer = vi.spyOn(memory, 'transfer').mockImplementation(function (this: ArrayBuffer) {
    // What the client reads is sealed, and what the gateway sends on is longer.
    if (this.byteLength < words.length && Buffer.from(this).includes('said in the clear')) pieces += 1;
    return this;
  });
  onTestFinished(() => {
    transfer.mockRestore();
  });
  for (let i = 0; i < 8; i += 1) {
    socket.send(words);
    const [data] = await once<[Buffer]>(client, 'message');
    expect(words.equals(data)).toBe(true);
  }
  expect(pieces).toBeGreaterThan(0);
});
