/** A gateway proves who it is with a key file, a program or a URL; one that cannot fails closed. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { generateIdentity } from '../../packages/cli/src/command/identity.ts';
import { nobleSignatures } from '../../src/crypto/noble/signature.ts';
import { writePublicKeyPem } from '../../src/crypto/key-files.ts';
import type { GatewayOptions } from '../../packages/cli/src/gateway.ts';
import { once } from '../support/deferred.ts';
import { startBackend } from './backend.ts';
import { metric, nextText, openClient, startTestGateway } from './support.ts';
import type { TestGateway } from './support.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'pqws-identity-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const key = nobleSignatures.signingKey(new Uint8Array(randomBytes(32)));
const publicKey = path.join(folder, 'public.pem');
writeFileSync(publicKey, writePublicKeyPem(key.publicKey));

async function gatewayWith(options: Partial<GatewayOptions>): Promise<TestGateway> {
  return startTestGateway({ upstreams: [(await startBackend()).url], ...options });
}

/** Answers each POST. */
async function signer(answer: (body: Uint8Array) => Uint8Array, status = 200): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(status);
      response.end(answer(new Uint8Array(Buffer.concat(chunks))));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
}

async function echoes(gateway: TestGateway, options: Parameters<typeof openClient>[2]): Promise<void> {
  const client = await openClient(`${gateway.url}/echo`, [], options);
  client.send('hello');
  expect(await nextText(client)).toBe('hello');
}

test('a key file', async () => {
  const pem = path.join(folder, 'identity.pem');
  const { fingerprint } = await generateIdentity(pem, false);
  const gateway = await gatewayWith({ identity: { key: pem } });
  await echoes(gateway, { serverKeys: fingerprint });
  await expect(openClient(`${gateway.url}/echo`, [], { serverKeys: key.publicKey })).rejects.toMatchObject({
    code: 'PQ_ERR_SIGNATURE_INVALID',
  });
});

test('a URL that signs', async () => {
  const url = await signer((message) => key.sign(message));
  await echoes(await gatewayWith({ identity: { url, publicKey } }), { serverKeys: key.publicKey });
});

test('a program that signs', async () => {
  const url = await signer((message) => key.sign(message));
  const script = `
    const chunks = [];
    process.stdin.on('data', (chunk) => chunks.push(chunk)).on('end', async () => {
      const answer = await fetch(process.argv[1], { method: 'POST', body: Buffer.concat(chunks) });
      process.stdout.write(Buffer.from(await answer.arrayBuffer()));
    });`;
  await echoes(await gatewayWith({ identity: { command: [process.execPath, '-e', script, url] } }), {
    serverKeys: key.publicKey,
  });
});

test.each([
  ['a program that fails', async () => ({ command: [process.execPath, '-e', 'process.exit(1)'] })],
  ['a program that is not there', async () => ({ command: [path.join(folder, 'none')] })],
  [
    'a program that says too much',
    async () => ({ command: [process.execPath, '-e', 'process.stdout.write(Buffer.alloc(2_000_000))'] }),
  ],
  ['a URL that answers 500', async () => ({ url: await signer(() => new Uint8Array(3309), 500) })],
  ['a URL that answers something else', async () => ({ url: await signer(() => new Uint8Array(10)) })],
])('%s fails the handshake, and the backend hears nothing', async (_name, identity) => {
  const gateway = await gatewayWith({ identity: await identity() });
  await expect(openClient(`${gateway.url}/echo`, [], { serverKeys: key.publicKey })).rejects.toMatchObject({
    closeCode: 3770,
  });
  expect(
    metric((await gateway.admin('/metrics')).body, 'pqws_gateway_handshakes_total{result="PQ_ERR_IDENTITY"}'),
  ).toBe(1);
});

test('an attestation from a URL, bound to the connection', async () => {
  const url = await signer((userData) => new Uint8Array(Buffer.concat([Buffer.from('document '), userData])));
  const documents: Uint8Array[] = [];
  await echoes(await gatewayWith({ attestation: { url } }), {
    verifyAttestation: (document, { userData }) => {
      documents.push(document);
      expect(Buffer.from(document).toString('hex')).toBe(
        Buffer.concat([Buffer.from('document '), userData]).toString('hex'),
      );
    },
  });
  expect(documents).toHaveLength(1);
});

test('hooks of the library go over the options, and context and padding reach the wire', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway(
    { upstreams: [backend.url], context: 'this gateway', padding: 4_096 },
    { identity: { sign: (message) => key.sign(message), publicKey: key.publicKey } },
  );
  const client = await openClient(`${gateway.url}/echo`, [], { serverKeys: key.publicKey, context: 'this gateway' });
  client.send('x');
  await nextText(client);
  expect(client.pq.counters.bytesOpened).toBeGreaterThan(4_096);
  await expect(openClient(`${gateway.url}/echo`, [], { context: 'another' })).rejects.toMatchObject({
    closeCode: 3768,
  });
});
