import { describe, expect, it } from 'vitest';
import type { AttestationContext } from '../../packages/nitro/src/index.ts';
import * as nitro from '../../packages/nitro/src/index.ts';
import {
  createTestEnclave,
  verifyNitroDocumentForTesting,
  verifyNitroForTesting,
} from '../../packages/nitro/src/testing.ts';
import { signCertificate, testKey } from '../../packages/nitro/src/nitro/test-certificate.ts';
import { withByte } from './nitro-fixtures.ts';

const userData = new Uint8Array(59).fill(1);
const pcrs = { 0: 'ab'.repeat(48) };
const context: AttestationContext = {
  profile: 'v1',
  url: 'wss://localhost/',
  userData,
  transcriptHash: new Uint8Array(32),
};

describe('createTestEnclave', () => {
  it('makes documents that its root verifies, and that say so', async () => {
    const enclave = createTestEnclave({ pcrs, moduleId: 'a module' });
    const document = enclave.attest(userData);
    await expect(
      verifyNitroForTesting({ root: enclave.rootCertificate, pcrs })(document, context),
    ).resolves.toBeUndefined();
    for (const root of [enclave.rootCertificate, enclave.rootPem]) {
      const parsed = await verifyNitroDocumentForTesting(document, { root, pcrs, userData, moduleId: 'a module' });
      expect(parsed).toMatchObject({ testRoot: true, moduleId: 'a module', userData });
      expect(parsed.pcrs).toEqual(enclave.pcrs);
    }
  });

  it('makes none that the real verifier accepts', async () => {
    const document = createTestEnclave({ pcrs }).attest(userData);
    await expect(nitro.verifyNitro({ pcrs })(document, context)).rejects.toMatchObject({
      code: 'NITRO_ERR_CHAIN_ROOT',
    });
    await expect(nitro.verifyNitroDocument(document, { pcrs, userData })).rejects.toMatchObject({
      code: 'NITRO_ERR_CHAIN_ROOT',
    });
  });

  it('makes none that another test enclave’s root verifies', async () => {
    const [one, other] = [createTestEnclave({ pcrs }), createTestEnclave({ pcrs })];
    const verify = verifyNitroForTesting({ root: other.rootCertificate, pcrs });
    await expect(verify(one.attest(userData), context)).rejects.toMatchObject({ code: 'NITRO_ERR_CHAIN_ROOT' });
  });

  it('binds a document to the handshake', async () => {
    const enclave = createTestEnclave({ pcrs });
    const verify = verifyNitroForTesting({ root: enclave.rootCertificate, pcrs });
    const relayed = verify(enclave.attest(userData), { userData: withByte(userData, 58, 2) });
    await expect(relayed).rejects.toMatchObject({ code: 'NITRO_ERR_USER_DATA' });
  });

  it('stamps each document with its clock, for longer than leaves live', async () => {
    let time = Date.UTC(2030, 0, 1);
    const now = (): number => time;
    const enclave = createTestEnclave({ pcrs, now });
    const verify = verifyNitroForTesting({ root: enclave.rootCertificate, pcrs, now });
    for (let hour = 0; hour < 24; hour += 6) {
      const document = enclave.attest(userData);
      await expect(verify(document, context)).resolves.toBeUndefined();
      time += 6 * 3_600_000;
      await expect(verify(document, context)).rejects.toBeInstanceOf(nitro.NitroError);
    }
  });

  it('can be in debug mode, which is refused', async () => {
    const zero = '00'.repeat(48);
    const enclave = createTestEnclave({ pcrs: { 0: zero, 1: zero, 2: zero, 8: pcrs[0] } });
    const verify = verifyNitroForTesting({ root: enclave.rootCertificate, pcrs: { 8: pcrs[0] } });
    await expect(verify(enclave.attest(userData), context)).rejects.toMatchObject({ code: 'NITRO_ERR_DEBUG_MODE' });
  });

  it.each([
    ['an unknown option', { module: 'x' }, "unknown option 'module'"],
    [
      'a PCR of another length',
      { pcrs: { 0: 'ab' } },
      "'pcrs.0' must be 48 bytes or 96 hexadecimal digits, got a string of length 2",
    ],
    ['a PCR index beyond 31', { pcrs: { 32: pcrs[0] } }, 'indexes from 0 to 31'],
  ])('refuses %s', (_, options, message) => {
    expect(() => createTestEnclave(options as object)).toThrow(message);
  });

  it('attests 1 to 512 bytes', () => {
    const enclave = createTestEnclave();
    expect(() => enclave.attest(new Uint8Array(0))).toThrow(RangeError);
    expect(() => enclave.attest(new Uint8Array(513))).toThrow(RangeError);
    expect(() => enclave.attest('text' as unknown as Uint8Array)).toThrow(TypeError);
    expect(enclave.attest(new Uint8Array(512)).length).toBeGreaterThan(512);
  });
});

describe('a verifier for testing', () => {
  it('takes no root but that of a test enclave', () => {
    const key = testKey();
    const root = signCertificate({
      subject: 'aws.nitro-enclaves',
      issuer: 'aws.nitro-enclaves',
      publicKey: key.publicKey,
      issuerKey: key,
      notBefore: Date.now() - 1000,
      notAfter: Date.now() + 1000,
      ca: true,
      usage: 4,
    });
    expect(() => verifyNitroForTesting({ root, pcrs })).toThrow("option 'root' must be the root of createTestEnclave");
  });

  it.each([[undefined], [3], ['-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----']])(
    'refuses %s as a root',
    (root) => {
      expect(() => verifyNitroForTesting({ root: root as string, pcrs })).toThrow(
        "option 'root' must be a certificate as DER or PEM",
      );
    },
  );
});

it('pq-websocket-nitro exports nothing that takes another root', () => {
  expect(Object.keys(nitro).sort()).toEqual(['NitroError', 'verifyNitro', 'verifyNitroDocument']);
  const { rootCertificate: root } = createTestEnclave();
  const options: object = { pcrs, root };
  expect(() => nitro.verifyNitro(options as nitro.NitroOptions)).toThrow("unknown option 'root'");
});
