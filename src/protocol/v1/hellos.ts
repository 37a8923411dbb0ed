/**
 * The handshake's messages: build, parse, refuse. PROTOCOL.md, "Hello messages", "Transcript hash" and
 * "Finished". Nothing here keeps state of a connection.
 */
import { ON_NODE } from '#on-node';
import type { KemName } from '../../api/types.ts';
import type { KemKeyPair } from '../../crypto/backend.ts';
import { KEM_NAMES, KEM_SIZES } from '../../crypto/backend.ts';
import { ascii, concat, fromBase64, fromUtf8, toBase64, u32be, utf8 } from '../../base/bytes.ts';
import { Refusal } from '../errors.ts';
import { Map, Set } from '../../base/captured.ts';
import { ownMember, ownProperties } from '../../base/own-properties.ts';

/** A hello is one text message of at most this many UTF-8 bytes. */
export const MAX_HELLO_BYTES = 16_384;
/** The JSON object in a Finished has at most this many bytes. */
export const MAX_FINISHED_BYTES = 65_536;

const VERSION = 1;

/** Of each KEM: the member of ClientHello and that of ServerHello (PROTOCOL.md 4.1 and 21). */
function keyMember(kem: KemName): string {
  return `${kem.replaceAll('-', '_')}_encapsulation_key`;
}

function ciphertextMember(kem: KemName): string {
  return `${kem.replaceAll('-', '_')}_ciphertext`;
}

/** What is on only where ClientHello offers it and ServerHello answers it (PROTOCOL.md 22 to 24). */
export type Feature = 'exchange' | 'client_identity' | 'heartbeat';
const FEATURES: readonly Feature[] = ['exchange', 'client_identity', 'heartbeat'];

/** Of a server's many connections each holds one of these: they are few, and never change. */
const featureSets = /* @__PURE__ */ new Map<string, ReadonlySet<Feature>>();

/** The features for which `isIn` says so. */
export function featuresWhere(isIn: (feature: Feature) => boolean): ReadonlySet<Feature> {
  const features = FEATURES.filter(isIn);
  if (!ON_NODE) return new Set(features);
  const name = features.join();
  let found = featureSets.get(name);
  if (found === undefined) featureSets.set(name, (found = new Set(features)));
  return found;
}

/** What a hello says beside its key or ciphertext. */
export interface HelloExtras {
  readonly features?: ReadonlySet<Feature> | undefined;
  /** A member that nobody knows, so that a peer which refuses what it does not know fails the first time. */
  readonly grease?: { readonly name: string; readonly value: unknown } | undefined;
}

/** In base64, which has nothing that JSON escapes. */
function bytesMember(name: string, bytes: Uint8Array): string {
  return `,"${name}":"${toBase64(bytes)}"`;
}

function buildHello(members: string, { features, grease }: HelloExtras): string {
  // Member by member: an object with a name that no other has would cost engines a hidden class of its own.
  let hello = `{"pq_websocket":${VERSION}${members}`;
  for (const feature of FEATURES) if (features?.has(feature)) hello += `,"${feature}":1`;
  if (grease) hello += `,"grease_${grease.name}":${JSON.stringify(grease.value)}`;
  return `${hello}}`;
}

/** @param pairs whose keys it offers, by their KEM, in the client's order */
export function buildClientHello(
  pairs: Iterable<readonly [KemName, Pick<KemKeyPair, 'encapsulationKey'>]>,
  extras: HelloExtras = {},
): string {
  let members = '';
  for (const [kem, { encapsulationKey }] of pairs) members += bytesMember(keyMember(kem), encapsulationKey);
  return buildHello(members, extras);
}

export function buildServerHello(
  ciphertext: Uint8Array,
  kem: KemName = 'ml-kem-768',
  extras: HelloExtras = {},
): string {
  return buildHello(bytesMember(ciphertextMember(kem), ciphertext), extras);
}

export interface ClientHello {
  /** Those of the server's list, in its order. */
  readonly keys: ReadonlyMap<KemName, Uint8Array>;
  readonly features: ReadonlySet<Feature>;
}

/**
 * A malformed key for any KEM of the list is refused, whichever is taken. The FIPS 203 modulus check is the caller's.
 * @param kems the server's
 * @throws {Refusal}
 */
export function parseClientHello(message: string | Uint8Array, kems: readonly KemName[] = ['ml-kem-768']): ClientHello {
  return fromPeer(message, () => readClientHello(message, kems));
}

function readClientHello(message: string | Uint8Array, kems: readonly KemName[]): ClientHello {
  const hello = parseHello(message);
  const keys = new Map<KemName, Uint8Array>();
  for (const kem of kems) {
    const member = keyMember(kem);
    if (has(hello, member)) keys.set(kem, kemMember(hello, member, KEM_SIZES[kem].key));
  }
  if (keys.size === 0) throw new Refusal('PQ_ERR_HELLO');
  return { keys, features: featuresWhere((feature) => ownMember(hello, feature) === 1) };
}

export interface ServerHello {
  readonly kem: KemName;
  readonly ciphertext: Uint8Array;
  readonly features: ReadonlySet<Feature>;
}

/**
 * @param kems the client has offered
 * @param offered features
 * @throws {Refusal} for what was not offered, too
 */
export function parseServerHello(
  message: string | Uint8Array,
  kems: readonly KemName[] = ['ml-kem-768'],
  offered: ReadonlySet<Feature> = new Set(),
): ServerHello {
  return fromServer(message, () => readServerHello(message, kems, offered));
}

function readServerHello(
  message: string | Uint8Array,
  kems: readonly KemName[],
  offered: ReadonlySet<Feature>,
): ServerHello {
  const hello = parseHello(message);
  const [kem, ...others] = KEM_NAMES.filter((name) => has(hello, ciphertextMember(name)));
  if (kem === undefined || others.length > 0 || !kems.includes(kem)) throw new Refusal('PQ_ERR_HELLO');
  const features = featuresWhere((feature) => has(hello, feature));
  for (const feature of features)
    if (ownMember(hello, feature) !== 1 || !offered.has(feature)) throw new Refusal('PQ_ERR_HELLO');
  const ciphertext = kemMember(hello, ciphertextMember(kem), KEM_SIZES[kem].ciphertext);
  return { kem, ciphertext, features };
}

/** What only a client says. */
const CLIENTS_MEMBER = '_encapsulation_key"';
/** Names that a hello of every version and profile has in it, however malformed. */
const OURS = /pq_websocket|ml_kem_|mlkem768_/;

/**
 * Reads a peer's first message. What is refused, and has nothing of ours in it, is from somebody who does not speak this
 * protocol: that is no malformed hello, and its user has something else to do.
 * @throws {Refusal}
 */
export function fromPeer<T>(message: string | Uint8Array, read: () => T): T {
  return readFirst(read, () => !OURS.test(textOf(message)));
}

/**
 * As `fromPeer`, for what a server says first. One that sends back whatever it gets does not speak this protocol either.
 * @throws {Refusal}
 */
export function fromServer<T>(message: string | Uint8Array, read: () => T): T {
  return readFirst(read, () => !OURS.test(textOf(message)) || textOf(message).includes(CLIENTS_MEMBER));
}

function readFirst<T>(read: () => T, isForeign: () => boolean): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof Refusal && isForeign() ? new Refusal('PQ_ERR_NOT_PQ_WEBSOCKET') : error;
  }
}

function textOf(message: string | Uint8Array): string {
  return typeof message === 'string' ? message : (fromUtf8(message.subarray(0, MAX_HELLO_BYTES)) ?? '');
}

function parseHello(message: string | Uint8Array): object {
  const hello = parseHelloObject(message, MAX_HELLO_BYTES);
  if (!has(hello, 'pq_websocket')) throw new Refusal('PQ_ERR_HELLO');
  if (ownMember(hello, 'pq_websocket') !== VERSION) throw new Refusal('PQ_ERR_VERSION');
  return hello;
}

/**
 * @param most bytes of UTF-8
 * @returns of which its own members count
 * @throws {Refusal} for what is no text message, too long or no JSON object
 */
export function parseHelloObject(message: string | Uint8Array, most: number): object {
  if (typeof message !== 'string') throw new Refusal('PQ_ERR_MESSAGE_TYPE');
  // UTF-8 has one to three bytes for a UTF-16 code unit, so only what is between is encoded.
  if (message.length > most || (message.length * 3 > most && utf8(message).length > most))
    throw new Refusal('PQ_ERR_HELLO');
  return parseObject(message, 'PQ_ERR_HELLO');
}

/**
 * A key or a ciphertext.
 * @throws {Refusal}
 */
export function kemMember(hello: object, member: string, length: number): Uint8Array {
  const bytes = proofMember(ownMember(hello, member));
  if (typeof bytes === 'string' || bytes.length !== length) throw new Refusal('PQ_ERR_HELLO');
  return bytes;
}

/** What an end may put into its Finished to prove who it is. */
export interface Proof {
  readonly signature?: Uint8Array | undefined;
  /** The key that signed, for clients that pin its fingerprint; a key from the wire proves nothing by itself. */
  readonly publicKey?: Uint8Array | undefined;
  readonly attestation?: Uint8Array | undefined;
}

/** @throws {Refusal} PQ_ERR_IDENTITY when the proof is too long to send */
export function buildFinished(proof: Proof): Uint8Array {
  const { signature, publicKey, attestation } = ownProperties(proof);
  const content = utf8(
    JSON.stringify({
      ml_dsa_65_signature: base64IfThere(signature),
      ml_dsa_65_public_key: base64IfThere(publicKey),
      attestation_doc: base64IfThere(attestation),
    }),
  );
  if (content.length > MAX_FINISHED_BYTES) throw new Refusal('PQ_ERR_IDENTITY');
  return content;
}

/** JSON leaves out what is undefined. */
function base64IfThere(bytes: Uint8Array | undefined): string | undefined {
  return bytes && toBase64(bytes);
}

/** A member of a received Finished, or a hello of yellowpages: absent, there but not canonical base64, or its bytes. */
export type ProofMember = 'absent' | 'malformed' | Uint8Array;

export interface ReceivedFinished {
  readonly signature: ProofMember;
  readonly publicKey: ProofMember;
  readonly attestation: ProofMember;
}

/**
 * Members that were not asked for are not judged here: who pins no key ignores a signature, a malformed one too.
 * @param content a Finished record's content
 * @throws {Refusal}
 */
export function parseFinished(content: Uint8Array): ReceivedFinished {
  if (content.length > MAX_FINISHED_BYTES) throw new Refusal('PQ_ERR_FINISHED');
  const text = fromUtf8(content);
  if (text === undefined) throw new Refusal('PQ_ERR_FINISHED');
  const object = parseObject(text, 'PQ_ERR_FINISHED');
  return {
    signature: proofMember(ownMember(object, 'ml_dsa_65_signature')),
    publicKey: proofMember(ownMember(object, 'ml_dsa_65_public_key')),
    attestation: proofMember(ownMember(object, 'attestation_doc')),
  };
}

/** Strict base64, or what is wrong. */
export function proofMember(value: unknown): ProofMember {
  if (value === undefined) return 'absent';
  return (typeof value === 'string' ? fromBase64(value) : undefined) ?? 'malformed';
}

/** Whether a peer's object has the member: JSON knows no undefined. */
export function has(object: object, name: string): boolean {
  return ownMember(object, name) !== undefined;
}

/** `__proto__` and the like are members as any other. JSON.parse takes the last of a repeated member. */
function parseObject(text: string, code: 'PQ_ERR_HELLO' | 'PQ_ERR_FINISHED'): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes its input, so it is not kept as the cause.
    throw new Refusal(code);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(code);
  return value;
}

const TRANSCRIPT_LABEL = ascii('pq-websocket/1 transcript');

/** What the transcript hash is taken over. Lengths come before contents, so no two hello pairs give the same bytes. */
export function transcript(clientHello: string, serverHello: string, context: Uint8Array | undefined): Uint8Array {
  const parts = [TRANSCRIPT_LABEL];
  for (const part of [utf8(clientHello), utf8(serverHello), context]) if (part) parts.push(u32be(part.length), part);
  return concat(...parts);
}
