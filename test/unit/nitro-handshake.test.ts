/** Attestation within the handshake, over a real connection: a test enclave's server and a client that verifies. */
import { afterEach, describe, expect, it } from 'vitest';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { PQWebSocket } from '../../src/index.ts';
import { verifyNitro } from '../../packages/nitro/src/index.ts';
import type { NitroError } from '../../packages/nitro/src/index.ts';
import { createTestEnclave, verifyNitroForTesting } from '../../packages/nitro/src/testing.ts';
import { WebSocketServer } from '../../src/ws.ts';

const pcrs = { 0: 'ab'.repeat(48) };
const enclave = createTestEnclave({ pcrs });
const { rootCertificate: root } = enclave;

type Attest = NonNullable<NonNullable<ConstructorParameters<typeof WebSocketServer>[0]>['attest']>;
type Verify = NonNullable<NonNullable<ConstructorParameters<typeof PQWebSocket>[2]>['verifyAttestation']>;

let server: WebSocketServer | undefined;
afterEach(async () => {
  const closing = server;
  server = undefined;
  if (closing === undefined) return;
  for (const client of closing.clients ?? []) client.terminate();
  await new Promise((resolve) => closing.close(resolve));
});

/** The code of the refusal, or 'open'. */
async function connect(
  attest: Attest | undefined,
  verifyAttestation: Verify,
  profile: 'v1' | 'yellowpages' = 'v1',
): Promise<string> {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', profiles: [profile], ...(attest && { attest }) });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = new PQWebSocket(`ws://127.0.0.1:${port}/`, [], { verifyAttestation, profile });
  return new Promise((resolve) => {
    socket.onopen = () => {
      resolve('open');
      socket.close();
    };
    socket.onclose = () => {
      const failure = socket.pq.failure;
      const cause = failure?.cause as NitroError | undefined;
      resolve(`${failure?.code} ${cause?.code}`);
    };
  });
}

describe('a client with verifyNitroForTesting', () => {
  const verify = verifyNitroForTesting({ root, pcrs });

  it('opens to the enclave that attests its handshake', async () => {
    expect(await connect((_, { userData }) => enclave.attest(userData), verify)).toBe('open');
  });

  it('refuses a good document that was made for another connection', async () => {
    let relayed: Uint8Array | undefined;
    const attest: Attest = (_, { userData }) => (relayed ??= enclave.attest(userData));
    expect(await connect(attest, verify)).toBe('open');
    await new Promise((resolve) => server?.close(resolve));
    expect(await connect(attest, verify)).toBe('PQ_ERR_ATTESTATION_REFUSED NITRO_ERR_USER_DATA');
  });

  it('takes the text form of what is due, for services that attest text alone', async () => {
    let said = '';
    const attest: Attest = (_, { userDataText }) => {
      said = Buffer.from(userDataText ?? []).toString('latin1');
      return enclave.attest(userDataText ?? new Uint8Array(1));
    };
    expect(await connect(attest, verify)).toBe('open');
    expect(said).toMatch(/^pq-websocket\/1 attestation [0-9a-f]{64}$/);
  });

  it("refuses the text form of another connection's, in other letters, and of the exchange's label", async () => {
    const attests: ((text: string) => string)[] = [
      (text) => text.replace(/[0-9a-f]{64}$/, '0'.repeat(64)),
      (text) => text.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase()),
      (text) => text.replace('/1 attestation', '/1 exchange attestation'),
      (text) => `${text} `,
    ];
    for (const change of attests) {
      const attest: Attest = (_, { userDataText }) =>
        enclave.attest(Buffer.from(change(Buffer.from(userDataText ?? []).toString('latin1'))));
      expect(await connect(attest, verify)).toBe('PQ_ERR_ATTESTATION_REFUSED NITRO_ERR_USER_DATA');
      await new Promise((resolve) => server?.close(resolve));
    }
  });

  it('refuses the transcript hash without its label', async () => {
    const attest: Attest = (transcriptHash) => enclave.attest(transcriptHash ?? new Uint8Array(32));
    expect(await connect(attest, verify)).toBe('PQ_ERR_ATTESTATION_REFUSED NITRO_ERR_USER_DATA');
  });

  it('refuses a server without a document', async () => {
    expect(await connect(undefined, verify)).toBe('PQ_ERR_ATTESTATION_MISSING undefined');
  });
});

/** `attest` of the recipe in docs/nitro.md, which asks the service at `url`. */
async function attestOfRecipe(url: string): Promise<Attest> {
  const page = await readFile(new URL('../../docs/nitro.md', import.meta.url), 'utf8');
  const [, code = ''] = /### A service that takes text\n[^]*?```js\n([^]*?)```/.exec(page) ?? [];
  const there = code.replace('http://127.0.0.1:1300/attestation-doc', url);
  expect(there).not.toBe(code);
  const module = (await import(`data:text/javascript,${encodeURIComponent(there)}`)) as { attest: Attest };
  return module.attest;
}

it.each([
  ['v1', /^pq-websocket\/1 attestation [0-9a-f]{64}$/],
  ['yellowpages', /^[A-Za-z0-9+/]+=*$/],
] as const)('the recipe for a service that takes JSON and text, in %s', async (profile, form) => {
  const asked: string[] = [];
  const service = createServer((request, response) => {
    void text(request).then((body) => {
      const { user_data: said } = JSON.parse(body) as { user_data: string };
      asked.push(said);
      response.end(
        JSON.stringify({ attestation_doc: Buffer.from(enclave.attest(Buffer.from(said))).toString('base64') }),
      );
    });
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  const attest = await attestOfRecipe(`http://127.0.0.1:${(service.address() as AddressInfo).port}/`);
  expect(await connect(attest, verifyNitroForTesting({ root, pcrs }), profile)).toBe('open');
  expect(asked).toEqual([expect.stringMatching(form)]);
  service.close();
  service.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
  // A service that fails, or is not there: no document, and no connection.
  expect(await connect(attest, verifyNitroForTesting({ root, pcrs }), profile)).toMatch(/^PQ_ERR_/);
});

it('a client with verifyNitro refuses a test enclave', async () => {
  const attest: Attest = (_, { userData }) => enclave.attest(userData);
  expect(await connect(attest, verifyNitro({ pcrs }))).toBe('PQ_ERR_ATTESTATION_REFUSED NITRO_ERR_CHAIN_ROOT');
});
