import { encode } from 'cborg';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NitroError, verifyNitroDocument } from '../../packages/nitro/src/index.ts';
import { verifyNitroDocumentForTesting } from '../../packages/nitro/src/testing.ts';
import { concat } from '../../src/base/bytes.ts';
import { times } from '../support/soak.ts';
import { LEAF, makeDocument, MODULE_ID, optionsFor, PCR0, PCR8, TIMESTAMP, USER_DATA } from './nitro-fixtures.ts';
import type { Changes } from './nitro-fixtures.ts';
import { VIOLATIONS } from './nitro-violations.ts';

describe('a document that breaks one rule is refused with the code of that rule', () => {
  for (const { code, name, make, options } of VIOLATIONS) {
    it(`${code}: ${name}`, async () => {
      const made = make();
      const error: unknown = await verifyNitroDocumentForTesting(made.document, optionsFor(made, options)).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(NitroError);
      expect((error as NitroError).code).toBe(code);
      // Constant text: neither the document's contents nor a library's message about them.
      expect((error as NitroError).message).toBe(new NitroError(code).message);
      expect((error as NitroError).cause).toBeUndefined();
    });
  }
});

describe('a document that breaks none is accepted', () => {
  const accepted: Record<string, [Changes, Parameters<typeof optionsFor>[1]?]> = {
    'as AWS makes them': [{}],
    'with CBOR tag 18': [{ document: (document) => concat(Uint8Array.of(0xd2), document) }],
    'with a nonce and a public key': [
      { payload: (payload) => payload.set('nonce', USER_DATA).set('public_key', PCR0) },
    ],
    'without the optional fields but user_data': [
      { payload: (payload) => void (payload.delete('nonce') && payload.delete('public_key')) },
    ],
    'with a field that AWS may add': [{ payload: (payload) => payload.set('more', { some: ['thing'] }) }],
    'with a chain of eight': [{ authorities: 7 }],
    'straight under the root': [{ authorities: 0 }],
    'just five minutes old': [{}, { now: () => TIMESTAMP + 300_000 }],
    'three hours old, where that is allowed': [
      { certificates: { [LEAF]: longLived, 2: longLived, 1: longLived, 0: longLived } },
      { now: () => TIMESTAMP + 10_800_000, maxAgeMilliseconds: 10_800_000 },
    ],
    'just a minute ahead': [{}, { now: () => TIMESTAMP - 60_000 }],
    'of just the leaf made now, by a clock a minute behind': [
      { certificates: { [LEAF]: (spec) => ({ ...spec, notBefore: TIMESTAMP }) } },
      { now: () => TIMESTAMP - 60_000 },
    ],
    'on a clock that is 90 seconds slow, where that is allowed': [
      { certificates: { [LEAF]: (spec) => ({ ...spec, notBefore: TIMESTAMP }) } },
      { now: () => TIMESTAMP - 90_000, clockSkewMilliseconds: 90_000 },
    ],
    'at the last moment of its leaf': [
      { certificates: { [LEAF]: (spec) => ({ ...spec, notAfter: TIMESTAMP + 1000 }) } },
      { now: () => TIMESTAMP + 1000 },
    ],
    'by the second of two alternatives': [{}, { pcrs: { 0: [PCR8, PCR0] } }],
    'by hexadecimal digits of either case': [{}, { pcrs: { 0: 'a0'.repeat(48), 8: 'A8'.repeat(48) } }],
    'by PCR8 alone': [{}, { pcrs: { 8: PCR8 } }],
    'by a zero register beside another': [{}, { pcrs: { 0: PCR0, 9: new Uint8Array(48) } }],
    'by its module id': [{}, { moduleId: MODULE_ID }],
  };
  for (const [name, [changes, options]] of Object.entries(accepted)) {
    it(name, async () => {
      const made = makeDocument(changes);
      const document = await verifyNitroDocumentForTesting(made.document, optionsFor(made, options));
      expect(document).toMatchObject({ moduleId: MODULE_ID, timestamp: TIMESTAMP, digest: 'SHA384', testRoot: true });
      expect(document.userData).toEqual(USER_DATA);
    });
  }

  function longLived<Spec>(spec: Spec): Spec & { notAfter: number } {
    return { ...spec, notAfter: TIMESTAMP + 86_400_000 };
  }

  it('of exactly 16,384 bytes', async () => {
    const room =
      16_384 - makeDocument({ payload: (payload) => payload.set('more', new Uint8Array(12_000)) }).document.length;
    const make = (length: number): ReturnType<typeof makeDocument> =>
      makeDocument({ payload: (payload) => payload.set('more', new Uint8Array(length)) });
    // DER signatures and serial numbers vary by a few bytes, so the length is met by trying.
    for (let attempt = 0; attempt < 2000; attempt += 1) {
      const made = make(12_000 + room);
      if (made.document.length !== 16_384) continue;
      await expect(verifyNitroDocumentForTesting(made.document, optionsFor(made))).resolves.toBeDefined();
      return;
    }
    expect.unreachable('no document of that length was made');
  });
});

describe('whatever comes instead of a document', () => {
  const made = makeDocument();
  const options = optionsFor(made);
  // Not by expect: thousands of these run.
  const refused = async (document: Uint8Array): Promise<void> => {
    const outcome: unknown = await verifyNitroDocumentForTesting(document, options).then(
      () => 'accepted',
      (error: unknown) => error,
    );
    if (!(outcome instanceof NitroError)) throw new Error(`${document.length} bytes: ${String(outcome)}`);
  };

  it('is refused when it is cut anywhere', async () => {
    for (let length = 0; length < made.document.length; length += times(1, 7))
      await refused(made.document.subarray(0, length));
  });

  it('is refused when it is any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), (bytes) => refused(bytes)),
      { numRuns: times(2000, 400) },
    );
  });

  it('is refused when it is any CBOR in the frame of COSE', async () => {
    const value = fc.anything({
      withBigInt: false,
      withMap: false,
      withTypedArray: false,
      values: [fc.uint8Array(), fc.string(), fc.integer(), fc.constant(null)],
    });
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom('module_id', 'digest', 'timestamp', 'pcrs', 'certificate', 'cabundle'), value),
        async (fields) => {
          let payload: Uint8Array;
          try {
            payload = encode(fields);
          } catch {
            return; // Not everything has a CBOR form.
          }
          await refused(encode([Uint8Array.of(0xa1, 0x01, 0x38, 0x22), new Map(), payload, new Uint8Array(96)]));
        },
      ),
      { numRuns: times(1000, 300) },
    );
  });

  it('is refused at any depth and any announced length, at once', async () => {
    const announced = [0x9b, 0xbb, 0x5b, 0x7b].map((head) => Uint8Array.of(head, 0, 0, 0, 1, 0, 0, 0, 0));
    const nested = [0x81, 0xa1, 0xc1].map((head) => new Uint8Array(16_384).fill(head));
    for (const bytes of [...announced, ...nested]) await refused(bytes);
  });
});

describe('the real root', () => {
  it('accepts no document of a test root', async () => {
    const made = makeDocument();
    const { root: _, ...options } = optionsFor(made);
    await expect(verifyNitroDocument(made.document, options)).rejects.toMatchObject({ code: 'NITRO_ERR_CHAIN_ROOT' });
  });
});
