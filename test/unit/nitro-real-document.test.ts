import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifyNitro, verifyNitroDocument } from '../../packages/nitro/src/index.ts';
import { awsNitroRootG1 } from '../../packages/nitro/src/nitro/root.ts';
import { concat, utf8 } from '../../src/base/bytes.ts';
import { createTestEnclave, verifyNitroDocumentForTesting } from '../../packages/nitro/src/testing.ts';
import { REAL, realDocument, realOptions } from './nitro-real.ts';
import { withByte } from './nitro-fixtures.ts';

const FINGERPRINT = '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b';

it('the pinned root has the fingerprint that AWS publishes', () => {
  expect(createHash('sha256').update(awsNitroRootG1()).digest('hex')).toBe(FINGERPRINT);
});

const real = realDocument('the real AWS Nitro document');

describe.runIf(real !== undefined)('a real document', () => {
  // Skipped suites are collected all the same.
  const given = (real ?? {}) as NonNullable<typeof real>;
  const { document } = given;

  it('leads to the root as AWS publishes it', () => {
    const body = given.rootPem.replace(/-----[A-Z ]+-----/g, '');
    expect(awsNitroRootG1()).toEqual(new Uint8Array(Buffer.from(body, 'base64')));
  });

  it('is accepted at its time, and says what it says', async () => {
    const parsed = await verifyNitroDocument(document, realOptions(given, { moduleId: REAL.moduleId }));
    expect(parsed).toMatchObject({
      moduleId: REAL.moduleId,
      digest: 'SHA384',
      timestamp: REAL.timestamp,
      testRoot: false,
    });
    expect(parsed.publicKey).toBeUndefined();
    expect(parsed.userData).toEqual(given.userData);
    expect(parsed.pcrs.size).toBe(16);
    expect(Buffer.from(parsed.pcrs.get(0) ?? []).toString('hex')).toBe(REAL.pcr0);
    expect(Buffer.from(parsed.pcrs.get(8) ?? []).toString('hex')).toBe(REAL.pcr8);
    expect(parsed.cabundle).toHaveLength(4);
    expect(
      createHash('sha256')
        .update(parsed.cabundle[0] as Uint8Array)
        .digest('hex'),
    ).toBe(FINGERPRINT);
  });

  it('is accepted as verifyAttestation gives it, a Buffer too', async () => {
    const { pcrs, now } = realOptions(given);
    const verify = verifyNitro({ pcrs, now });
    const context = {
      profile: 'yellowpages',
      url: 'wss://example.com',
      userData: given.userData,
      transcriptHash: undefined,
    } as const;
    await expect(verify(document, context)).resolves.toBeUndefined();
    await expect(verify(Buffer.from(document), context)).resolves.toBeUndefined();
  });

  it('is refused in the handshake of another connection', async () => {
    const relayed = verifyNitroDocument(document, realOptions(given, { userData: withByte(given.userData, 60, 0x41) }));
    await expect(relayed).rejects.toMatchObject({ code: 'NITRO_ERR_USER_DATA' });
    const v1 = concat(utf8('pq-websocket/1 attestation'), new Uint8Array(33));
    await expect(verifyNitroDocument(document, realOptions(given, { userData: v1 }))).rejects.toMatchObject({
      code: 'NITRO_ERR_USER_DATA',
    });
  });

  it('proves nothing by the nonce in it', async () => {
    const { nonce } = await verifyNitroDocument(document, realOptions(given));
    const asked = verifyNitroDocument(document, realOptions(given, { userData: nonce ?? new Uint8Array(1) }));
    expect(nonce?.length).toBe(256);
    await expect(asked).rejects.toMatchObject({ code: 'NITRO_ERR_USER_DATA' });
  });

  it.each([
    ['today', { now: undefined }, 'NITRO_ERR_VALIDITY_NOW'],
    ['after five minutes', { now: () => REAL.timestamp + 300_001 }, 'NITRO_ERR_TIMESTAMP_OLD'],
    ['two minutes before it was made', { now: () => REAL.timestamp - 120_000 }, 'NITRO_ERR_TIMESTAMP_FUTURE'],
    ['from another image', { pcrs: { 0: REAL.pcr8 } }, 'NITRO_ERR_PCR'],
    ['from another enclave', { moduleId: 'i-0e714770daf181058-enc0197636724ffc152' }, 'NITRO_ERR_MODULE_ID'],
  ])('is refused %s', async (_, options, code) => {
    await expect(verifyNitroDocument(document, realOptions(given, options))).rejects.toMatchObject({ code });
  });

  it('is refused where a test root is trusted', async () => {
    const { rootCertificate: root } = createTestEnclave();
    const judged = verifyNitroDocumentForTesting(document, { ...realOptions(given), root });
    await expect(judged).rejects.toMatchObject({ code: 'NITRO_ERR_CHAIN_ROOT' });
  });
});
