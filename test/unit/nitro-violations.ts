/**
 * Documents that break one rule each and are good in everything else, with the code that they must be refused with.
 * nitro-checks.test.ts holds the verifier to them; nitro-mutations.test.ts takes one check after another out of the
 * verifier and sees that one of these then passes.
 */
import { AlgorithmIdentifier, Version } from '@peculiar/asn1-x509';
import { encode } from 'cborg';
import type { NitroDocumentOptions, NitroErrorCode } from '../../packages/nitro/src/index.ts';
import { commonName, extension, keyUsage } from '../../packages/nitro/src/nitro/test-certificate.ts';
import type { CertificateSpec } from '../../packages/nitro/src/nitro/test-certificate.ts';
import { concat } from '../../src/base/bytes.ts';
import {
  entriesOf,
  keyOf,
  LEAF,
  makeDocument,
  mapBytes,
  PCR0,
  PCR8,
  registers,
  strangerKey,
  TIMESTAMP,
  USER_DATA,
  withByte,
} from './nitro-fixtures.ts';
import type { CertificateChange, Changes, Made } from './nitro-fixtures.ts';

export interface Violation {
  readonly code: NitroErrorCode;
  readonly name: string;
  readonly make: () => Made;
  readonly options: Partial<NitroDocumentOptions>;
}

const AUTHORITY = LEAF - 1;
const zeros = (): Uint8Array => new Uint8Array(48);
const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);

const change =
  (part: Partial<CertificateSpec>): CertificateChange =>
  (spec) => ({ ...spec, ...part });

type Certificate = Parameters<NonNullable<CertificateSpec['edit']>>[0];
const edit = (edited: (certificate: Certificate) => void): CertificateChange => change({ edit: edited });

const set =
  (name: string, value: unknown): NonNullable<Changes['payload']> =>
  (payload) =>
    payload.set(name, value);

const setPcr =
  (index: unknown, value: Uint8Array): NonNullable<Changes['payload']> =>
  (payload) =>
    payload.set('pcrs', registers().set(index, value));

/** The payload with one more entry, whose CBOR is given. */
const entry =
  (key: string, value: readonly number[]): NonNullable<Changes['payloadBytes']> =>
  (payload) =>
    mapBytes([...entriesOf(payload), [encode(key), Uint8Array.from(value)]]);

function violation(
  code: NitroErrorCode,
  name: string,
  changes: Changes,
  options: Partial<NitroDocumentOptions> = {},
): Violation {
  return { code, name, make: () => makeDocument(changes), options };
}

const ES384_HEADER = encode(new Map([[1, -35]]));
const UNKNOWN_EXTENSION = '1.3.6.1.4.1.99999.1';
const NULL = Uint8Array.of(0x05, 0x00).buffer;
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
/** OBJECT IDENTIFIER prime256v1. */
const PRIME256V1 = Uint8Array.of(0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07).buffer;

const encoding: Violation[] = [
  violation('NITRO_ERR_SIZE', 'empty', { document: () => new Uint8Array(0) }),
  violation('NITRO_ERR_SIZE', 'too long', { payload: set('more', bytes(14_000)) }),
  violation('NITRO_ERR_CBOR', 'cut', { document: (document) => document.subarray(0, -1) }),
  violation('NITRO_ERR_CBOR', 'indefinite array outside', {
    document: (document) => concat(Uint8Array.of(0x9f), document.subarray(1), Uint8Array.of(0xff)),
  }),
  violation('NITRO_ERR_CBOR', 'indefinite map inside', { payloadBytes: entry('more', [0xbf, 0xff]) }),
  violation('NITRO_ERR_CBOR', 'indefinite bytes inside', { payloadBytes: entry('more', [0x5f, 0x41, 0x00, 0xff]) }),
  violation('NITRO_ERR_CBOR', 'key twice', {
    payloadBytes: (payload) => mapBytes([...entriesOf(payload), [encode('user_data'), encode(USER_DATA)]]),
  }),
  violation('NITRO_ERR_CBOR', 'integer longer than needed', { payloadBytes: entry('more', [0x18, 0x01]) }),
  violation('NITRO_ERR_CBOR', 'length longer than needed', { payloadBytes: entry('more', [0x58, 0x01, 0x00]) }),
  violation('NITRO_ERR_CBOR', 'undefined', { payloadBytes: entry('more', [0xf7]) }),
  violation('NITRO_ERR_CBOR', 'infinity', { payloadBytes: entry('more', [0xf9, 0x7c, 0x00]) }),
  violation('NITRO_ERR_CBOR', 'not a number', { payloadBytes: entry('more', [0xf9, 0x7e, 0x00]) }),
  violation('NITRO_ERR_CBOR', 'integer beyond 2^53', { payload: set('more', 2n ** 60n) }),
  violation('NITRO_ERR_CBOR', 'tag inside', { payloadBytes: entry('more', [0xc0, 0x60]) }),
  violation('NITRO_ERR_CBOR', 'tag other than 18 outside', {
    document: (document) => concat(Uint8Array.of(0xd1), document),
  }),
  violation('NITRO_ERR_CBOR', 'tag 18 twice', { document: (document) => concat(Uint8Array.of(0xd2, 0xd2), document) }),
  violation('NITRO_ERR_CBOR_LIMIT', 'too deep', { payload: set('more', [[[[]]]]) }),
  violation('NITRO_ERR_CBOR_LIMIT', 'too many items', {
    payload: set(
      'more',
      Array.from({ length: 256 }, () => 0),
    ),
  }),
  violation('NITRO_ERR_CBOR_TRAILING', 'byte after the document', {
    document: (document) => concat(document, Uint8Array.of(0)),
  }),
  violation('NITRO_ERR_CBOR_TRAILING', 'byte after the payload', {
    payloadBytes: (payload) => concat(encode(payload), Uint8Array.of(0)),
  }),
  violation('NITRO_ERR_CBOR_TRAILING', 'byte after the protected header', {
    cose: { protectedHeader: Uint8Array.of(0xa1, 0x01, 0x38, 0x22, 0x00) },
  }),
  violation('NITRO_ERR_COSE', 'five elements', {
    document: (document) => concat(Uint8Array.of(0x85), document.subarray(1), Uint8Array.of(0xf6)),
  }),
  violation('NITRO_ERR_COSE', 'three elements', { document: () => encode([ES384_HEADER, new Map(), bytes(9)]) }),
  violation('NITRO_ERR_COSE', 'no array', { document: () => encode(new Map()) }),
  violation('NITRO_ERR_COSE', 'unprotected header an empty array', {
    // The first element, 84 44 a1 01 38 22, is followed by the unprotected header, a0.
    document: (document) => concat(document.subarray(0, 6), Uint8Array.of(0x80), document.subarray(7)),
  }),
  violation('NITRO_ERR_COSE', 'signature of 95 bytes', {
    document: (document) => concat(document.subarray(0, -98), Uint8Array.of(0x58, 95), document.subarray(-95)),
  }),
  violation('NITRO_ERR_COSE', 'signature as text', {
    document: (document) => concat(document.subarray(0, -98), Uint8Array.of(0x78, 96), new Uint8Array(96).fill(0x41)),
  }),
  violation('NITRO_ERR_COSE', 'payload detached', {
    document: () => encode([ES384_HEADER, new Map(), null, bytes(96)]),
  }),
  violation('NITRO_ERR_COSE', 'protected header not in bytes', {
    document: () => encode([new Map([[1, -35]]), new Map(), bytes(9), bytes(96)]),
  }),
  violation('NITRO_ERR_COSE_ALGORITHM', 'another algorithm named', {
    cose: { protectedHeader: encode(new Map([[1, -7]])) },
  }),
  violation('NITRO_ERR_COSE_ALGORITHM', 'a second header parameter', {
    cose: {
      protectedHeader: encode(
        new Map<number, unknown>([
          [1, -35],
          [4, bytes(1)],
        ]),
      ),
    },
  }),
  violation('NITRO_ERR_COSE_ALGORITHM', 'no algorithm', { cose: { protectedHeader: encode(new Map()) } }),
  violation('NITRO_ERR_COSE_ALGORITHM', 'header no map', { cose: { protectedHeader: encode([1, -35]) } }),
  violation('NITRO_ERR_COSE_UNPROTECTED', 'an unprotected parameter', {
    cose: { unprotectedHeader: new Map([[4, bytes(1)]]) },
  }),
  violation('NITRO_ERR_SIGNATURE', 'by a key that is not in the leaf', { cose: { secretKey: strangerKey.secretKey } }),
  violation('NITRO_ERR_SIGNATURE', 'zero', {
    document: (document) => concat(document.subarray(0, -96), new Uint8Array(96)),
  }),
];

const fields: Violation[] = [
  violation('NITRO_ERR_FIELDS', 'payload no map', { payloadBytes: () => encode(['module_id']) }),
  violation('NITRO_ERR_FIELDS', 'no module id', { payload: (payload) => payload.delete('module_id') }),
  violation('NITRO_ERR_FIELDS', 'module id empty', { payload: set('module_id', '') }),
  violation('NITRO_ERR_FIELDS', 'module id as bytes', { payload: set('module_id', bytes(3)) }),
  violation('NITRO_ERR_FIELDS', 'timestamp as text', { payload: set('timestamp', String(TIMESTAMP)) }),
  violation('NITRO_ERR_FIELDS', 'timestamp zero', { payload: set('timestamp', 0) }),
  violation('NITRO_ERR_FIELDS', 'timestamp with a fraction', { payload: set('timestamp', TIMESTAMP + 0.5) }),
  violation('NITRO_ERR_FIELDS', 'no PCRs', { payload: set('pcrs', new Map()) }),
  violation('NITRO_ERR_FIELDS', 'PCRs as an array', { payload: set('pcrs', [PCR0]) }),
  violation('NITRO_ERR_FIELDS', 'of NitroTPM, which AWS signs too, and not of an enclave', {
    payload: (payload) => void payload.set('nitrotpm_pcrs', payload.get('pcrs')).delete('pcrs'),
  }),
  violation('NITRO_ERR_FIELDS', 'no certificate', { payload: (payload) => payload.delete('certificate') }),
  violation('NITRO_ERR_FIELDS', 'cabundle empty', { payload: set('cabundle', []) }),
  violation('NITRO_ERR_FIELDS', 'cabundle as bytes', { payload: set('cabundle', bytes(9)) }),
  violation('NITRO_ERR_FIELDS', 'certificate too long', {
    certificates: {
      [LEAF]: edit(({ tbsCertificate }) =>
        tbsCertificate.extensions?.push(extension(UNKNOWN_EXTENSION, false, bytes(700).buffer as ArrayBuffer)),
      ),
    },
  }),
  violation('NITRO_ERR_FIELDS', 'authority too long', {
    certificates: {
      [AUTHORITY]: edit(({ tbsCertificate }) =>
        tbsCertificate.extensions?.push(extension(UNKNOWN_EXTENSION, false, bytes(700).buffer as ArrayBuffer)),
      ),
    },
  }),
  violation('NITRO_ERR_FIELDS', 'nonce too long', { payload: set('nonce', bytes(513)) }),
  violation('NITRO_ERR_FIELDS', 'nonce as text', { payload: set('nonce', 'nonce') }),
  violation('NITRO_ERR_FIELDS', 'public key too long', { payload: set('public_key', bytes(1025)) }),
  violation('NITRO_ERR_FIELDS', 'public key empty', { payload: set('public_key', bytes(0)) }),
  violation('NITRO_ERR_FIELDS', 'user data too long', { payload: set('user_data', bytes(513)) }),
  violation('NITRO_ERR_DIGEST', 'another hash', { payload: set('digest', 'SHA512') }),
  violation('NITRO_ERR_DIGEST', 'none', { payload: (payload) => payload.delete('digest') }),
  violation('NITRO_ERR_PCR_FORMAT', 'index 32', { payload: setPcr(32, PCR0) }),
  violation('NITRO_ERR_PCR_FORMAT', 'index negative', { payload: setPcr(-1, PCR0) }),
  violation('NITRO_ERR_PCR_FORMAT', 'index as text', { payload: setPcr('0', PCR0) }),
  violation('NITRO_ERR_PCR_FORMAT', 'index with a fraction', { payload: setPcr(5.5, PCR0) }),
  violation('NITRO_ERR_PCR_FORMAT', 'as text', {
    payload: (payload) => payload.set('pcrs', new Map<unknown, unknown>([...registers(), [5, '5'.repeat(48)]])),
  }),
  violation('NITRO_ERR_PCR_FORMAT', '47 bytes', { payload: setPcr(5, bytes(47)) }),
  violation('NITRO_ERR_PCR_FORMAT', '64 bytes', { payload: setPcr(5, bytes(64)) }),
];

const certificates: Violation[] = [
  violation('NITRO_ERR_CERTIFICATE', 'leaf is no DER', { ready: { [LEAF]: () => bytes(500) } }),
  violation('NITRO_ERR_CERTIFICATE', 'authority is no DER', { ready: { [AUTHORITY]: () => bytes(500) } }),
  violation('NITRO_ERR_CERTIFICATE', 'byte after the leaf', {
    ready: { [LEAF]: (der) => concat(der, Uint8Array.of(0)) },
  }),
  violation('NITRO_ERR_CERTIFICATE', 'byte after an authority', {
    ready: { [AUTHORITY]: (der) => concat(der, Uint8Array.of(0)) },
  }),
  violation('NITRO_ERR_CERTIFICATE', 'leaf of indefinite length', {
    ready: { [LEAF]: (der) => concat(Uint8Array.of(0x30, 0x80), der.subarray(4), Uint8Array.of(0, 0)) },
  }),
  violation('NITRO_ERR_CERTIFICATE', "object identifier in the issuer's name malformed", {
    // commonName, 2.5.4.3, as 06 03 55 04 03; its last byte then says that another follows.
    ready: { [LEAF]: (der) => withByte(der, Buffer.from(der).indexOf('0603550403', 'hex') + 4, 0x83) },
  }),
  violation('NITRO_ERR_CERTIFICATE', 'leaf of version 2', {
    certificates: { [LEAF]: edit(({ tbsCertificate }) => (tbsCertificate.version = Version.v2)) },
  }),
  violation('NITRO_ERR_CERTIFICATE', 'key usage no bit string', {
    certificates: {
      [LEAF]: edit(({ tbsCertificate }) => tbsCertificate.extensions?.splice(1, 1, extension('2.5.29.15', true, NULL))),
    },
  }),
  violation('NITRO_ERR_CERTIFICATE_ALGORITHM', 'SHA-256 named inside', {
    certificates: { [LEAF]: edit(({ tbsCertificate }) => (tbsCertificate.signature.algorithm = ECDSA_WITH_SHA256)) },
  }),
  violation('NITRO_ERR_CERTIFICATE_ALGORITHM', 'SHA-256 named outside', {
    certificates: { [LEAF]: edit((certificate) => (certificate.signatureAlgorithm.algorithm = ECDSA_WITH_SHA256)) },
  }),
  violation('NITRO_ERR_CERTIFICATE_ALGORITHM', 'signature algorithm with parameters', {
    certificates: { [AUTHORITY]: edit(({ tbsCertificate }) => (tbsCertificate.signature.parameters = NULL)) },
  }),
  violation('NITRO_ERR_CERTIFICATE_ALGORITHM', 'another curve named', {
    certificates: {
      [LEAF]: edit(({ tbsCertificate }) => (tbsCertificate.subjectPublicKeyInfo.algorithm.parameters = PRIME256V1)),
    },
  }),
  violation('NITRO_ERR_CERTIFICATE_ALGORITHM', 'another key type named', {
    certificates: {
      [LEAF]: edit(
        ({ tbsCertificate }) =>
          (tbsCertificate.subjectPublicKeyInfo.algorithm = new AlgorithmIdentifier({
            algorithm: '1.3.132.1.12',
            parameters: tbsCertificate.subjectPublicKeyInfo.algorithm.parameters ?? null,
          })),
      ),
    },
  }),
  violation('NITRO_ERR_CERTIFICATE_ALGORITHM', 'point compressed', {
    certificates: { [LEAF]: (spec) => ({ ...spec, publicKey: compressed(spec.publicKey) }) },
  }),
  violation('NITRO_ERR_CERTIFICATE_ALGORITHM', 'point not on the curve', {
    certificates: {
      [LEAF]: (spec) => ({ ...spec, publicKey: withByte(spec.publicKey, 96, (spec.publicKey[96] as number) ^ 1) }),
    },
  }),
  violation('NITRO_ERR_EXTENSION_REPEATED', 'key usage twice', {
    certificates: { [LEAF]: edit(({ tbsCertificate }) => tbsCertificate.extensions?.push(keyUsage(1))) },
  }),
  violation('NITRO_ERR_EXTENSION_CRITICAL', 'in an authority', {
    certificates: {
      [AUTHORITY]: edit(({ tbsCertificate }) =>
        tbsCertificate.extensions?.push(extension(UNKNOWN_EXTENSION, true, NULL)),
      ),
    },
  }),
  violation('NITRO_ERR_EXTENSION_CRITICAL', 'in the leaf', {
    certificates: {
      [LEAF]: edit(({ tbsCertificate }) => tbsCertificate.extensions?.push(extension(UNKNOWN_EXTENSION, true, NULL))),
    },
  }),
];

function compressed(point: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(2 + ((point[96] as number) & 1)), point.subarray(1, 49));
}

const chain: Violation[] = [
  {
    code: 'NITRO_ERR_CHAIN_ROOT',
    name: 'another root, of the same name and key',
    // The serial numbers differ; everything else is the pinned root's.
    make: () => ({ ...makeDocument(), root: makeDocument().root }),
    options: {},
  },
  violation('NITRO_ERR_CHAIN_ROOT', 'root left out', { cabundle: (cabundle) => cabundle.slice(1) }),
  violation('NITRO_ERR_CHAIN_ROOT', 'root last', { cabundle: (cabundle) => [...cabundle].reverse() }),
  violation('NITRO_ERR_CHAIN_LENGTH', 'nine certificates', { authorities: 8 }),
  violation('NITRO_ERR_CHAIN_NAME', "the leaf's issuer", { certificates: { [LEAF]: change({ issuer: 'somebody' }) } }),
  violation('NITRO_ERR_CHAIN_NAME', "an authority's issuer", {
    certificates: { [AUTHORITY]: edit(({ tbsCertificate }) => (tbsCertificate.issuer = commonName('somebody'))) },
  }),
  violation('NITRO_ERR_CHAIN_SIGNATURE', 'leaf signed by another key', {
    certificates: { [LEAF]: change({ issuerKey: strangerKey }) },
  }),
  violation('NITRO_ERR_CHAIN_SIGNATURE', 'authority signed by another key', {
    certificates: { [AUTHORITY]: change({ issuerKey: strangerKey }) },
  }),
  violation('NITRO_ERR_CHAIN_SIGNATURE', 'leaf signed by the root', {
    certificates: { [LEAF]: change({ issuerKey: keyOf(0) }) },
  }),
  violation('NITRO_ERR_CHAIN_CA', 'authority is no CA', {
    certificates: { [AUTHORITY]: change({ ca: false, pathLength: undefined }) },
  }),
  violation('NITRO_ERR_CHAIN_CA', 'authority without basic constraints', {
    certificates: { [AUTHORITY]: edit(({ tbsCertificate }) => tbsCertificate.extensions?.shift()) },
  }),
  violation('NITRO_ERR_CHAIN_CA', 'root is no CA', { certificates: { 0: change({ ca: false }) } }),
  violation('NITRO_ERR_CHAIN_CA', 'leaf is a CA', { certificates: { [LEAF]: change({ ca: true }) } }),
  violation('NITRO_ERR_CHAIN_PATH_LENGTH', "an authority's", {
    certificates: { [AUTHORITY - 1]: change({ pathLength: 0 }) },
  }),
  violation('NITRO_ERR_CHAIN_PATH_LENGTH', "the root's", { certificates: { 0: change({ pathLength: 1 }) } }),
  violation('NITRO_ERR_CHAIN_KEY_USAGE', 'authority may not certify', {
    certificates: { [AUTHORITY]: change({ usage: 1 }) },
  }),
  violation('NITRO_ERR_CHAIN_KEY_USAGE', 'authority without key usage', {
    certificates: { [AUTHORITY]: edit(({ tbsCertificate }) => tbsCertificate.extensions?.pop()) },
  }),
  violation('NITRO_ERR_CHAIN_KEY_USAGE', 'leaf may not sign', { certificates: { [LEAF]: change({ usage: 32 }) } }),
  violation('NITRO_ERR_CHAIN_KEY_USAGE', 'leaf without key usage', {
    certificates: { [LEAF]: edit(({ tbsCertificate }) => tbsCertificate.extensions?.pop()) },
  }),
];

const MINUTE = 60_000;
const later = { now: () => TIMESTAMP + 2 * MINUTE };

const time: Violation[] = [
  ...[0, AUTHORITY, LEAF].flatMap((level) => [
    violation(
      'NITRO_ERR_VALIDITY_THEN',
      `level ${level}, not yet`,
      { certificates: { [level]: change({ notBefore: TIMESTAMP + MINUTE }) } },
      later,
    ),
    violation(
      'NITRO_ERR_VALIDITY_THEN',
      `level ${level}, no longer`,
      { certificates: { [level]: change({ notAfter: TIMESTAMP - 1000 }) } },
      {
        // A clock just inside the skew, so that the certificate is valid now.
        now: () => TIMESTAMP - 30_000,
      },
    ),
    violation(
      'NITRO_ERR_VALIDITY_NOW',
      `level ${level}, no longer`,
      { certificates: { [level]: change({ notAfter: TIMESTAMP + MINUTE }) } },
      later,
    ),
    violation(
      'NITRO_ERR_VALIDITY_NOW',
      `level ${level}, not yet`,
      { certificates: { [level]: change({ notBefore: TIMESTAMP }) } },
      {
        now: () => TIMESTAMP - MINUTE - 1,
      },
    ),
  ]),
  violation('NITRO_ERR_TIMESTAMP_OLD', 'five minutes and a millisecond', {}, { now: () => TIMESTAMP + 5 * MINUTE + 1 }),
  violation(
    'NITRO_ERR_TIMESTAMP_OLD',
    'older than asked for',
    {},
    { now: () => TIMESTAMP + 1001, maxAgeMilliseconds: 1000 },
  ),
  violation('NITRO_ERR_TIMESTAMP_FUTURE', 'a minute and a millisecond', {}, { now: () => TIMESTAMP - MINUTE - 1 }),
  violation(
    'NITRO_ERR_TIMESTAMP_FUTURE',
    'further ahead than allowed',
    {},
    { now: () => TIMESTAMP - 1, clockSkewMilliseconds: 0 },
  ),
];

const pinnedElsewhere = { pcrs: { 8: PCR8 } };

const enclave: Violation[] = [
  ...[0, 1, 2].flatMap((index) => [
    violation('NITRO_ERR_DEBUG_MODE', `PCR${index} zero`, { payload: setPcr(index, zeros()) }, pinnedElsewhere),
    violation(
      'NITRO_ERR_DEBUG_MODE',
      `PCR${index} missing`,
      { payload: (payload) => (payload.get('pcrs') as Map<number, unknown>).delete(index) },
      pinnedElsewhere,
    ),
  ]),
  violation('NITRO_ERR_PCR', 'another value', { payload: setPcr(0, PCR8) }),
  violation('NITRO_ERR_PCR', 'last byte', { payload: setPcr(0, withByte(PCR0, 47, 0)) }),
  violation('NITRO_ERR_PCR', 'not in the document', {}, { pcrs: { 0: PCR0, 16: PCR0 } }),
  violation('NITRO_ERR_PCR', 'one of two', {}, { pcrs: { 0: PCR0, 8: PCR0 } }),
  violation('NITRO_ERR_PCR', 'none of the alternatives', {}, { pcrs: { 0: [bytes(48), PCR8] } }),
  violation('NITRO_ERR_MODULE_ID', 'another', {}, { moduleId: 'i-0123456789abcdef0-enc0123456789abcdee' }),
  violation('NITRO_ERR_USER_DATA', 'another', { payload: set('user_data', withByte(USER_DATA, 58, 0)) }),
  violation('NITRO_ERR_USER_DATA', 'null', { payload: set('user_data', null) }),
  violation('NITRO_ERR_USER_DATA', 'not there', { payload: (payload) => payload.delete('user_data') }),
  violation('NITRO_ERR_USER_DATA', 'cut', { payload: set('user_data', USER_DATA.subarray(0, -1)) }),
  violation('NITRO_ERR_USER_DATA', 'with more behind it', {
    payload: set('user_data', concat(USER_DATA, Uint8Array.of(0))),
  }),
  violation('NITRO_ERR_USER_DATA', 'in the nonce only', {
    payload: (payload) => payload.set('user_data', null).set('nonce', USER_DATA),
  }),
  violation('NITRO_ERR_USER_DATA', 'in the public key only', {
    payload: (payload) => payload.set('user_data', null).set('public_key', USER_DATA),
  }),
];

export const VIOLATIONS: readonly Violation[] = [
  ...encoding,
  ...fields,
  ...certificates,
  ...chain,
  ...time,
  ...enclave,
];
