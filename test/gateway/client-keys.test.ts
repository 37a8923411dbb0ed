/** Clients that the gateway knows by their own key: who gets in, and what backends are told. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { connect, createServer as createRelay } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { fingerprintOf, publicKeyOf, writePublicKeyPem, writeSecretKeyPem } from '../../src/keys.ts';
import { useCommand } from '../support/command.ts';
import { deferred, once } from '../support/deferred.ts';
import { until } from '../support/until.ts';
import { startBackend } from './backend.ts';
import { metric, nextText, openClient, startTestGateway } from './support.ts';

const start = useCommand();
const folder = mkdtempSync(path.join(tmpdir(), 'pqws-client-keys-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const pinOf = async (byte: number): Promise<string> => fingerprintOf(await publicKeyOf(seed(byte)));
/** A file with the public keys of these. */
async function publicFile(...bytes: number[]): Promise<string> {
  const keys = await Promise.all(bytes.map((byte) => publicKeyOf(seed(byte))));
  const file = path.join(folder, `${bytes.join('-')}.pub.pem`);
  writeFileSync(file, keys.map((key) => writePublicKeyPem(key)).join('\n'));
  return file;
}

const FORGED = { 'X-PQ-Client-Key': 'sha256:forged' };

async function closeOf(url: string, protocols: string[] = [], options = {}): Promise<[code: number, reason: string]> {
  const client = await openClient(url, protocols, options);
  const [code, reason] = await once<[number, Buffer]>(client, 'close');
  return [code, reason.toString()];
}

test('who has a listed key gets in, and the backend is told by which', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({
    upstreams: [backend.url],
    trustedProxies: ['127.0.0.1'],
    clientKeys: { pins: [await pinOf(1)], files: [await publicFile(2, 3)] },
  });
  for (const byte of [1, 2, 3]) {
    const client = await openClient(`${gateway.url}/echo`, [], { identity: seed(byte), headers: FORGED });
    client.send('known');
    expect(await nextText(client)).toBe('known');
    expect((await backend.next()).request.headers['x-pq-client-key']).toBe(await pinOf(byte));
    const closed = once(client, 'close');
    client.close();
    await closed;
  }
  const ended = await until(() => {
    const lines = gateway.lines.filter(({ message }) => message === 'closed');
    return lines.length === 3 ? lines : undefined;
  });
  expect(ended.at(-1)?.facts).toMatchObject({ clientKey: await pinOf(3), end: 'client-closed' });

  // One without an identity is told in the handshake; one with another key when it has shown it.
  await expect(openClient(`${gateway.url}/echo`)).rejects.toThrow();
  expect((await closeOf(`${gateway.url}/echo`, [], { identity: seed(4) }))[0]).toBe(3770);
  expect(backend.accepted()).toBe(3);
  await until(async () => {
    const { body } = await gateway.admin('/metrics');
    return metric(body, 'pqws_gateway_handshakes_total{result="PQ_ERR_CLIENT_IDENTITY"}') === 2;
  });
});

test('a plain request proves nothing, whatever it says', async () => {
  const asked: IncomingMessage[] = [];
  const page = createServer((request, response) => {
    asked.push(request);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(page, 'listening');
  onTestFinished(() => {
    page.close();
    page.closeAllConnections();
  });
  const { port } = page.address() as { port: number };
  const { address } = await startTestGateway({
    upstreams: [`ws://127.0.0.1:${port}`],
    plainHttp: 'upstream',
    trustedProxies: ['127.0.0.1'],
    clientKeys: { pins: [await pinOf(1)] },
  });
  expect((await fetch(`http://${address}/`, { headers: { ...FORGED, Connection: 'x-pq-client-key' } })).status).toBe(
    200,
  );
  expect(asked.map(({ headers }) => headers['x-pq-client-key'])).toEqual([undefined]);
});

test('without a demand who has no identity comes in too, and nobody is told who he is', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({
    upstreams: [backend.url],
    clientKeys: { pins: [await pinOf(1)], demand: false },
  });
  const keyOf = async (options: object): Promise<unknown> => {
    await openClient(`${gateway.url}/echo`, [], { ...options, headers: FORGED });
    return (await backend.next()).request.headers['x-pq-client-key'];
  };
  expect(await keyOf({})).toBeUndefined();
  expect(await keyOf({ fastOpen: true })).toBeUndefined();
  expect(await keyOf({ identity: seed(1), fastOpen: true })).toBe(await pinOf(1));
  expect((await closeOf(`${gateway.url}/echo`, [], { identity: seed(4) }))[0]).toBe(3770);
});

test('a backend that says no after the handshake is a close, and what the client has said is not acknowledged', async () => {
  const backend = await startBackend();
  const identity = seed(1);
  const clientKeys = { pins: [await pinOf(1)] };
  const gateway = await startTestGateway({ upstreams: [backend.url], clientKeys });
  expect(await closeOf(`${gateway.url}/refuse`, [], { identity })).toEqual([1008, 'the backend refused: 403']);
  expect(await closeOf(`${gateway.url}/echo`, ['nobody'], { identity })).toEqual([
    1014,
    'the backend chose another subprotocol',
  ]);
  const chosen = await openClient(`${gateway.url}/echo`, ['b', 'c'], { identity });
  expect(chosen.protocol).toBe('b');
  await backend.stop();
  expect(await closeOf(`${gateway.url}/echo`, [], { identity })).toEqual([1014, 'no backend']);
  const hasty = await openClient(`${gateway.url}/echo`, [], { identity });
  const closed = once<[number]>(hasty, 'close');
  hasty.send('lost');
  hasty.close(1000);
  expect((await closed)[0]).not.toBe(1000);
});

test('what the client says before its backend has answered arrives in order, to its close', async () => {
  const backend = await startBackend();
  const asked = deferred();
  const may = deferred();
  // It reaches the backend when the client has said all.
  const relay = createRelay((socket) => {
    asked.resolve();
    socket.on('error', () => undefined);
    void may.promise.then(() => {
      const behind = connect(backend.port, '127.0.0.1');
      behind.on('error', () => undefined);
      socket.pipe(behind).pipe(socket);
    });
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  onTestFinished(() => {
    relay.close();
  });
  const { port } = relay.address() as { port: number };
  const gateway = await startTestGateway({
    routes: [{ upstreams: [`ws://127.0.0.1:${port}`], health: false }],
    clientKeys: { pins: [await pinOf(1)] },
  });
  const client = await openClient(`${gateway.url}/`, [], { identity: seed(1) });
  const closed = once<[number]>(client, 'close');
  const said = Array.from({ length: 50 }, (_, i) => `message ${i}`);
  for (const text of said) client.send(text);
  client.send('x'.repeat(500_000));
  client.close(4000, 'all said');
  await asked.promise;
  may.resolve();
  const { closed: ended, log } = await backend.next();
  expect(await ended).toBe(4000);
  expect(log.slice(0, 50)).toEqual(said.map((text) => `text ${text}`));
  expect(log[50]).toHaveLength(500_005);
  expect(log.slice(51)).toEqual(['close 4000 all said']);
  expect((await closed)[0]).toBe(4000);
});

test('by the flags of the command line, at both ends', { timeout: 120_000 }, async () => {
  const backend = await startBackend();
  const [known = '', unknown = ''] = [5, 6].map((byte) => {
    const file = path.join(folder, `${byte}.pem`);
    writeFileSync(file, writeSecretKeyPem(seed(byte)), { mode: 0o600 });
    return file;
  });
  const gateway = start(['gateway', '-l', '127.0.0.1:0', '-u', backend.url, '--client-key', await publicFile(5)]);
  const { listen } = await gateway.line('listening');
  const connectAs = (...args: string[]): ReturnType<typeof start>['ended'] =>
    start(['connect', `ws://${String(listen)}/echo`, '-m', 'who am I', '--count', '1', ...args]).ended;
  expect(await connectAs('--identity', known)).toMatchObject({ code: 0, stdout: 'who am I\n' });
  expect((await backend.next()).request.headers['x-pq-client-key']).toBe(await pinOf(5));
  for (const args of [[], ['--identity', unknown]]) {
    const { code, stderr } = await connectAs(...args);
    expect(code, stderr).toBe(7);
    expect(stderr).toContain('the server does not let this client in (3770)');
    expect(stderr).toContain('--identity FILE');
  }
  expect(await connectAs('--identity', await publicFile(5))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('`pq-websocket keygen` writes one') as string,
  });
});
