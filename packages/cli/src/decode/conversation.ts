/** Opens the records of a captured connection in profile v1 with the keys of a log (PROTOCOL.md 4 to 9 and 22). */
import { createDecipheriv, createHash } from 'node:crypto';
import {
  CONTROL_KINDS,
  exchangeTranscript,
  Kind,
  parseBatch,
  parseClose,
  parseInner,
  transcript,
} from 'pq-websocket/kit';
import type { KeyLog } from './key-log.ts';
import type { Side } from './websocket.ts';

/** Where something stood. */
export interface Place {
  readonly side: Side;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The record's number in its direction. */
  readonly record: number;
  readonly generation: number;
  readonly epoch: number;
}

export type Said =
  | (Place & { readonly type: 'text'; readonly text: string })
  | (Place & { readonly type: 'binary'; readonly bytes: Buffer })
  | (Place & {
      readonly type: 'close';
      readonly code: number | undefined;
      readonly reason: string;
      readonly isAnswer: boolean;
    })
  | (Place & { readonly type: 'control'; readonly name: string; readonly bytes: Buffer });

export interface ConversationListener {
  said(said: Said): void;
  /** Why not all of it can be shown. */
  problem(why: string): void;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface Direction {
  readonly side: Side;
  record: number;
  generation: number;
  epoch: number;
  /** Of its generation. */
  hash: string;
  isLost: boolean;
  /** What follows an exchange's record of this end whose other half the capture has not shown yet. */
  held: Waiting[] | undefined;
}

interface Waiting {
  readonly side: Side;
  readonly frame: Buffer;
  readonly at: number;
}

export class V1Conversation {
  readonly #directions: Record<Side, Direction> = { client: direction('client'), server: direction('server') };
  readonly #hellos: Partial<Record<Side, string>> = {};
  /** What came before both hellos had: a server answers a hello of the request before its client repeats it (PROTOCOL.md 13). */
  #waiting: Waiting[] | undefined = [];
  /** The transcript hash of each generation that is known. */
  readonly #hashes: Uint8Array[] = [];
  /** Each is of the exchange that begins the generation behind its place. A capture may have them behind what answers them. */
  readonly #offers: Uint8Array[] = [];
  readonly #answers: Uint8Array[] = [];
  #isOver = false;

  constructor(
    private readonly log: KeyLog,
    private readonly context: Uint8Array | undefined,
    private readonly listener: ConversationListener,
  ) {}

  /** A message of the WebSocket underneath. */
  message(side: Side, isText: boolean, payload: Buffer, at: number): void {
    if (this.#isOver) return;
    if (isText) this.#hello(side, payload.toString('utf8'));
    else if (this.#waiting !== undefined) this.#waiting.push({ side, frame: payload, at });
    else this.#open(side, payload, at);
  }

  /** The capture has ended: tells what waits for something that has not come. */
  end(): void {
    if (this.#isOver) return;
    for (const { side, held = [] } of Object.values(this.#directions)) {
      if (held.length === 0) continue;
      const what = side === 'server' ? 'offer of the client' : 'answer of the server';
      this.listener.problem(`the capture lacks an exchange's ${what}; what follows of the ${side} is not shown`);
    }
    if (this.#waiting === undefined) return;
    const missing = (['client', 'server'] as const).filter((side) => this.#hellos[side] === undefined);
    const { length } = this.#waiting;
    if (missing.length === 2 && length === 0) return;
    const records = length === 0 ? '' : `: ${length} record${length === 1 ? '' : 's'} cannot be opened`;
    this.#end(`the capture has no hello of the ${missing.join(' and the ')}${records}`);
  }

  #hello(side: Side, text: string): void {
    if (this.#hellos[side] !== undefined) {
      this.#end(`an unsealed text message of the ${side}, which ends a secure connection`);
      return;
    }
    const profile = profileOf(text);
    if (profile !== 'v1') {
      this.#end(
        profile === 'yellowpages'
          ? 'it speaks the profile yellowpages, of which no keys are logged'
          : 'it is not sealed: a plain WebSocket, or another protocol',
      );
      return;
    }
    this.#hellos[side] = text;
    const { client, server } = this.#hellos;
    if (client === undefined || server === undefined) return;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#hashes[0] = sha256(transcript(client, server, this.context));
    const first = waiting[0];
    if (first !== undefined) this.#find(first);
    for (const { side: from, frame, at } of waiting) this.#open(from, frame, at);
  }

  /** Which keys of the log are this connection's: by its transcript hash, or, where a context is bound in, by trying. */
  #find({ side, frame }: Pick<Waiting, 'side' | 'frame'>): void {
    let hash = hex(this.#hashes[0] ?? new Uint8Array(0));
    if (!this.log.has(hash)) {
      for (const candidate of this.log.hashes) {
        const key = this.log.key(side, candidate, 0);
        if (key !== undefined && decrypt(key, 0, frame) !== undefined) {
          hash = candidate;
          this.#hashes[0] = Buffer.from(candidate, 'hex');
          break;
        }
      }
    }
    for (const each of Object.values(this.#directions)) each.hash = hash;
  }

  #open(side: Side, frame: Buffer, at: number): void {
    const own = this.#directions[side];
    if (own.isLost) return;
    if (own.held !== undefined) {
      own.held.push({ side, frame, at });
      return;
    }
    if (own.hash === '') this.#find({ side, frame });
    const { record, generation, epoch } = own;
    const where = `record ${record} of the ${side} (generation ${generation}, epoch ${epoch})`;
    const key = this.log.key(side, own.hash, epoch);
    if (key === undefined) {
      const isKnown = this.log.has(own.hash);
      this.#loseFor(own, isKnown ? `the key log has no key for ${where}` : 'the key log has no key of this connection');
      return;
    }
    const inner = decrypt(key, record, frame);
    if (inner === undefined) {
      this.#loseFor(own, `${where} does not open: it was altered, or the capture lacks one before it`);
      return;
    }
    own.record += 1;
    let said: readonly Said[];
    try {
      said = this.#read({ side, at, record, generation, epoch }, inner);
    } catch {
      this.#loseFor(own, `${where} opens, and breaks the protocol: its receiver ends the connection`);
      return;
    }
    // What the listener throws is no fault of the record's.
    for (const each of said) this.listener.said(each);
    for (const each of Object.values(this.#directions)) this.#goOn(each);
  }

  /** @throws {Error} for what breaks the protocol: its receiver takes nothing of it */
  #read(place: Place, inner: Buffer): readonly Said[] {
    const { kind, content } = parseInner(inner);
    const message = (each: number, payload: Uint8Array): Said =>
      each === Kind.BINARY
        ? { ...place, type: 'binary', bytes: Buffer.from(payload) }
        : { ...place, type: 'text', text: utf8.decode(payload) };
    if (kind === Kind.TEXT || kind === Kind.BINARY) return [message(kind, content)];
    if (kind === Kind.BATCH) return parseBatch(content, message);
    if (kind === Kind.CLOSE || kind === Kind.CLOSE_ANSWER) {
      const close = parseClose(content);
      const isAnswer = kind === Kind.CLOSE_ANSWER;
      return [{ ...place, type: 'close', code: close?.code, reason: close?.reason ?? '', isAnswer }];
    }
    const name = CONTROL_KINDS.get(kind);
    if (name === undefined) throw new Error('unknown kind');
    const bytes = Buffer.from(content);
    this.#turn(place.side, kind, bytes);
    return [{ ...place, type: 'control', name, bytes }];
  }

  /** Goes to the next epoch, or to the next generation (PROTOCOL.md 8 and 22). */
  #turn(side: Side, kind: number, content: Buffer): void {
    const own = this.#directions[side];
    if (kind === Kind.KEY_UPDATE) own.epoch += 1;
    else if (kind === Kind.EXCHANGE_OFFER) this.#offers.push(content);
    else if (kind === Kind.EXCHANGE_ANSWER) this.#answers.push(content);
    if (kind === Kind.EXCHANGE_ANSWER || kind === Kind.EXCHANGE_END) own.held = [];
  }

  /** What an end said behind its exchange can be opened once both halves of that are known. */
  #goOn(own: Direction): void {
    const { held, generation } = own;
    if (held === undefined) return;
    const next = generation + 1;
    const [before, offer, answer] = [this.#hashes[generation], this.#offers[generation], this.#answers[generation]];
    if (before === undefined || offer === undefined || answer === undefined) return;
    const hash = (this.#hashes[next] ??= sha256(exchangeTranscript(before, offer, answer)));
    own.held = undefined;
    own.generation = next;
    own.epoch = 0;
    own.hash = hex(hash);
    for (const { side, frame, at } of held) this.#open(side, frame, at);
  }

  #loseFor(own: Direction, why: string): void {
    own.isLost = true;
    this.listener.problem(`${why}; what follows of the ${own.side} is not shown`);
  }

  #end(why: string): void {
    this.#isOver = true;
    this.listener.problem(why);
  }
}

function direction(side: Side): Direction {
  return { side, record: 0, generation: 0, epoch: 0, hash: '', isLost: false, held: undefined };
}

/** By what a hello has (PROTOCOL.md 4.1 and 15). */
function profileOf(text: string): 'v1' | 'yellowpages' | undefined {
  try {
    const hello = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    if (typeof hello !== 'object' || hello === null) return undefined;
    if ('pq_websocket' in hello) return 'v1';
    return 'ml_kem_768_encapsulation_key' in hello || 'ml_kem_768_ciphertext' in hello ? 'yellowpages' : undefined;
  } catch {
    return undefined;
  }
}

function decrypt(key: Buffer, sequence: number, frame: Buffer): Buffer | undefined {
  if (frame.length < NONCE_BYTES + 1 + TAG_BYTES) return undefined;
  const additionalData = Buffer.alloc(8);
  additionalData.writeBigUInt64BE(BigInt(sequence));
  const cipher = createDecipheriv('aes-256-gcm', key, frame.subarray(0, NONCE_BYTES));
  cipher.setAAD(additionalData).setAuthTag(frame.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([cipher.update(frame.subarray(NONCE_BYTES, -TAG_BYTES)), cipher.final()]);
  } catch {
    return undefined;
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
