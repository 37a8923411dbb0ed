/**
 * One case of the vectors as it is told: what arrives at the end under test, what its application does, and what that end is
 * then to send, deliver and show. The keys of both ends are kept here, from the primitives.
 */
import { gcm } from '@noble/ciphers/aes.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  type Bytes,
  type Delivered,
  type Message,
  type Piece,
  type Side,
  base64,
  cat,
  expandPieces,
  hex,
  other,
  u16be,
  u32be,
  u64be,
  unhex,
  utf8,
  zeros,
} from './bytes.ts';
import { inner, nonce, transcript } from './connection.ts';
import { agreement, type KemName, KEMS } from './kems.ts';
import { bound32, documentFor, keyPair, type KeyName, signBy } from './keys.ts';

export const K = {
  text: 1,
  binary: 2,
  batch: 3,
  close: 4,
  update: 5,
  finished: 6,
  answer: 7,
  wanted: 8,
  offer: 9,
  exchangeAnswer: 10,
  end: 11,
  ping: 12,
  pong: 13,
} as const;

/** How the end under test is set up; what is absent is off. README.md says what each means. */
export interface Setup {
  kems?: KemName[];
  context?: string;
  pins?: KeyName[];
  fingerprints?: KeyName[];
  verifier?: true;
  identity?: KeyName;
  attester?: true;
  clientKeys?: KeyName[];
  clientFingerprints?: KeyName[];
  exchange?: true | { milliseconds: number };
  heartbeat?: { interval: number; timeout: number } | true;
  maxPayload?: number;
  padding?: number | 'padme';
  subprotocols?: string[];
  held?: ('verify' | 'sign')[];
  /** A sender's limits of an epoch, lower than PROTOCOL.md's. */
  rekey?: { records?: number; bytes?: number; milliseconds?: number };
  /** Records that a receiver takes in an epoch. */
  epochRecords?: number;
  /** Where `seq` begins in both directions, instead of 0. */
  seqFrom?: number;
  profile?: 'yellowpages' | 'both';
  /** Frames of a connection of yellowpages. */
  frames?: number;
}

export interface SentRecord {
  record: {
    generation: number;
    epoch: number;
    seq: number;
    kind: number;
    content: string;
    padding: number;
    key: string;
    frame: string;
  };
}
/** A record whose content is the sender's own affair: the ping of a heartbeat. */
export interface AnyRecord {
  anyContent: { generation: number; epoch: number; seq: number; kind: number; key: string };
}
/** A frame of yellowpages, which is no record. */
export interface SentFrame {
  frame: string;
  plaintext: string;
}
export type Sent = { text: string } | SentRecord | AnyRecord | SentFrame;

/** What an end is to do on a step; what is absent does not happen. */
export interface Outputs {
  sends?: Sent[];
  delivers?: Delivered[];
  /** The end accepts its peer's Finished: a client is open from here, a server may deliver. */
  accepts?: true;
  /** This generation's exchange has completed at the end under test. */
  exchanged?: number;
  /** A ping of the application is answered with this content. */
  answered?: string;
  /** The end fails and closes the transport with this code. */
  fails?: number;
  /** The end closes the transport without a failure: 1000, or none. */
  closes?: number | 'no code';
  /** Hex, or `throws`. */
  exports?: string;
}
export type Input =
  | { start: true }
  | { receive: Message }
  | { send: { text: string } | { binary: string } }
  | { close: { code?: number; reason?: string } }
  | { exchange: true }
  | { ping: string }
  | { finish: 'verify' | 'sign'; result: 'ok' | 'refused' }
  | { advance: number }
  | { transportClosed: number; reason?: string }
  | { export: { label: string; length: number } };
export type StoryStep = Input & Outputs;

export interface Seen {
  code: number;
  reason: string;
  wasClean: boolean;
}

export interface Case {
  id: string;
  title: string;
  class: string;
  sections: string[];
  needs: string[];
  to: Side;
  setup: Setup;
  after?: string;
  steps: StoryStep[];
  seen?: Seen;
}

interface Direction {
  generation: number;
  epoch: number;
  seq: number;
  th: Bytes;
  key: Bytes;
  next: Bytes;
}
export interface Exchange {
  generation: number;
  offer: Bytes;
  answer: Bytes;
  th: Bytes;
  ss: Bytes;
  seed: Bytes;
  root: Bytes;
  directions: Record<Side, { key: Bytes; next: Bytes }>;
}

export const hkdf = (salt: Bytes, ikm: Bytes, info: Bytes, length = 32): Bytes =>
  expand(sha256, extract(sha256, ikm, salt), info, length);
export const derive = (secret: Bytes, th: Bytes, label: string): Bytes =>
  hkdf(th, secret, utf8(`pq-websocket/1 ${label}`));

/** What the hellos say beside the version: members in the order in which the vectors write them. */
export interface HelloParts {
  kems?: KemName[];
  features?: string[];
  /** JSON text of further members, without braces. */
  extra?: string;
  version?: string;
}
const helloText = (keys: [string, Bytes][], { features = [], extra = '', version = '1' }: HelloParts): string => {
  const members = [
    `"pq_websocket":${version}`,
    ...keys.map(([name, value]) => `"${name}":"${base64(value)}"`),
    ...features.map((name) => `"${name}":1`),
  ];
  return `{${members.join(',')}${extra === '' ? '' : `,${extra}`}}`;
};
export function clientHelloOf(parts: HelloParts = {}): string {
  const { kems = ['ml-kem-768'] } = parts;
  return helloText(
    kems.map((name) => [KEMS[name].keyMember, agreement(name).publicKey]),
    parts,
  );
}
export function serverHelloOf(parts: HelloParts = {}): string {
  const { kems = ['ml-kem-768'] } = parts;
  return helloText(
    kems.map((name) => [KEMS[name].ciphertextMember, agreement(name).cipherText]),
    parts,
  );
}

const forgedNonces = new Map<string, number>();

export class Story {
  readonly steps: StoryStep[] = [];
  kem: KemName = 'ml-kem-768';
  clientHello = '';
  serverHello = '';
  th: Bytes = zeros(0);
  ss: Bytes = zeros(0);
  root: Bytes = zeros(0);
  exporter: Bytes = zeros(0);
  directions!: Record<Side, Direction>;
  seen: Seen | undefined;
  after: string | undefined;
  /** What an end must know beside what its setup turns on. */
  readonly alsoNeeds: string[] = [];

  readonly id: string;
  readonly title: string;
  readonly group: string;
  readonly sections: string[];
  readonly to: Side;
  readonly setup: Setup;

  constructor(id: string, title: string, group: string, sections: string[], to: Side, setup: Setup = {}) {
    this.id = id;
    this.title = title;
    this.group = group;
    this.sections = sections;
    this.to = to;
    this.setup = setup;
  }

  /** A story that goes on from where this one has come to. */
  branch(id: string, title: string, group: string, sections: string[]): Story {
    const story = new Story(id, title, group, sections, this.to, this.setup);
    const { kem, clientHello, serverHello, th, ss, root, exporter } = this;
    Object.assign(story, { kem, clientHello, serverHello, th, ss, root, exporter, after: this.id });
    story.directions = { client: { ...this.directions.client }, server: { ...this.directions.server } };
    return story;
  }

  get from(): Side {
    return other(this.to);
  }

  // ---- the handshake ----------------------------------------------------------------------------------------

  /** Both hellos are known: the keys of generation 0. */
  agree(clientHello: string, serverHello: string, kem: KemName = 'ml-kem-768', ss = agreement(kem).sharedSecret): this {
    const context = this.setup.context === undefined ? undefined : unhex(this.setup.context);
    Object.assign(this, { clientHello, serverHello, kem });
    this.th = transcript(clientHello, serverHello, context).th;
    this.ss = ss;
    this.root = derive(this.ss, this.th, 'root');
    this.exporter = derive(this.ss, this.th, 'exporter');
    const direction = (side: Side): Direction => ({
      generation: 0,
      epoch: 0,
      seq: this.setup.seqFrom ?? 0,
      th: this.th,
      key: derive(this.ss, this.th, `${side} key`),
      next: derive(this.ss, this.th, `${side} update`),
    });
    this.directions = { client: direction('client'), server: direction('server') };
    return this;
  }

  /** Up to both hellos being exchanged: a server has sent its Finished as well. */
  hellos(client: HelloParts = {}, server: HelloParts = {}): this {
    const kem = server.kems?.[0] ?? 'ml-kem-768';
    this.agree(clientHelloOf(client), serverHelloOf(server), kem);
    if (this.to === 'client') {
      this.step({ start: true }, { sends: [{ text: this.clientHello }] });
      return this.step({ receive: { text: this.serverHello } });
    }
    this.step({ start: true });
    const answer = { sends: [{ text: this.serverHello }, this.own(K.finished, utf8(this.serverFinished()))] };
    if (!this.setup.held?.includes('sign')) return this.step({ receive: { text: this.clientHello } }, answer);
    return this.step({ receive: { text: this.clientHello } }).step({ finish: 'sign', result: 'ok' }, answer);
  }

  /** The peer's hello has these parts; the end under test's is the shortest. */
  helloOfPeer(parts: HelloParts): this {
    return this.to === 'client' ? this.hellos({}, parts) : this.hellos(parts, {});
  }

  /** What the end under test says in its Finished, by its setup. */
  serverFinished(label = 'server identity', attested = 'attestation', th = this.th): string {
    const { identity, attester } = this.setup;
    const members: string[] = [];
    if (identity !== undefined) {
      members.push(`"ml_dsa_65_signature":"${base64(signBy(identity, bound32(label, th)))}"`);
      if (label === 'server identity') members.push(`"ml_dsa_65_public_key":"${base64(keyPair(identity).publicKey)}"`);
    }
    if (attester) members.push(`"attestation_doc":"${base64(documentFor(bound32(attested, th)))}"`);
    return `{${members.join(',')}}`;
  }

  clientFinished(answered = false, label = 'client identity', th = this.th): string {
    const { identity } = this.setup;
    if (!answered || identity === undefined) return '{}';
    const members = [`"ml_dsa_65_signature":"${base64(signBy(identity, bound32(label, th)))}"`];
    if (label === 'client identity') members.push(`"ml_dsa_65_public_key":"${base64(keyPair(identity).publicKey)}"`);
    return `{${members.join(',')}}`;
  }

  /** Both Finisheds, `peer` being the peer's content. */
  finished(peer = '{}', answersIdentity = false): this {
    const message = this.peer(K.finished, utf8(peer));
    if (this.to === 'server') return this.step({ receive: message }, { accepts: true });
    const opened: Outputs = {
      accepts: true,
      sends: [this.own(K.finished, utf8(this.clientFinished(answersIdentity)))],
    };
    if (!this.setup.held?.includes('verify')) return this.step({ receive: message }, opened);
    return this.step({ receive: message }).step({ finish: 'verify', result: 'ok' }, opened);
  }

  // ---- records ----------------------------------------------------------------------------------------------

  #seal(side: Side, plaintext: Bytes, iv: Bytes): Bytes {
    const { key, seq } = this.directions[side];
    return cat(iv, gcm(key, iv, u64be(seq)).encrypt(plaintext));
  }

  #advance(side: Side, kind: number): void {
    const direction = this.directions[side];
    direction.seq += 1;
    if (kind === K.update) this.update(side);
  }

  update(side: Side): void {
    const direction = this.directions[side];
    const { next, th } = direction;
    direction.key = derive(next, th, `${side} key`);
    direction.next = derive(next, th, `${side} update`);
    direction.epoch += 1;
  }

  /** The next record of the peer, as it arrives. */
  peer(kind: number, content: Bytes = zeros(0), padding = 0): Message {
    const frame = this.#seal(
      this.from,
      inner(content, kind, padding),
      nonce(this.from === 'client' ? 'clnt' : 'srvr', this.directions[this.from].seq),
    );
    this.#advance(this.from, kind);
    return { binary: hex(frame) };
  }

  /** The same, of any inner and of any length. It counts as one more record of the peer. */
  peerInner(pieces: Piece[], kind = 0): Message {
    const side = this.from;
    const { key, seq } = this.directions[side];
    const iv = nonce(side === 'client' ? 'clnt' : 'srvr', seq);
    const plaintext = unhex(expandPieces(pieces));
    const frame = cat(iv, gcm(key, iv, u64be(seq)).encrypt(plaintext));
    this.#advance(side, kind);
    if (plaintext.length < 2048) return { binary: hex(frame) };
    return {
      seal: { key: hex(key), nonce: hex(iv), aad: hex(u64be(seq)), inner: pieces, frameSha256: hex(sha256(frame)) },
    };
  }

  /** A frame that no honest peer would make: nothing is counted. Its nonce is its own. */
  forged(plaintext: Bytes, options: { key?: Bytes; seq?: number; side?: Side; aad?: Bytes } = {}): Message {
    const side = options.side ?? this.from;
    const { key = this.directions[side].key, seq = this.directions[side].seq, aad = u64be(seq) } = options;
    const count = forgedNonces.get(this.id) ?? 0;
    forgedNonces.set(this.id, count + 1);
    const iv = cat(sha256(utf8(this.id)).slice(0, 8), u32be(count));
    return { binary: hex(cat(iv, gcm(key, iv, aad).encrypt(plaintext))) };
  }

  /** A key exported at this point, or `throws`. */
  exported(label: string, length: number): string {
    return hex(hkdf(this.th, this.exporter, cat(utf8('pq-websocket/1 export '), u16be(length), utf8(label)), length));
  }

  /** The next record that the end under test is to send. */
  own(kind: number, content: Bytes = zeros(0), padding = 0): SentRecord {
    const { generation, epoch, seq, key } = this.directions[this.to];
    const frame = this.#seal(
      this.to,
      inner(content, kind, padding),
      nonce(this.to === 'client' ? 'clnt' : 'srvr', seq),
    );
    this.#advance(this.to, kind);
    return {
      record: { generation, epoch, seq, kind, content: hex(content), padding, key: hex(key), frame: hex(frame) },
    };
  }

  /** Likewise, where only the kind is fixed. */
  anyContent(kind: number): AnyRecord {
    const { generation, epoch, seq, key } = this.directions[this.to];
    this.#advance(this.to, kind);
    return { anyContent: { generation, epoch, seq, kind, key: hex(key) } };
  }

  // ---- an exchange ------------------------------------------------------------------------------------------

  /** What the exchange after `generation` comes to, from the fixed randomness of the next one. */
  exchange(change: { answer?: Bytes; offer?: Bytes; ss?: Bytes } = {}): Exchange {
    const generation = this.directions.client.generation + 1;
    const fixed = agreement(this.kem, generation);
    const { offer = fixed.publicKey, answer = fixed.cipherText, ss = fixed.sharedSecret } = change;
    const th = sha256(
      cat(
        utf8('pq-websocket/1 exchange transcript'),
        this.th,
        u32be(offer.length),
        offer,
        u32be(answer.length),
        answer,
      ),
    );
    const seed = hkdf(th, cat(this.root, ss), utf8('pq-websocket/1 exchange seed'));
    const keys = (side: Side): { key: Bytes; next: Bytes } => ({
      key: derive(seed, th, `${side} key`),
      next: derive(seed, th, `${side} update`),
    });
    return {
      generation,
      offer,
      answer,
      th,
      ss,
      seed,
      root: derive(seed, th, 'root'),
      directions: { client: keys('client'), server: keys('server') },
    };
  }

  /** The side's next record is the first of the new generation. */
  enter(side: Side, { generation, th, directions, root }: Exchange): void {
    Object.assign(this.directions[side], { generation, epoch: 0, th, ...directions[side] });
    if (this.directions.client.generation === this.directions.server.generation) Object.assign(this, { th, root });
  }

  // ---- telling ----------------------------------------------------------------------------------------------

  step(input: Input, outputs: Outputs = {}): this {
    this.steps.push({ ...input, ...outputs });
    return this;
  }

  receive(message: Message, outputs: Outputs = {}): this {
    return this.step({ receive: message }, outputs);
  }

  sees(code: number, reason: string, wasClean: boolean): this {
    this.seen = { code, reason, wasClean };
    return this;
  }

  /** It fails on this message; after that nothing is sent, delivered or looked at. */
  refuses(message: Message, code: number): this {
    this.receive(message, { fails: code });
    return this.sees(code, '', false);
  }

  get needs(): string[] {
    const {
      kems,
      pins,
      fingerprints,
      verifier,
      identity,
      attester,
      clientKeys,
      clientFingerprints,
      exchange,
      heartbeat,
      subprotocols,
      held,
      context,
      padding,
      maxPayload,
    } = this.setup;
    const all: string[] = [...this.alsoNeeds];
    for (const kem of kems ?? []) if (kem !== 'ml-kem-768' && !all.includes(kem)) all.push(kem);
    if (context !== undefined) all.push('context');
    const server = this.to === 'server';
    if (pins ?? fingerprints ?? (server ? identity : undefined)) all.push('server identity');
    if (verifier ?? attester) all.push('attestation');
    if (clientKeys ?? clientFingerprints ?? (server ? undefined : identity)) all.push('client identity');
    if (exchange) all.push('exchange');
    if (heartbeat) all.push('heartbeat');
    if (subprotocols) all.push('fast open');
    if (padding !== undefined) all.push('padding');
    if (maxPayload !== undefined) all.push('maxPayload');
    if (this.setup.rekey ?? this.setup.epochRecords ?? this.setup.frames) all.push('limits');
    if (this.setup.seqFrom !== undefined) all.push('seq');
    if (this.setup.profile !== undefined) all.push('yellowpages');
    if (held) all.push('held');
    if (this.steps.some((step) => 'advance' in step)) all.push('clock');
    return all;
  }

  toCase(): Case {
    const { id, title, group, sections, to, setup, after, steps, seen, needs } = this;
    return {
      id,
      title,
      class: group,
      sections,
      needs,
      to,
      setup,
      ...(after === undefined ? {} : { after }),
      steps,
      ...(seen === undefined ? {} : { seen }),
    };
  }
}
