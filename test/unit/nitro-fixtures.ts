/** Documents under a test root, good but for what a test changes. */
import { KeyUsageFlags } from '@peculiar/asn1-x509';
import { encode } from 'cborg';
import type { NitroDocumentOptions } from '../../packages/nitro/src/index.ts';
import { signCertificate, testKey } from '../../packages/nitro/src/nitro/test-certificate.ts';
import type { CertificateSpec, TestKey } from '../../packages/nitro/src/nitro/test-certificate.ts';
import { signDocument } from '../../packages/nitro/src/nitro/test-document.ts';
import type { DocumentSpec } from '../../packages/nitro/src/nitro/test-document.ts';
import { TEST_ROOT_NAME } from '../../packages/nitro/src/nitro/test-enclave.ts';
import type { TestRoot } from '../../packages/nitro/src/testing.ts';
import { concat, utf8 } from '../../src/base/bytes.ts';

/** When the documents are made. */
export const TIMESTAMP = Date.UTC(2030, 5, 15, 12, 0, 0);
const HOUR = 3_600_000;

export const PCR0 = new Uint8Array(48).fill(0xa0);
export const PCR8 = new Uint8Array(48).fill(0xa8);
export const USER_DATA = concat(utf8('pq-websocket/1 attestation'), Uint8Array.of(0), new Uint8Array(32).fill(0x5a));
export const MODULE_ID = 'i-0123456789abcdef0-enc0123456789abcdef';

// Signing keys are made once: a certificate is made anew for each document.
const keys: TestKey[] = [];
export function keyOf(level: number): TestKey {
  for (let next = keys.length; next <= level; next += 1) keys.push(testKey());
  return keys[level] as TestKey;
}
/** A key that is in no certificate. */
export const strangerKey: TestKey = testKey();

export type CertificateChange = (spec: CertificateSpec) => CertificateSpec;

export interface Changes {
  /** CA certificates between the root and the leaf. Default 2. */
  readonly authorities?: number;
  /** By level: 0 is the root, then the authorities, then the leaf. */
  readonly certificates?: Readonly<Record<number, CertificateChange>>;
  /** Changes a certificate that is ready. */
  readonly ready?: Readonly<Record<number, (der: Uint8Array) => Uint8Array>>;
  readonly payload?: (payload: Map<unknown, unknown>) => void;
  readonly cabundle?: (cabundle: Uint8Array[]) => Uint8Array[];
  /** Payload bytes in place of `encode(payload)`; the document is signed over them. */
  readonly payloadBytes?: (payload: Map<unknown, unknown>) => Uint8Array;
  readonly cose?: Partial<DocumentSpec>;
  /** Changes the document when it is signed. */
  readonly document?: (document: Uint8Array) => Uint8Array;
}

export interface Made {
  readonly document: Uint8Array;
  readonly root: Uint8Array;
}

export const LEAF = 3;

/** By default: root, two authorities, leaf, as good as AWS's. */
export function makeDocument(changes: Changes = {}): Made {
  const leaf = (changes.authorities ?? LEAF - 1) + 1;
  const chain: Uint8Array[] = [];
  for (let level = 0; level <= leaf; level += 1) {
    const spec = certificateSpec(level, leaf);
    const certificate = signCertificate(changes.certificates?.[level]?.(spec) ?? spec);
    chain.push(changes.ready?.[level]?.(certificate) ?? certificate);
  }
  const [root] = chain as [Uint8Array];
  const cabundle = chain.slice(0, leaf);
  const payload = new Map<unknown, unknown>([
    ['module_id', MODULE_ID],
    ['digest', 'SHA384'],
    ['timestamp', TIMESTAMP],
    ['pcrs', registers()],
    ['certificate', chain[leaf]],
    ['cabundle', changes.cabundle?.(cabundle) ?? cabundle],
    ['public_key', null],
    ['user_data', USER_DATA],
    ['nonce', null],
  ]);
  changes.payload?.(payload);
  const payloadBytes = changes.payloadBytes?.(payload);
  const document = signDocument({ payload, payloadBytes, secretKey: keyOf(leaf).secretKey, ...changes.cose });
  return { document: changes.document?.(document) ?? document, root };
}

export function registers(): Map<unknown, Uint8Array> {
  const pcrs = new Map<unknown, Uint8Array>();
  for (let index = 0; index < 16; index += 1) pcrs.set(index, new Uint8Array(48).fill(index <= 4 ? 0xa0 + index : 0));
  return pcrs.set(8, PCR8);
}

function certificateSpec(level: number, leaf: number): CertificateSpec {
  const name = (at: number): string => (at === 0 ? TEST_ROOT_NAME : at === leaf ? 'leaf' : `authority ${at}`);
  const authority = level < leaf;
  return {
    subject: name(level),
    issuer: name(Math.max(level - 1, 0)),
    publicKey: keyOf(level).publicKey,
    issuerKey: keyOf(Math.max(level - 1, 0)),
    notBefore: TIMESTAMP - HOUR,
    notAfter: TIMESTAMP + HOUR,
    ca: authority,
    // As tight as it goes: each authority has just the room it needs.
    pathLength: authority && level > 0 ? leaf - 1 - level : undefined,
    usage: authority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature,
  };
}

/** What the tests demand of a document unless they say otherwise. */
export function optionsFor(made: Made, more: Partial<NitroDocumentOptions> = {}): NitroDocumentOptions & TestRoot {
  return { root: made.root, pcrs: { 0: PCR0 }, userData: USER_DATA, now: () => TIMESTAMP + 1000, ...more };
}

/** A copy with one byte set. */
export function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = value;
  return copy;
}

/** CBOR of a map, entry by entry, so that bytes can be put in that no encoder makes. */
export function mapBytes(entries: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array {
  return concat(Uint8Array.of(0xa0 + entries.length), ...entries.flat());
}

export function entriesOf(map: ReadonlyMap<unknown, unknown>): [Uint8Array, Uint8Array][] {
  return [...map].map(([key, value]) => [encode(key), encode(value)]);
}
