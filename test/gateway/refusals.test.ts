/** What the gateway says no to, with which answer, and that the backend hears nothing of it. */
import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket as PlainSocket } from 'ws';
import { once } from '../support/deferred.ts';
import { refusedUpgrade } from '../support/ws-endpoints.ts';
import { startBackend } from './backend.ts';
import { metric, nextText, openClient, startTestGateway } from './support.ts';

/** Sends bytes, and gives what came until the end. */
async function raw(port: number, ...chunks: (string | Buffer)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
  });
  socket.on('error', () => undefined);
  for (const chunk of chunks) socket.write(chunk);
  await once(socket, 'close');
  return received;
}

test('a refusal of the backend arrives as it was given, without its hop-by-hop headers', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const answer = await refusedUpgrade(gateway.port, '/refuse/me', {});
  expect(answer).toMatchObject({ status: 403, body: 'sorry' });
  expect(answer.headers).toMatchObject({ 'x-why': 'because, also', 'set-cookie': ['a=1'], connection: 'close' });
  expect(answer.headers['x-secret']).toBeUndefined();
  expect(answer.headers['keep-alive']).toBeUndefined();
  expect(
    await raw(
      gateway.port,
      `GET /refuse HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`,
    ),
  ).toMatch(/^HTTP\/1\.1 403 Not You\r\n/);
});

test('no backend: 502, and 504 for one that does not answer', async () => {
  const backend = await startBackend();
  await backend.stop();
  const gateway = await startTestGateway({ routes: [{ upstreams: [backend.url], health: false }] });
  expect((await refusedUpgrade(gateway.port, '/', {})).status).toBe(502);

  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const waiting = await startTestGateway({
    routes: [{ upstreams: [`ws://127.0.0.1:${port}`] }],
    timeouts: { upgrade: 100 },
  });
  expect((await refusedUpgrade(waiting.port, '/', {})).status).toBe(504);
  silent.close();
});

test('origins that are not allowed, and none, get 403', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], allowedOrigins: ['https://good.example'] });
  for (const headers of [{}, { Origin: 'https://evil.example' }, { Origin: 'https://good.example.evil' }] as Record<
    string,
    string
  >[]) {
    expect((await refusedUpgrade(gateway.port, '/', headers)).status).toBe(403);
  }
  await openClient(`${gateway.url}/`, [], { origin: 'https://good.example' });
  expect(backend.accepted()).toBe(1);
  expect(metric((await gateway.admin('/metrics')).body, 'pqws_gateway_refusals_total{reason="origin"}')).toBe(3);
});

test('limits in all and for an address; a place comes back when its connection is over', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({
    upstreams: [backend.url],
    limits: { connections: 2, connectionsPerAddress: 1 },
    trustedProxies: ['127.0.0.1'],
  });
  const from = (address: string): Record<string, string> => ({ 'X-Forwarded-For': address });
  const first = await openClient(`${gateway.url}/`, [], { headers: from('192.0.2.1') });
  expect((await refusedUpgrade(gateway.port, '/', from('192.0.2.1'))).status).toBe(429);
  await openClient(`${gateway.url}/`, [], { headers: from('192.0.2.2') });
  const full = await refusedUpgrade(gateway.port, '/', from('192.0.2.3'));
  expect(full.status).toBe(503);
  expect(full.headers['retry-after']).toBe('5');
  expect(backend.accepted()).toBe(2);
  const { closed } = await backend.next();
  first.close();
  await once(first as never, 'close');
  await closed;
  await openClient(`${gateway.url}/`, [], { headers: from('192.0.2.1') });
});

test('a rate for each address', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({
    upstreams: [backend.url],
    limits: { handshakesPerSecond: 1, handshakeBurst: 3 },
    trustedProxies: ['127.0.0.0/8'],
  });
  const asked = (address: string): Promise<{ status: number; headers: object }> =>
    refusedUpgrade(gateway.port, '/refuse', { 'X-Forwarded-For': address });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await asked('192.0.2.1')).status);
  expect(statuses).toEqual([403, 403, 403, 429]);
  expect((await asked('192.0.2.2')).status).toBe(403);
});

test('a route that nobody has, and requests that are no WebSocket upgrade', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ routes: [{ path: '/chat/*', upstreams: [backend.url] }] });
  expect((await refusedUpgrade(gateway.port, '/other', {})).status).toBe(404);
  expect((await refusedUpgrade(gateway.port, '/chat/../other', {})).status).toBe(404);
  expect((await refusedUpgrade(gateway.port, '/chat/x', { 'Sec-WebSocket-Version': '12' })).status).toBe(400);
  expect((await refusedUpgrade(gateway.port, '/chat/x', { 'Sec-WebSocket-Key': 'short' })).status).toBe(400);
  expect((await refusedUpgrade(gateway.port, '/chat/x', { Upgrade: 'h2c' })).status).toBe(426);
  expect((await refusedUpgrade(gateway.port, '/chat/x', { 'Sec-WebSocket-Protocol': 'a, a' })).status).toBe(400);
  expect(backend.accepted()).toBeLessThanOrEqual(1);
  await openClient(`${gateway.url}/chat/x`);
});

test('garbage gets its 400, an endless head its 431, silence the end of the connection', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({
    upstreams: [backend.url],
    timeouts: { header: 300 },
    limits: { headerBytes: 2_048 },
  });
  expect(await raw(gateway.port, Buffer.from('\x16\x03\x01\x02\x00garbage', 'latin1'))).toMatch(/^HTTP\/1\.1 400 /);
  expect(await raw(gateway.port, `GET / HTTP/1.1\r\nX: ${'x'.repeat(4_096)}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  expect(await raw(gateway.port)).toBe('');
  expect(await raw(gateway.port, 'GET / HTTP/1.1\r\nHost:')).toBe('');
  const { body } = await gateway.admin('/metrics');
  expect(metric(body, 'pqws_gateway_unreadable_total{reason="garbage"}')).toBe(2);
  expect(metric(body, 'pqws_gateway_unreadable_total{reason="header-timeout"}')).toBe(2);
  expect(backend.accepted()).toBe(0);
  // Nobody else noticed.
  const client = await openClient(`${gateway.url}/echo`);
  client.send('fine');
  expect(await nextText(client)).toBe('fine');
});

test('a client that speaks plain gets 3768, and the backend nothing but a cut', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const plain = new PlainSocket(`${gateway.url}/greet`);
  const received: unknown[] = [];
  plain.on('message', (data) => received.push(data));
  await once(plain, 'open');
  plain.send('hello there');
  const [code] = await once<[number]>(plain, 'close');
  expect(code).toBe(3768);
  const accepted = await backend.next();
  expect(await accepted.closed).toBe(1006);
  expect(accepted.log).toEqual(['close 1006 ']);
  expect(received).toEqual([]);
  const { body } = await gateway.admin('/metrics');
  expect(metric(body, 'pqws_gateway_handshakes_total{result="PQ_ERR_NOT_PQ_WEBSOCKET"}')).toBe(1);
  expect(metric(body, 'pqws_gateway_failures_total{code="PQ_ERR_NOT_PQ_WEBSOCKET"}')).toBe(1);
});

test('a client that says nothing after the upgrade gets 3769', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], timeouts: { handshake: 200 } });
  const plain = new PlainSocket(`${gateway.url}/greet`);
  const [code] = await once<[number]>(plain, 'close');
  expect(code).toBe(3769);
  expect(await (await backend.next()).closed).toBe(1006);
});

test('a message beyond the limit ends the conversation, either way', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], limits: { messageBytes: 1_000 } });
  const sender = await openClient(`${gateway.url}/`);
  const first = await backend.next();
  sender.send(Buffer.alloc(1_001));
  const [code] = await once<[number]>(sender, 'close');
  expect(code).toBe(3773);
  expect(await first.closed).toBe(1006);
  expect(first.log).toEqual(['close 1006 ']);

  const receiver = await openClient(`${gateway.url}/`);
  const second = await backend.next();
  second.socket.send(Buffer.alloc(1_001));
  expect((await once<[number]>(receiver as never, 'close'))[0]).toBe(1006);
  expect(await second.closed).toBe(1009);
});

test('plain requests get 426, or the backend', async () => {
  const backend = await startBackend();
  const refusing = await startTestGateway({ upstreams: [backend.url] });
  const refused = await fetch(`http://${refusing.address}/page`);
  expect(refused.status).toBe(426);
  expect(refused.headers.get('upgrade')).toBe('websocket');

  const passing = await startTestGateway({ upstreams: [backend.url], plainHttp: 'upstream' });
  const page = await fetch(`http://${passing.address}/page?q=1`, { method: 'POST', body: 'the body' });
  expect(page.status).toBe(200);
  expect(page.statusText).toBe('Said So');
  expect(page.headers.get('x-backend')).toBe('yes');
  expect(await page.text()).toBe('POST /page?q=1 the body');
  expect((await fetch(`http://${passing.address}/missing`)).status).toBe(404);
  await backend.stop();
  expect((await fetch(`http://${passing.address}/page`)).status).toBe(502);
});

test('a body without a length stays a body, and a length without a body goes nowhere', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], plainHttp: 'upstream' });
  const inner = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
  const answer = await raw(
    gateway.port,
    `GET /first HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer).toContain(`GET /first ${inner}`);

  const client = await openClient(`${gateway.url}/echo`, [], {
    headers: { 'Content-Length': '5', Expect: '100-continue' },
  });
  const { headers } = (await backend.next()).request;
  expect(headers['content-length']).toBeUndefined();
  expect(headers['expect']).toBeUndefined();
  client.send('frames are frames');
  expect(await nextText(client)).toBe('frames are frames');
});

test('what was said is in no log and no metric', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const client = await openClient(`${gateway.url}/echo?token=tell-nobody-query`, [], {
    headers: { Authorization: 'Bearer tell-nobody-header' },
  });
  client.send('tell-nobody-message');
  await nextText(client);
  const { closed } = await backend.next();
  client.close(4000, 'tell-nobody-reason');
  await closed;
  await refusedUpgrade(gateway.port, '/refuse?tell-nobody-refused', {});
  const { body } = await gateway.admin('/metrics');
  expect(JSON.stringify(gateway.lines)).toContain('"message":"closed"');
  expect(JSON.stringify(gateway.lines) + body).not.toContain('tell-nobody');
  expect(metric(body, 'pqws_gateway_messages_total{direction="in"}')).toBe(1);
  expect(metric(body, 'pqws_gateway_bytes_total{direction="out"}')).toBe('tell-nobody-message'.length);
  expect(metric(body, 'pqws_gateway_handshakes_total{result="ok"}')).toBe(1);
  expect(metric(body, 'pqws_gateway_handshake_seconds_count')).toBe(1);
  expect(metric(body, 'pqws_gateway_ends_total{end="client-closed"}')).toBe(1);
  expect(metric(body, 'pqws_gateway_records_total{direction="in"}')).toBe(3);
  expect(body).toContain('nodejs_eventloop_lag_seconds');
});
