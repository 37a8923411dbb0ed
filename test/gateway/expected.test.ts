/** What operators have in other proxies: who may ask, whom it reaches, and what is said of it on the way. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { rendezvous, UpstreamServer } from '../../packages/cli/src/gateway/upstream-server.ts';
import { once } from '../support/deferred.ts';
import { refusedUpgrade } from '../support/ws-endpoints.ts';
import { until } from '../support/until.ts';
import { startBackend } from './backend.ts';
import { openClient, startTestGateway } from './support.ts';

const pem = (name: string): string => path.join(import.meta.dirname, 'certificates', `${name}.pem`);
const PAIR = { cert: pem('one.cert'), key: pem('one.key') };

test('lists of addresses, for all and for a route: who is denied is denied first', async () => {
  const backend = await startBackend();
  const upstreams = [backend.url];
  const gateway = await startTestGateway({
    trustedProxies: ['127.0.0.1'],
    deny: ['203.0.113.0/24'],
    routes: [{ path: '/inner/*', upstreams, allow: ['10.0.0.0/8'], deny: ['10.0.0.66'] }, { upstreams }],
  });
  const status = async (address: string, target: string): Promise<number> =>
    (await refusedUpgrade(gateway.port, target, { 'X-Forwarded-For': address })).status;
  expect(await status('203.0.113.9', '/refuse')).toBe(403);
  expect(await status('192.0.2.1', '/inner/x')).toBe(403);
  expect(await status('10.0.0.66', '/inner/x')).toBe(403);
  expect(backend.accepted()).toBe(0);
  await openClient(`${gateway.url}/inner/x`, [], { headers: { 'X-Forwarded-For': '10.1.2.3' } });
  await openClient(`${gateway.url}/`, [], { headers: { 'X-Forwarded-For': '192.0.2.1' } });
  expect(backend.accepted()).toBe(2);
});

test('header rules, both ways, and a prefix that is rewritten', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({
    plainHttp: 'upstream',
    routes: [
      {
        upstreams: [backend.url],
        requestHeaders: { set: { 'X-Tenant': 'one', 'x-forwarded-proto': 'https' }, remove: ['cookie'] },
        responseHeaders: { set: { 'X-Served': 'here' }, remove: ['x-backend'] },
        rewritePrefix: { from: '/chat', to: '/' },
      },
    ],
  });
  await openClient(`${gateway.url}/chat/room?x=1`, [], { headers: { Cookie: 'a=1', 'x-tenant': 'two' } });
  const { request } = await backend.next();
  expect(request.url).toBe('/room?x=1');
  expect(request.headers).toMatchObject({ 'x-tenant': 'one', 'x-forwarded-proto': 'https' });
  expect(request.headers.cookie).toBeUndefined();
  const page = await fetch(`http://${gateway.address}/chats`);
  expect(await page.text()).toBe('GET /chats ');
  expect(page.headers.get('x-served')).toBe('here');
  expect(page.headers.get('x-backend')).toBeNull();
});

test('request ids and traces pass, and are in the log', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const headers = {
    'X-Request-Id': 'forged',
    'X-PQ-Client-Key': 'forged',
    Traceparent: `00-${trace}-b7ad6b7169203331-01`,
  };
  const client = await openClient(`${gateway.url}/`, [], { headers });
  const { request, closed } = await backend.next();
  const id = request.headers['x-request-id'];
  expect(id).toMatch(/^[\da-f-]{36}$/);
  expect(request.headers['x-pq-client-key']).toBeUndefined();
  expect(request.headers['traceparent']).toBe(headers.Traceparent);
  const ended = once(client as never, 'close');
  client.close();
  await Promise.all([closed, ended]);
  const line = await until(() => gateway.lines.find(({ message }) => message === 'closed'));
  expect(line.facts).toMatchObject({ id, trace });

  const behind = await startTestGateway({ upstreams: [backend.url], trustedProxies: ['127.0.0.1'] });
  await openClient(`${behind.url}/`, [], { headers: { 'X-Request-Id': 'of-the-proxy' } });
  expect((await backend.next()).request.headers['x-request-id']).toBe('of-the-proxy');
});

test('a URL is asked before the backend, and says who it is', async () => {
  const asked: IncomingMessage[] = [];
  const authority = createServer((request, response) => {
    asked.push(request);
    const isKnown = request.headers.authorization === 'Bearer good';
    if (isKnown) response.writeHead(204, { 'X-User': 'ada' }).end();
    else response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end('who?');
  }).listen(0, '127.0.0.1');
  await once(authority, 'listening');
  onTestFinished(() => {
    authority.close();
    authority.closeAllConnections();
  });
  const { port } = authority.address() as { port: number };
  const backend = await startBackend();
  const auth = { url: `http://127.0.0.1:${port}/check`, pass: ['X-User', 'X-Group'] };
  const gateway = await startTestGateway({ routes: [{ upstreams: [backend.url], auth }], plainHttp: 'upstream' });
  const refused = await refusedUpgrade(gateway.port, '/room?x=1', {});
  expect(refused.status).toBe(401);
  expect(refused.headers['www-authenticate']).toBe('Bearer');
  expect((await fetch(`http://${gateway.address}/`)).status).toBe(401);
  expect(backend.accepted()).toBe(0);
  const headers = { Authorization: 'Bearer good', 'X-User': 'forged', 'X-Group': 'forged' };
  await openClient(`${gateway.url}/room?x=1`, [], { headers });
  const { request } = await backend.next();
  expect(request.headers['x-user']).toBe('ada');
  expect(request.headers['x-group']).toBeUndefined();
  expect(asked[0]?.headers).toMatchObject({ 'x-forwarded-uri': '/room?x=1', 'x-forwarded-method': 'GET' });
  expect(asked[0]?.headers['sec-websocket-key']).toBeUndefined();
  authority.close();
  authority.closeAllConnections();
  expect((await refusedUpgrade(gateway.port, '/', headers)).status).toBe(502);
});

test('weights, and the same backend for the same client', async () => {
  const [light, heavy] = [await startBackend(), await startBackend()];
  const weighted = await startTestGateway({
    routes: [{ upstreams: [light.url, { address: heavy.url, weight: 3 }] }],
  });
  for (let i = 0; i < 8; i += 1) await openClient(`${weighted.url}/`);
  expect([light.accepted(), heavy.accepted()]).toEqual([2, 6]);

  const sticky = await startTestGateway({
    routes: [{ upstreams: [light.url, heavy.url], balance: { cookie: 'session' } }],
  });
  const before = [light.accepted(), heavy.accepted()] as const;
  for (let i = 0; i < 4; i += 1) await openClient(`${sticky.url}/`, [], { headers: { Cookie: 'a=1; session=ada' } });
  expect([light.accepted() - before[0], heavy.accepted() - before[1]].sort()).toEqual([0, 4]);
});

test('only the keys of a backend that goes move', () => {
  const server = (text: string, weight = 1): UpstreamServer =>
    new UpstreamServer({ text, socket: { path: '' }, tlsName: undefined, host: '' }, () => undefined, weight);
  const [a, b, c] = [server('ws://a'), server('ws://b'), server('ws://c', 2)];
  const keys = Array.from({ length: 4_000 }, (_, i) => `client ${i}`);
  const choose = (): (string | undefined)[] => keys.map((key) => rendezvous([a, b, c], new Set(), key)?.label);
  const all = choose();
  const share = (label: string): number => all.filter((each) => each === label).length / keys.length;
  expect(share('ws://c')).toBeGreaterThan(0.45);
  expect(share('ws://c')).toBeLessThan(0.55);
  b.report('down');
  choose().forEach((label, i) => {
    if (all[i] === 'ws://b') expect(label).not.toBe('ws://b');
    else expect(label).toBe(all[i]);
  });
});

test('an authority for a backend, and a certificate that it asks for', async () => {
  const backend = await startBackend();
  const inner = await startTestGateway({
    tls: { ...PAIR, clientCa: PAIR.cert },
    upstreams: [backend.url],
    plainHttp: 'upstream',
  });
  const address = `wss://localhost:${inner.port}`;
  const outer = await startTestGateway({
    routes: [{ upstreams: [{ address, ca: PAIR.cert, ...PAIR }] }],
    plainHttp: 'upstream',
  });
  expect((await fetch(`http://${outer.address}/`)).status).toBe(200);
  const nameless = await startTestGateway({
    routes: [{ upstreams: [{ address, ca: PAIR.cert }], health: false }],
    plainHttp: 'upstream',
  });
  expect((await fetch(`http://${nameless.address}/`)).status).toBe(502);
});

test('the certificate of the name that is asked for', async () => {
  const backend = await startBackend();
  const more = [{ cert: pem('three.cert'), key: pem('three.key') }];
  const gateway = await startTestGateway({ tls: { ...PAIR, more }, upstreams: [backend.url] });
  const subject = async (servername: string): Promise<unknown> => {
    const socket = connectTls({ port: gateway.port, host: '127.0.0.1', servername, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  expect(await subject('three.example')).toBe('gateway three');
  expect(await subject('a.three.example')).toBe('gateway three');
  expect(await subject('localhost')).toBe('gateway one');
  expect(await subject('nobody.example')).toBe('gateway one');
});
