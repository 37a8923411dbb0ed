/** test/vectors/v1.json as typed values that know which of them a test run has looked at. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { concat } from '../../src/base/bytes.ts';
import { sealAes256Gcm, sha256 } from './reference-crypto.ts';
import { v1Text } from './v1-file.ts';

export type Hex = string;
type LongValue = string | readonly (string | { readonly repeat: string; readonly times: number })[];
export interface WireVector {
  readonly text?: LongValue;
  readonly binary?: LongValue;
  readonly seal?: { key: Hex; nonce: Hex; aad: Hex; inner: LongValue; frameSha256: Hex };
}
export interface Delivered {
  readonly text?: LongValue;
  readonly binary?: LongValue;
}
export interface RecordVector {
  readonly name: string;
  readonly from: 'client' | 'server';
  readonly seq: number;
  readonly epoch: number;
  readonly kind: number;
  readonly content: Hex;
  readonly padding: number;
  readonly key: Hex;
  readonly nonce: Hex;
  readonly aad: Hex;
  readonly inner: Hex;
  readonly frame: Hex;
  readonly delivers: readonly Delivered[];
}
export interface SecretVector {
  readonly name: string;
  readonly ikm: string;
  readonly prk: Hex;
  readonly info: Hex;
  readonly okm: Hex;
}
export interface SessionVector {
  readonly clientHello: string;
  readonly serverHello: string;
  readonly context?: Hex;
  readonly th: Hex;
  readonly ss: Hex;
  readonly secrets: readonly SecretVector[];
  readonly exports: readonly { name: string; label: string; length: number; info: Hex; bytes?: Hex; sha256?: Hex }[];
  readonly serverFinished: RecordVector;
  readonly clientFinished: RecordVector;
}
export interface Step {
  readonly receive?: WireVector;
  readonly close?: { readonly code?: number; readonly reason?: string };
}
interface Case {
  readonly name: string;
  readonly to: 'client' | 'server';
  readonly message: WireVector;
}
export interface FrameCase extends Case {
  readonly before: readonly Step[];
}
export interface V1 {
  readonly profile: string;
  readonly inputs: { keySeed: Hex; m: Hex; maxPayload: number; nonces: string };
  readonly kem: { encapsulationKey: Hex; ciphertext: Hex; sharedSecret: Hex };
  readonly transcripts: readonly {
    name: string;
    clientHello: string;
    serverHello: string;
    context?: Hex;
    input: Hex;
    th: Hex;
  }[];
  readonly session: SessionVector;
  readonly sessionWithContext: SessionVector;
  readonly clientRecords: readonly RecordVector[];
  readonly serverRecords: readonly RecordVector[];
  readonly endings: readonly {
    name: string;
    by: 'client' | 'server';
    code: number;
    reason: string;
    close: RecordVector;
    answer: RecordVector;
  }[];
  readonly crossings: readonly {
    name: string;
    client: RecordVector;
    server: RecordVector;
    clientSees: { code: number; reason: string };
    serverSees: { code: number; reason: string };
  }[];
  readonly acceptedCloseCodes: readonly number[];
  readonly refusedCloseCodes: readonly number[];
  readonly acceptedFrames: readonly (FrameCase & { delivers: readonly Delivered[] })[];
  readonly refusedFrames: readonly (FrameCase & { code: number })[];
  readonly acceptedHellos: readonly (Case & { th: Hex; serverFinished: Hex; clientFinished: Hex })[];
  readonly refusedHellos: readonly (Case & { code: number })[];
  readonly serverIdentity: {
    keys: readonly { name: string; seed: Hex; publicKey: Hex; secretKeySha256: Hex }[];
    signedBytes: Hex;
    signature: Hex;
    serverFinished: RecordVector;
  };
  readonly attestation: {
    userData: Hex;
    document: Hex;
    serverFinished: RecordVector;
    refusedFinished: readonly { name: string; message: WireVector; code: number }[];
  };
  readonly acceptedFinished: readonly (Case & { pins: readonly string[] })[];
  readonly refusedFinished: readonly (Case & { pins: readonly string[]; code: number })[];
  readonly implicitRejection: {
    serverHello: string;
    sharedSecretOfTheClient: Hex;
    th: Hex;
    message: WireVector;
    messageUnderTheRightSecret: WireVector;
    code: number;
  };
  readonly fastOpen: {
    clientHello: string;
    token: string;
    offered: readonly { name: string; application: readonly string[]; protocols: readonly string[]; select: string }[];
    ignoredTokens: readonly { name: string; protocols: readonly string[] }[];
    refusedFirstMessages: readonly { name: string; message: WireVector; code: number }[];
  };
  readonly padding: {
    blocks: readonly { block: number; lengths: readonly [number, number][] }[];
    padme: readonly [number, number][];
  };
}

/** Paths of values that nothing has read yet. Empty lists and objects are values. */
const unread = new Set<string>();

function watched<T>(value: T, path: string): T {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    unread.add(path);
    return value;
  }
  const inner = new Map<string, unknown>();
  for (const [key, member] of Object.entries(value)) inner.set(key, watched(member as unknown, `${path}/${key}`));
  return new Proxy(value, {
    get(target, key, receiver): unknown {
      if (typeof key === 'symbol' || !inner.has(key)) return Reflect.get(target, key, receiver);
      unread.delete(`${path}/${key}`);
      return inner.get(key);
    },
  });
}

/** All but `cases`, which have a form and a runner of their own (test/vectors/cases.test.ts). */
const { cases: stories, format, ...sections } = JSON.parse(v1Text) as V1 & { cases: unknown[]; format: number };
if (format !== 2 || stories.length === 0) throw new Error('v1.json: another format, or no case');

export const v1 = watched<V1>(sections, '');

/** What no test has looked at. */
export function unreadPaths(): string[] {
  return [...unread];
}

/** @throws {Error} when there is no case: a run over nothing shows nothing */
export function cases<T>(section: string, list: readonly T[] | undefined): readonly T[] {
  if (list === undefined || list.length === 0) throw new Error(`v1.json: no case in ${section}`);
  return list;
}

export function bytes(hex: Hex): Uint8Array {
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new Error('v1.json: not lower-case hexadecimal');
  return hexToBytes(hex);
}

export const toHex = (data: Uint8Array): Hex => bytesToHex(data);

function long(value: LongValue): string {
  return typeof value === 'string'
    ? value
    : value.map((piece) => (typeof piece === 'string' ? piece : piece.repeat.repeat(piece.times))).join('');
}

/** What the transport delivers. A frame too long to print is made here, with reference-crypto.ts alone. */
export function wire({ text, binary, seal }: WireVector): string | Uint8Array {
  if (text !== undefined) return long(text);
  if (binary !== undefined) return bytes(long(binary));
  if (seal === undefined) throw new Error('v1.json: a message that is nothing');
  const nonce = bytes(seal.nonce);
  const sealed = concat(nonce, sealAes256Gcm(bytes(seal.key), nonce, bytes(seal.aad), bytes(long(seal.inner))));
  if (toHex(sha256(sealed)) !== seal.frameSha256) throw new Error('v1.json: frameSha256 differs');
  return sealed;
}

/** What the application receives, as a test's host keeps it. */
export function delivered(list: readonly Delivered[]): (string | Uint8Array)[] {
  return list.map(({ text, binary }) => (text === undefined ? bytes(long(binary ?? '')) : long(text)));
}
