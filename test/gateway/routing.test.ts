/** Which backend a request reaches, over which leg, and what the gateway believes of who sent it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { leastConnected, UpstreamServer } from '../../packages/cli/src/gateway/upstream-server.ts';
import { keyExchangeGroups } from '../../packages/cli/src/gateway/tls.ts';
import { once } from '../support/deferred.ts';
import { until } from '../support/until.ts';
import { startBackend } from './backend.ts';
import { metric, nextText, openClient, startTestGateway } from './support.ts';

const certificate = (name: 'one' | 'two'): { cert: string; key: string } => ({
  cert: path.join(import.meta.dirname, 'certificates', `${name}.cert.pem`),
  key: path.join(import.meta.dirname, 'certificates', `${name}.key.pem`),
});

test('by host and path, in order; without URLPattern of the platform too', async () => {
  vi.stubGlobal('URLPattern', undefined);
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  const [first, second, third] = [await startBackend(), await startBackend(), await startBackend()];
  const gateway = await startTestGateway({
    routes: [
      { host: 'chat.example.com', upstreams: [first.url] },
      { host: '*.example.com', path: '/api/:version/*', upstreams: [second.url], preserveHost: false },
      { upstreams: [third.url] },
    ],
  });
  const ask = (host: string, target: string): Promise<unknown> =>
    openClient(gateway.url + target, [], { headers: { Host: host } });
  await ask('chat.example.com:8443', '/api/v1/x');
  await ask('other.example.com', '/api/v1/x');
  await ask('other.example.com', '/');
  await ask('127.0.0.1', '/api/v1/x');
  expect([first, second, third].map((backend) => backend.accepted())).toEqual([1, 1, 2]);
  expect((await first.next()).request.headers.host).toBe('chat.example.com:8443');
  const { headers } = (await second.next()).request;
  expect(headers.host).toBe(`127.0.0.1:${second.port}`);
  expect(headers['x-forwarded-host']).toBe('other.example.com');
});

test('over a unix socket, in and out', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pqws-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const backend = await startBackend({ path: path.join(folder, 'backend') });
  const gateway = await startTestGateway({ listen: `unix:${folder}/gateway`, upstreams: [backend.url] });
  const client = await openClient('ws://localhost/echo', [], {
    createConnection: () => connectSocket(`${folder}/gateway`),
  });
  client.send('through two files');
  expect(await nextText(client)).toBe('through two files');
  expect((await backend.next()).request.headers['x-forwarded-for']).toBe('unix');
  expect(gateway.address).toBe(`unix:${folder}/gateway`);
});

test('a proxy in front on a unix socket says who the client is, where it is trusted', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pqws-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const backend = await startBackend();
  const ask = async (socketPath: string, forwardedFor: string): Promise<number | undefined> => {
    const asked = request({ socketPath, headers: { 'X-Forwarded-For': forwardedFor }, agent: false }).end();
    const [answer] = await once<[IncomingMessage]>(asked, 'response');
    answer.resume();
    return answer.statusCode;
  };
  const denied = '203.0.113.9';
  for (const trustedProxies of [['unix'], ['203.0.113.0/24', 'unix'], []]) {
    const listen = `${folder}/${trustedProxies.length}`;
    const gateway = await startTestGateway({
      listen: `unix:${listen}`,
      upstreams: [backend.url],
      plainHttp: 'upstream',
      trustedProxies,
      deny: [denied],
      limits: { handshakesPerSecond: 1, handshakeBurst: 1 },
    });
    const isTrusted = trustedProxies.length > 0;
    expect(await ask(listen, denied), trustedProxies.join()).toBe(isTrusted ? 403 : 200);
    // Each has a bucket of its own.
    expect(await ask(listen, '198.51.100.1')).toBe(isTrusted ? 200 : 429);
    expect(await ask(listen, '198.51.100.2')).toBe(isTrusted ? 200 : 429);
    expect(gateway.lines.filter(({ message }) => message === 'refused').map(({ facts }) => facts['client'])).toEqual(
      isTrusted ? [denied] : ['unix', 'unix'],
    );
  }
});

test('to the backend with the fewest connections; a dead one is passed over, and found again', async () => {
  const [first, second] = [await startBackend(), await startBackend()];
  const gateway = await startTestGateway({
    routes: [{ upstreams: [first.url, second.url], health: { interval: 100 } }],
  });
  const clients = [];
  for (let i = 0; i < 6; i++) clients.push(await openClient(`${gateway.url}/`));
  expect([first.accepted(), second.accepted()]).toEqual([3, 3]);
  await second.stop();
  for (let i = 0; i < 3; i++) await openClient(`${gateway.url}/`);
  expect(first.accepted()).toBe(6);
  expect(gateway.isReady).toBe(true);
  await until(
    async () =>
      metric(
        (await gateway.admin('/metrics')).body,
        `pqws_gateway_backend_up{route="route 1",backend="${second.url}"}`,
      ) === 0,
  );
  const back = await startBackend({ port: second.port, host: '127.0.0.1' });
  await until(
    async () =>
      metric(
        (await gateway.admin('/metrics')).body,
        `pqws_gateway_backend_up{route="route 1",backend="${second.url}"}`,
      ) === 1,
  );
  await openClient(`${gateway.url}/`);
  expect(back.accepted()).toBe(1);
});

test('connecting is tried again at once, on each backend once', async () => {
  const [first, second, third] = [await startBackend(), await startBackend(), await startBackend()];
  await first.stop();
  await second.stop();
  const gateway = await startTestGateway({
    routes: [{ upstreams: [first.url, second.url, third.url], health: false }],
  });
  for (let i = 0; i < 3; i++) await openClient(`${gateway.url}/`);
  expect(third.accepted()).toBe(3);
});

test('not ready while a route has no backend that answers, and again when it has', async () => {
  const backend = await startBackend();
  await backend.stop();
  const gateway = await startTestGateway({
    routes: [{ upstreams: [backend.url], health: { interval: 100, path: '/ok' } }],
  });
  expect((await gateway.admin('/readyz')).status).toBe(503);
  await startBackend({ port: backend.port, host: '127.0.0.1' });
  await until(async () => (await gateway.admin('/readyz')).status === 200);
});

test('a backend whose health page says no is down', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ routes: [{ upstreams: [backend.url], health: { path: '/missing' } }] });
  expect(gateway.isReady).toBe(false);
});

test('the choice among backends', () => {
  const backends = ['ws://a', 'ws://b', 'ws://c'].map(
    (text) => new UpstreamServer({ text, socket: { path: '' }, tlsName: undefined, host: '' }, () => undefined),
  ) as [UpstreamServer, UpstreamServer, UpstreamServer];
  const [a, b, c] = backends;
  a.connections = 2;
  b.connections = 1;
  c.connections = 1;
  const none = new Set<UpstreamServer>();
  expect([0, 1, 2].map((turn) => leastConnected(backends, none, turn)?.label)).toEqual(['ws://b', 'ws://c', 'ws://b']);
  b.report('down');
  expect(leastConnected(backends, none, 0)).toBe(c);
  expect(leastConnected(backends, new Set([c]), 0)).toBe(a);
  expect(leastConnected(backends, new Set([a, c]), 0)).toBe(b);
  expect(leastConnected(backends, new Set(backends), 0)).toBeUndefined();
});

describe('TLS', () => {
  const subject = async (port: number): Promise<string> => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return String(CN);
  };

  test('a new certificate serves newcomers, and whoever is in stays in', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'pqws-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const { copyFileSync, writeFileSync } = await import('node:fs');
    const files = { cert: path.join(folder, 'cert'), key: path.join(folder, 'key') };
    const install = (name: 'one' | 'two'): void => {
      copyFileSync(certificate(name).cert, files.cert);
      copyFileSync(certificate(name).key, files.key);
    };
    install('one');
    const backend = await startBackend();
    const gateway = await startTestGateway({ tls: files, upstreams: [backend.url] });
    const client = await openClient(`${gateway.url}/echo`, [], { ca: readFileSync(certificate('one').cert) });
    expect((await backend.next()).request.headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '127.0.0.1',
    });
    expect(await subject(gateway.port)).toBe('gateway one');
    install('two');
    await gateway.reload();
    expect(await subject(gateway.port)).toBe('gateway two');
    writeFileSync(files.key, 'nonsense');
    await gateway.reload();
    expect(await subject(gateway.port)).toBe('gateway two');
    expect(gateway.lines.at(-1)).toMatchObject({ level: 'error', message: 'the old configuration stays' });
    client.send('still here');
    expect(await nextText(client)).toBe('still here');
  });

  test.runIf(keyExchangeGroups().startsWith('X25519MLKEM768'))(
    'a client that speaks nothing but X25519MLKEM768 gets in',
    async () => {
      const backend = await startBackend();
      const gateway = await startTestGateway({ tls: certificate('one'), upstreams: [backend.url] });
      const socket = connectTls({
        port: gateway.port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ecdhCurve: 'X25519MLKEM768',
      });
      await once(socket, 'secureConnect');
      expect(socket.getProtocol()).toBe('TLSv1.3');
      socket.destroy();
    },
  );

  test('a backend that speaks TLS is verified', async () => {
    const backend = await startBackend();
    const inner = await startTestGateway({ tls: certificate('one'), upstreams: [backend.url], plainHttp: 'upstream' });
    const outer = await startTestGateway({ routes: [{ upstreams: [`wss://127.0.0.1:${inner.port}`] }] });
    // Nobody has vouched for that certificate.
    expect(outer.isReady).toBe(false);
    await expect(openClient(`${outer.url}/echo`)).rejects.toThrow();
    expect(backend.accepted()).toBe(0);
  });
});

describe('PROXY protocol', () => {
  /** A client whose connection begins with these bytes. */
  const behind = (port: number, header: Buffer): { createConnection: never } => ({
    createConnection: (() => {
      const socket = connectSocket(port, '127.0.0.1');
      // Split, so that the header is not read at once.
      socket.write(header.subarray(0, 7));
      socket.write(header.subarray(7));
      return socket;
    }) as never,
  });
  const V1 = Buffer.from('PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n');
  const V2 = Buffer.concat([
    Buffer.from('0d0a0d0a000d0a515549540a2121002c', 'hex'),
    Buffer.from('20010db8000000000000000000000007', 'hex'),
    Buffer.from('20010db8000000000000000000000001', 'hex'),
    Buffer.from('126701bb', 'hex'),
    Buffer.alloc(8),
  ]);

  test.each([
    ['version 1', V1, '203.0.113.7'],
    ['version 2', V2, '2001:db8:0:0:0:0:0:7'],
    ['version 2, the proxy itself', Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'), '127.0.0.1'],
  ])('%s', async (_name, header, address) => {
    const backend = await startBackend();
    const gateway = await startTestGateway({ upstreams: [backend.url], proxyProtocol: true });
    const client = await openClient(`${gateway.url}/echo`, [], behind(gateway.port, header));
    client.send('through');
    expect(await nextText(client)).toBe('through');
    expect((await backend.next()).request.headers['x-forwarded-for']).toBe(address);
  });

  test('before TLS', async () => {
    const backend = await startBackend();
    const gateway = await startTestGateway({ upstreams: [backend.url], proxyProtocol: true, tls: certificate('one') });
    const raw = connectSocket(gateway.port, '127.0.0.1');
    raw.write(V1);
    await openClient(`${gateway.url}/echo`, [], {
      createConnection: () => connectTls({ socket: raw, rejectUnauthorized: false }),
    });
    expect((await backend.next()).request.headers).toMatchObject({
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-proto': 'https',
    });
  });

  test('a connection without the header is ended', async () => {
    const backend = await startBackend();
    const gateway = await startTestGateway({ upstreams: [backend.url], proxyProtocol: true });
    await expect(openClient(`${gateway.url}/`)).rejects.toThrow();
    expect(backend.accepted()).toBe(0);
    expect(metric((await gateway.admin('/metrics')).body, 'pqws_gateway_unreadable_total{reason="proxy-header"}')).toBe(
      1,
    );
  });
});

describe('forwarding headers', () => {
  const seen = async (trustedProxies: string[], headers: Record<string, string>): Promise<Record<string, unknown>> => {
    const backend = await startBackend();
    const gateway = await startTestGateway({ upstreams: [backend.url], trustedProxies });
    await openClient(`${gateway.url}/`, [], { headers });
    return (await backend.next()).request.headers;
  };
  const GIVEN = {
    'X-Forwarded-For': '203.0.113.9',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'outside.example',
    'X-Forwarded-Port': '443',
    Forwarded: 'for=203.0.113.9;proto=https',
    Host: 'inside.example',
  };

  test('of a trusted proxy are continued', async () => {
    expect(await seen(['127.0.0.1'], GIVEN)).toMatchObject({
      host: 'inside.example',
      'x-forwarded-for': '203.0.113.9, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'outside.example',
      'x-forwarded-port': '443',
      forwarded: 'for=203.0.113.9;proto=https, for=127.0.0.1;host="inside.example";proto=http',
    });
  });

  test('of anybody else are dropped', async () => {
    const headers = await seen(['192.0.2.0/24'], GIVEN);
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'inside.example',
      forwarded: 'for=127.0.0.1;host="inside.example";proto=http',
    });
    expect(headers['x-forwarded-port']).toBeUndefined();
  });
});
