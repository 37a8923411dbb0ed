/** Several places to listen, each with TLS, certificates and a PROXY protocol of its own; what a reload adds, changes and removes. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Server } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls, Server as TlsServer } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { configFrom } from '../../packages/cli/src/gateway/config.ts';
import { Connections } from '../../packages/cli/src/gateway/connections.ts';
import type { ListenerPlan } from '../../packages/cli/src/gateway/listener-plan.ts';
import { Listeners } from '../../packages/cli/src/gateway/listeners.ts';
import { useCommand } from '../support/command.ts';
import { once } from '../support/deferred.ts';
import { refusedUpgrade } from '../support/ws-endpoints.ts';
import { until } from '../support/until.ts';
import { startBackend } from './backend.ts';
import { nextText, openClient, startTestGateway } from './support.ts';

const start = useCommand();
const pem = (name: string): string => path.join(import.meta.dirname, 'certificates', `${name}.pem`);
const ONE = { cert: pem('one.cert'), key: pem('one.key') };
const TWO = { cert: pem('two.cert'), key: pem('two.key') };
const THREE = { cert: pem('three.cert'), key: pem('three.key') };
const V1 = 'PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n';

let folder: string;
beforeEach(() => {
  const made = mkdtempSync(path.join(tmpdir(), 'pqws-listeners-'));
  folder = made;
  return (): void => {
    rmSync(made, { recursive: true, force: true });
  };
});

/** The name in the certificate that a server shows. */
async function subject(address: string, options: ConnectionOptions = {}): Promise<unknown> {
  const port = Number(address.split(':').at(-1));
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}

function behindProxy(address: string): { createConnection: never } {
  return {
    createConnection: ((): Socket => {
      const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
      socket.write(V1);
      return socket;
    }) as never,
  };
}

test('each has TLS, a certificate and a PROXY protocol of its own, and all are one gateway', async () => {
  const backend = await startBackend();
  const unix = `unix:${path.join(folder, 'socket')}`;
  const gateway = await startTestGateway({
    listeners: [
      { listen: '127.0.0.1:0' },
      { listen: '127.0.0.1:0', tls: { ...ONE, more: [THREE] } },
      { listen: '127.0.0.1:0', tls: TWO },
      { listen: '127.0.0.1:0', proxyProtocol: ['127.0.0.1'] },
      { listen: unix },
    ],
    upstreams: [backend.url],
    limits: { connections: 5 },
  });
  const [plain = '', one = '', two = '', proxied = '', socket = ''] = gateway.addresses;
  expect(gateway.address).toBe(plain);
  expect(socket).toBe(unix);
  expect(gateway.lines.filter(({ message }) => message === 'listening').map(({ facts }) => facts)).toEqual(
    gateway.addresses.map((listen, i) => ({ listen, tls: i === 1 || i === 2, routes: 1 })),
  );
  expect(await subject(one)).toBe('gateway one');
  expect(await subject(one, { servername: 'three.example' })).toBe('gateway three');
  expect(await subject(two)).toBe('gateway two');
  const asked = async (url: string, options = {}): Promise<IncomingMessage> => {
    const client = await openClient(url, [], options);
    client.send(url);
    expect(await nextText(client)).toBe(url);
    return (await backend.next()).request;
  };
  expect((await asked(`ws://${plain}/echo`)).headers['x-forwarded-proto']).toBe('http');
  const ca = readFileSync(ONE.cert);
  expect((await asked(`wss://${one}/echo`, { ca })).headers['x-forwarded-proto']).toBe('https');
  expect((await asked(`ws://${proxied}/echo`, behindProxy(proxied))).headers['x-forwarded-for']).toBe('203.0.113.7');
  // Without a header the one ends it, and where none is spoken it is no request.
  await expect(openClient(`ws://${proxied}/echo`)).rejects.toThrow();
  await expect(openClient(`ws://${plain}/echo`, [], behindProxy(plain))).rejects.toThrow();
  await asked(`ws+unix:${path.join(folder, 'socket')}:/echo`);
  await asked(`wss://${two}/echo`, { rejectUnauthorized: false });
  // Limits are for all of them together.
  expect((await refusedUpgrade(Number(plain.split(':')[1]), '/', {})).status).toBe(503);
});

test('a reload adds, changes and removes them, and whoever is in stays in', async () => {
  const backend = await startBackend();
  const routes = [{ upstreams: [backend.url] }];
  const unix = `unix:${path.join(folder, 'socket')}`;
  const gateway = await startTestGateway({
    listeners: [{ listen: '127.0.0.1:0', tls: ONE }, { listen: unix }],
    routes,
  });
  const [secure = ''] = gateway.addresses;
  const inside = await openClient(`ws+unix:${path.join(folder, 'socket')}:/echo`);

  // Another certificate, more of them, and one that clients need; a listener more, and one less.
  await gateway.reload({
    listeners: [
      { listen: '127.0.0.1:0', tls: { ...TWO, more: [THREE], clientCa: ONE.cert } },
      { listen: '127.0.0.1:0', proxyProtocol: true },
    ],
    routes,
    limits: { headerBytes: 2_048 },
  });
  expect(gateway.addresses[0]).toBe(secure);
  expect(gateway.addresses).toHaveLength(2);
  const shown = { cert: readFileSync(ONE.cert), key: readFileSync(ONE.key) };
  expect(await subject(secure, shown)).toBe('gateway two');
  expect(await subject(secure, { ...shown, servername: 'three.example' })).toBe('gateway three');
  await expect(openClient(`wss://${secure}/`, [], { rejectUnauthorized: false })).rejects.toThrow();
  await openClient(`wss://${secure}/`, [], { rejectUnauthorized: false, ...shown });
  const long = { 'X-Long': 'x'.repeat(3_000) };
  await expect(
    openClient(`wss://${secure}/`, [], { rejectUnauthorized: false, ...shown, headers: long }),
  ).rejects.toThrow('431');
  const [, proxied = ''] = gateway.addresses;
  await openClient(`ws://${proxied}/`, [], behindProxy(proxied));
  expect(existsSync(path.join(folder, 'socket'))).toBe(false);
  inside.send('still here');
  expect(await nextText(inside)).toBe('still here');

  // The PROXY protocol of one that stays, and a client certificate that none needs any more.
  await gateway.reload({ listeners: [{ listen: '127.0.0.1:0', tls: ONE }, { listen: '127.0.0.1:0' }], routes });
  await openClient(`ws://${proxied}/`);
  expect(await subject(secure)).toBe('gateway one');
  expect(await subject(secure, { servername: 'three.example' })).toBe('gateway one');
  expect(gateway.addresses).toEqual([secure, proxied]);
});

test('what cannot be had changes nothing', async () => {
  const backend = await startBackend();
  const routes = [{ upstreams: [backend.url] }];
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  onTestFinished(() => {
    taken.close();
  });
  const { port } = taken.address() as { port: number };
  const gateway = await startTestGateway({ routes });
  const { addresses } = gateway;
  const socket = path.join(folder, 'socket');
  const problemsAfter = async (listeners: object[]): Promise<unknown> => {
    await gateway.reload({ listeners: listeners as never, routes, allow: ['203.0.113.1'] });
    expect(gateway.lines.at(-1)).toMatchObject({ level: 'error', message: 'the old configuration stays' });
    return gateway.lines.at(-1)?.facts['problems'];
  };
  expect(
    await problemsAfter([{ listen: '127.0.0.1:0' }, { listen: `unix:${socket}` }, { listen: `127.0.0.1:${port}` }]),
  ).toMatchObject([
    {
      path: 'listeners[2].listen',
      message: `expected an address that can be had: EADDRINUSE (127.0.0.1:${port})`,
    },
  ]);
  // What was opened before it is closed again.
  await until(() => !existsSync(socket));
  expect(await problemsAfter([{ listen: '127.0.0.1:0', tls: ONE }])).toMatchObject([
    { path: 'listeners[0].tls', message: expect.stringContaining('expected TLS as before') as string },
  ]);
  expect(gateway.addresses).toEqual(addresses);
  await openClient(`${gateway.url}/`);
});

test('the keys of one that begins with TLS are taken once, and again where a reload reads them', async () => {
  const taken = vi.spyOn(TlsServer.prototype, 'setSecureContext');
  onTestFinished(() => {
    taken.mockRestore();
  });
  const options = { listeners: [{ listen: '127.0.0.1:0', tls: ONE }], routes: [{ upstreams: ['ws://127.0.0.1:1'] }] };
  const gateway = await startTestGateway(options);
  expect(taken).toHaveBeenCalledTimes(1);
  await gateway.reload({ ...options, limits: { headerBytes: 2_048 } });
  expect(taken).toHaveBeenCalledTimes(2);
});

describe('those that take nobody new', () => {
  const { limits } = configFrom({ routes: [{ upstreams: ['ws://127.0.0.1:1'] }] }).settings;
  const plan = (name: string): ListenerPlan => ({
    path: [],
    listen: `unix:${path.join(folder, name)}`,
    tls: undefined,
    proxySources: undefined,
  });
  const make = (): Listeners => {
    const connections = new Connections({
      headerTimeout: () => 60_000,
      idle: 10,
      isProxy: () => false,
      refused: () => undefined,
    });
    const never = (): Promise<void> => new Promise(() => undefined);
    const listeners = new Listeners({
      connections,
      plainRequest: never,
      upgrade: never,
      connectRefused: () => undefined,
      unreadable: () => undefined,
      failed: () => undefined,
    });
    onTestFinished(() => {
      listeners.stop();
      listeners.end();
    });
    return listeners;
  };
  /** Somebody who is in the middle of a request. */
  const enter = async (name: string): Promise<Socket> => {
    const socket = connect(path.join(folder, name));
    socket.on('error', () => undefined).resume();
    const served = once(lastServer(), 'request');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await served;
    return socket;
  };
  /** Of the listener that was opened last. */
  let lastServer: () => Server;
  beforeEach(() => {
    const listen = vi.spyOn(Server.prototype, 'listen');
    lastServer = (): Server => listen.mock.contexts.at(-1) as Server;
    return (): void => {
      listen.mockRestore();
    };
  });

  test('are forgotten, with their keys, when their last connection is over', async () => {
    const listeners = make();
    (await listeners.prepare([plan('one')], limits)).commit();
    const removed = lastServer();
    const inside = await enter('one');
    (await listeners.prepare([plan('two')], limits)).commit();
    const ends = vi.spyOn(Server.prototype, 'closeAllConnections');
    onTestFinished(() => {
      ends.mockRestore();
    });
    listeners.end();
    expect(ends.mock.contexts).toEqual([lastServer(), removed]);
    await Promise.all([once(removed, 'close'), once(inside, 'close')]);
    ends.mockClear();
    listeners.end();
    expect(ends.mock.contexts).toEqual([lastServer()]);
  });

  test('are ended with the others, those too that were opened for nothing', async () => {
    const listeners = make();
    (await listeners.prepare([plan('one')], limits)).commit();
    const prepared = await listeners.prepare([plan('two')], limits);
    const inside = await enter('two');
    prepared.cancel();
    listeners.end();
    await once(inside, 'close');
  });
});

test('in every worker', { timeout: 120_000 }, async () => {
  const backend = await startBackend();
  const file = path.join(folder, 'gateway.yaml');
  const [first, second, third] = ['a', 'b', 'c'].map((name) => path.join(folder, name)) as [string, string, string];
  const write = (...sockets: string[]): void => {
    const listeners = sockets.map((socket) => ({ listen: `unix:${socket}` }));
    writeFileSync(file, JSON.stringify({ listeners, routes: [{ upstreams: [backend.url] }], workers: 2 }));
  };
  write(first, second);
  const gateway = start(['gateway', '--config', file]);
  await gateway.line('all workers listen');
  const url = (socket: string): string => `ws+unix:${socket}:/echo`;
  const inside = [await openClient(url(first)), await openClient(url(first)), await openClient(url(second))];
  write(second, third);
  gateway.child.kill('SIGHUP');
  for (let i = 0; i < 2; i += 1) expect(await gateway.line('reloaded')).toMatchObject({ changed: ['listeners'] });
  for (let i = 0; i < 2; i += 1) await openClient(url(third));
  await openClient(url(second));
  await until(() => !existsSync(first));
  await expect(openClient(url(first))).rejects.toThrow();
  for (const client of inside) {
    client.send('still here');
    expect(await nextText(client)).toBe('still here');
  }
});
