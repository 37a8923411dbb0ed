/** PROTOCOL.md 4.1, 13, 14 and 21: the hellos, written and judged. */
import { type Bytes, type KemName, sha256 } from './primitives.ts';
import { Failure } from './records.ts';
import { concat, type Members, readBase64, readBase64Url, readObject, readUtf8, utf8 } from './text.ts';

export const MAX_HELLO = 16_384;

interface KemMembers {
  key: string;
  keyBytes: number;
  ciphertext: string;
  ciphertextBytes: number;
  /** Bytes of the key that hold ML-KEM's coefficients, 12 bits each. */
  coefficientBytes: number;
}
export const KEM_MEMBERS: Record<KemName, KemMembers> = {
  'ml-kem-768': {
    key: 'ml_kem_768_encapsulation_key',
    keyBytes: 1184,
    ciphertext: 'ml_kem_768_ciphertext',
    ciphertextBytes: 1088,
    coefficientBytes: 1152,
  },
  'mlkem768-x25519': {
    key: 'mlkem768_x25519_encapsulation_key',
    keyBytes: 1216,
    ciphertext: 'mlkem768_x25519_ciphertext',
    ciphertextBytes: 1120,
    coefficientBytes: 1152,
  },
  'ml-kem-1024': {
    key: 'ml_kem_1024_encapsulation_key',
    keyBytes: 1568,
    ciphertext: 'ml_kem_1024_ciphertext',
    ciphertextBytes: 1568,
    coefficientBytes: 1536,
  },
};
export const KEM_NAMES = Object.keys(KEM_MEMBERS) as KemName[];
export const FEATURES = ['exchange', 'client_identity', 'heartbeat'] as const;
export type Feature = (typeof FEATURES)[number];

export function helloText(member: [string, Bytes][], features: readonly Feature[]): string {
  const members = [
    '"pq_websocket":1',
    ...member.map(([name, value]) => `"${name}":"${Buffer.from(value).toString('base64')}"`),
    ...features.map((name) => `"${name}":1`),
  ];
  return `{${members.join(',')}}`;
}

/** A hello's members, where it is one of v1. */
function readHello(text: string): Members {
  if (utf8(text).length > MAX_HELLO) throw new Failure(3768);
  const members = readObject(text);
  if (members === undefined) throw new Failure(3768);
  if (members.get('pq_websocket') !== 1) throw new Failure(3768);
  return members;
}

/** FIPS 203 section 7.2: every coefficient is below 3,329. */
function passesModulusCheck(key: Bytes, bytes: number): boolean {
  for (let at = 0; at < bytes; at += 3) {
    const first = key[at]! | ((key[at + 1]! & 0x0f) << 8);
    const second = (key[at + 1]! >> 4) | (key[at + 2]! << 4);
    if (first >= 3329 || second >= 3329) return false;
  }
  return true;
}

/** @throws {Failure} 3768, or what `code` says */
export function checkKey(kem: KemName, key: Bytes | undefined, code = 3768): Bytes {
  const { keyBytes, coefficientBytes } = KEM_MEMBERS[kem];
  if (key === undefined || key.length !== keyBytes) throw new Failure(code);
  if (!passesModulusCheck(key, coefficientBytes)) throw new Failure(code);
  return key;
}

export interface ReadClientHello {
  kem: KemName;
  key: Bytes;
  offered: Feature[];
}

/** What a server whose KEMs are these makes of a ClientHello. */
export function readClientHello(text: string, kems: readonly KemName[]): ReadClientHello {
  const members = readHello(text);
  const keys = new Map<KemName, Bytes>();
  for (const kem of kems) {
    const { key } = KEM_MEMBERS[kem];
    if (members.has(key)) keys.set(kem, checkKey(kem, readBase64(members.get(key))));
  }
  const kem = kems.find((name) => keys.has(name));
  if (kem === undefined) throw new Failure(3768);
  return { kem, key: keys.get(kem)!, offered: FEATURES.filter((name) => members.get(name) === 1) };
}

export interface ReadServerHello {
  kem: KemName;
  ciphertext: Bytes;
  answered: Feature[];
}

/** What a client that offered these makes of a ServerHello. */
export function readServerHello(text: string, kems: readonly KemName[], offered: readonly Feature[]): ReadServerHello {
  const members = readHello(text);
  const given = KEM_NAMES.filter((name) => members.has(KEM_MEMBERS[name].ciphertext));
  const kem = given[0];
  if (kem === undefined || given.length !== 1 || !kems.includes(kem)) throw new Failure(3768);
  const ciphertext = readBase64(members.get(KEM_MEMBERS[kem].ciphertext));
  if (ciphertext === undefined || ciphertext.length !== KEM_MEMBERS[kem].ciphertextBytes) throw new Failure(3768);
  const answered = FEATURES.filter((name) => members.has(name));
  for (const name of answered) if (members.get(name) !== 1 || !offered.includes(name)) throw new Failure(3768);
  return { kem, ciphertext, answered };
}

/** The hello of a fast open offer, or undefined where the tokens count for nothing. */
export function readToken(subprotocols: readonly string[]): string | undefined {
  const tokens = subprotocols.filter((name) => name.startsWith('pqws1.'));
  const [token] = tokens;
  if (token === undefined || tokens.length !== 1 || subprotocols.filter((name) => name === 'pqws1').length !== 1)
    return undefined;
  if (token.length > 8000) return undefined;
  const bytes = readBase64Url(token.slice('pqws1.'.length));
  return bytes === undefined ? undefined : readUtf8(bytes);
}

export const fingerprintOf = (key: Bytes): Bytes => sha256(key);
export const signedBytes = (label: string, th: Bytes): Bytes =>
  concat(utf8(`pq-websocket/1 ${label}`), Uint8Array.of(0), th);
