/** Attestation within the handshake, over a real connection: a test enclave's server and a client that verifies. */
import { afterEach, describe, expect, it } from 'vitest';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
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
async function connect(attest: Attest | undefined, verifyAttestation: Verify): Promise<string> {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...(attest && { attest }) });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = new PQWebSocket(`ws://127.0.0.1:${port}/`, [], { verifyAttestation });
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

  it('refuses the transcript hash without its label', async () => {
    const attest: Attest = (transcriptHash) => enclave.attest(transcriptHash ?? new Uint8Array(32));
    expect(await connect(attest, verify)).toBe('PQ_ERR_ATTESTATION_REFUSED NITRO_ERR_USER_DATA');
  });

  it('refuses a server without a document', async () => {
    expect(await connect(undefined, verify)).toBe('PQ_ERR_ATTESTATION_MISSING undefined');
  });
});

it('a client with verifyNitro refuses a test enclave', async () => {
  const attest: Attest = (_, { userData }) => enclave.attest(userData);
  expect(await connect(attest, verifyNitro({ pcrs }))).toBe('PQ_ERR_ATTESTATION_REFUSED NITRO_ERR_CHAIN_ROOT');
});
