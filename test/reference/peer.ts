/**
 * One end of v1, written from PROTOCOL.md alone, synchronous and without I/O: what arrives goes in by methods, what it does
 * comes out of `take()`. It is what the vectors are tried on, and what the mutants of test/mutants are made of.
 */
import {
  checkClient,
  checkClientAgain,
  checkServer,
  checkServerAgain,
  type Demands,
  readFinished,
} from './authentication.ts';
import {
  checkKey,
  type Feature,
  helloText,
  KEM_MEMBERS,
  readClientHello,
  readServerHello,
  readToken,
  signedBytes,
} from './hellos.ts';
import { type Bytes, decapsulate, encapsulate, type KemName, keygen, sign } from './primitives.ts';
import {
  checkFrameLength,
  type Close,
  closeContent,
  Failure,
  Kind,
  makeInner,
  type Message,
  openFrame,
  type Padding,
  readBatch,
  readClose,
  readInner,
  readMessage,
  sealFrame,
} from './records.ts';
import { derive, DirectionKeys, exchangeHash, exchangeSeed, exportKey, type Side, transcriptHash } from './schedule.ts';
import { concat, hex, same, u64be, utf8 } from './text.ts';

export interface Setup extends Demands {
  kems: KemName[];
  context: Bytes | undefined;
  identity: { publicKey: Bytes; secretKey: Bytes } | undefined;
  attester: ((userData: Bytes) => Bytes) | undefined;
  /** A server's judgement of its clients' keys. */
  clientKeys: ((key: Bytes) => boolean) | undefined;
  /** Milliseconds between exchanges, or undefined for none. */
  exchange: number | undefined;
  heartbeat: { interval: number; timeout: number } | true | undefined;
  maxPayload: number;
  padding: Padding;
  /** What the upgrade request offered, at a server. */
  subprotocols: string[];
  held: ('verify' | 'sign')[];
  /** A sender's limits of an epoch. */
  rekey: { records: number; bytes: number; milliseconds: number };
  /** Records that a receiver takes in an epoch. */
  epochRecords: number;
  /** Where both sides' `seq` begin, for tests of large numbers. */
  seqFrom: number;
  /** Frames of a connection of yellowpages. */
  frames: number;
  seed(kem: KemName, generation: number): Bytes;
  coins(kem: KemName, generation: number): Bytes;
}

export type { Message } from './records.ts';
export type Sent = { text: string } | { frame: Bytes; kind: number };
export interface Outputs {
  sends: Sent[];
  delivers: Message[];
  accepts: boolean;
  exchanged: number | undefined;
  answered: Bytes[];
  fails: number | undefined;
  closes: number | 'no code' | undefined;
}
export interface Seen {
  code: number;
  reason: string;
  wasClean: boolean;
}

type State =
  | 'idle'
  | 'awaiting server hello'
  | 'verifying'
  | 'signing'
  | 'awaiting client hello'
  | 'replying'
  | 'answering early'
  | 'awaiting repeated hello'
  | 'closing unrepeated'
  | 'closing unconfirmed'
  | 'verifying client'
  | 'awaiting Finished'
  | 'open'
  | 'close sent'
  | 'finishing'
  | 'ended'
  | 'failed';
type ExchangeState =
  | 'none'
  | 'wanted'
  | 'offered'
  | 'answered'
  | 'verifying'
  | 'signing'
  | 'making'
  | 'awaiting end'
  | 'awaiting Finished'
  | 'verifying client';

const HANDSHAKE_MS = 10_000;
const CLOSE_MS = 30_000;
const EXCHANGE_STEP_MS = 60_000;
const QUEUE_LIMIT = 64;
const HINTS = [1001, 1012, 1013, 1014];

class Direction {
  keys: DirectionKeys;
  seq = 0;
  records = 0;
  bytes = 0;
  since: number;
  lastWasUpdate = false;
  constructor(keys: DirectionKeys, now: number) {
    this.keys = keys;
    this.since = now;
  }
  startEpoch(now: number): void {
    this.records = 0;
    this.bytes = 0;
    this.since = now;
  }
}

export class Peer {
  readonly role: Side;
  readonly #setup: Setup;
  #state: State;
  #now = 0;
  #timers = new Map<string, number>();
  #out!: Outputs;
  #outcome: Seen | undefined;
  #queue: (string | Bytes)[] = [];
  #pending: { kind: number; content: Bytes }[] = [];

  #clientHello = '';
  #keyPair: { publicKey: Bytes; secretKey: Bytes } | undefined;
  #keyPairs = new Map<KemName, { publicKey: Bytes; secretKey: Bytes }>();
  #kem: KemName = 'ml-kem-768';
  #offered: Feature[] = [];
  #features: Feature[] = [];
  #th: Bytes = new Uint8Array(0);
  #handshakeHash: Bytes = new Uint8Array(0);
  #root: Bytes | undefined;
  #exporter: Bytes | undefined;
  #own: Direction | undefined;
  #peer: Direction | undefined;
  #signer: Bytes | undefined;
  #clientKey: Bytes | undefined;
  #sentClose: Bytes | undefined;
  #resume: (() => void) | undefined;

  #exchange: ExchangeState = 'none';
  #generation = 0;
  #again = false;
  #fresh: { root: Bytes; seed: Bytes; th: Bytes } | undefined;
  #offer: Bytes | undefined;
  #pings: Bytes[] = [];

  constructor(role: Side, setup: Setup) {
    this.role = role;
    this.#setup = setup;
    this.#state = role === 'client' ? 'idle' : 'awaiting client hello';
    this.#reset();
  }

  #reset(): void {
    this.#out = {
      sends: [],
      delivers: [],
      accepts: false,
      exchanged: undefined,
      answered: [],
      fails: undefined,
      closes: undefined,
    };
  }

  /** What has happened since the last call. */
  take(): Outputs {
    const out = this.#out;
    this.#reset();
    return out;
  }

  get seen(): Seen | undefined {
    return this.#outcome;
  }

  get #mine(): Side {
    return this.role;
  }

  get #closed(): boolean {
    return (
      this.#state === 'close sent' || this.#state === 'closing unconfirmed' || this.#state === 'closing unrepeated'
    );
  }

  get #over(): boolean {
    return this.#state === 'finishing' || this.#state === 'ended' || this.#state === 'failed';
  }

  // ---- what goes in -----------------------------------------------------------------------------------------

  start(): void {
    this.#timers.set('handshake', this.#now + HANDSHAKE_MS);
    if (this.role === 'client') this.#sendClientHello();
    else this.#answerEarly();
  }

  receive(message: string | Bytes): void {
    if (this.#over) return;
    if (
      this.#state === 'verifying' ||
      this.#state === 'signing' ||
      this.#state === 'verifying client' ||
      this.#state === 'answering early' ||
      this.#exchange === 'verifying client'
    ) {
      if (this.#queue.length >= QUEUE_LIMIT) this.#fail(3768);
      else this.#queue.push(message);
      return;
    }
    try {
      this.#handle(message);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#fail(error.code);
    }
  }

  send(message: Message): void {
    if (this.#closed || this.#over) return;
    const [kind, content] = 'text' in message ? [Kind.TEXT, utf8(message.text)] : [Kind.BINARY, message.binary];
    if (this.#maySend) this.#seal(kind, content);
    else this.#pending.push({ kind, content });
  }

  close(close: Close): void {
    if (this.#closed || this.#over) return;
    if (!this.#maySend) {
      this.#out.closes = 'no code';
      this.#end('failed', { code: 1006, reason: '', wasClean: false });
      return;
    }
    this.#sentClose = closeContent(close);
    this.#seal(Kind.CLOSE, this.#sentClose);
    this.#stopExchange();
    this.#timers.set('close', this.#now + CLOSE_MS);
    if (this.#state === 'awaiting repeated hello') this.#state = 'closing unrepeated';
    else this.#state = this.#state === 'awaiting Finished' ? 'closing unconfirmed' : 'close sent';
  }

  exchange(): void {
    if (this.#state !== 'open' || !this.#features.includes('exchange')) return;
    if (this.#exchange !== 'none') {
      if (this.#exchange !== 'wanted') this.#again = true;
      return;
    }
    if (this.role === 'client') this.#sendOffer();
    else {
      this.#seal(Kind.WANTED, new Uint8Array(0));
      this.#exchange = 'wanted';
      this.#timers.set('exchange', this.#now + EXCHANGE_STEP_MS);
    }
  }

  ping(content: Bytes): void {
    if (this.#state !== 'open') return;
    this.#pings.push(content);
    this.#seal(Kind.PING, content);
  }

  /** @throws {Error} before the key is there and after the end */
  exportKey(label: string, length: number): Bytes {
    const ready =
      this.#exporter !== undefined &&
      (this.role === 'server' || this.#state === 'open' || this.#state === 'close sent' || this.#state === 'finishing');
    if (!ready || this.#exporter === undefined || this.#state === 'failed' || this.#state === 'ended')
      throw new Error('no key');
    return exportKey(this.#exporter, this.#handshakeHash, label, length);
  }

  /** What was held is done. */
  finish(ok: boolean): void {
    const resume = this.#resume;
    this.#resume = undefined;
    if (resume === undefined || this.#over) return;
    try {
      if (!ok) throw new Failure(3770);
      resume();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#fail(error.code);
    }
  }

  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter(([, at]) => at <= until).sort(([, a], [, b]) => a - b)[0];
      if (due === undefined) break;
      this.#now = due[1];
      this.#timers.delete(due[0]);
      this.#expire(due[0]);
    }
    this.#now = until;
  }

  transportClosed(code: number): void {
    if (this.#state === 'ended' || this.#state === 'failed') return;
    const hint = HINTS.includes(code) || (code >= 3768 && code <= 3773);
    this.#end('failed', { code: hint ? code : 1006, reason: '', wasClean: false });
  }

  // ---- ends -------------------------------------------------------------------------------------------------

  #fail(code: number): void {
    if (this.#over) return;
    this.#out.fails = code;
    this.#end('failed', { code, reason: '', wasClean: false });
  }

  #end(state: 'ended' | 'failed', seen: Seen): void {
    this.#outcome ??= seen;
    this.#state = state;
    this.#timers.clear();
    this.#queue.length = 0;
    this.#pending.length = 0;
    this.#resume = undefined;
    this.#own = undefined;
    this.#peer = undefined;
    this.#root = undefined;
    this.#exporter = undefined;
  }

  /** The peer has closed and has its answer, or needs none. */
  #finishing({ code, reason }: Close): void {
    this.#state = 'finishing';
    this.#out.closes = 1000;
    this.#end('ended', { code: code ?? 1005, reason, wasClean: true });
  }

  #expire(timer: string): void {
    if (timer === 'handshake') this.#fail(3769);
    else if (timer === 'exchange') this.#fail(3769);
    else if (timer === 'close') {
      this.#out.closes = 1000;
      this.#end('failed', { code: 1006, reason: '', wasClean: false });
    } else if (timer === 'due') this.exchange();
    else if (timer === 'interval') {
      const { timeout } = this.#setup.heartbeat as { timeout: number };
      this.#seal(Kind.PING, new Uint8Array(0));
      this.#timers.set('pong', this.#now + timeout);
    } else if (timer === 'pong') {
      this.#out.closes = 'no code';
      this.#end('failed', { code: 1006, reason: '', wasClean: false });
    }
  }

  // ---- the handshake ----------------------------------------------------------------------------------------

  #sendClientHello(): void {
    const { kems, exchange, heartbeat, identity, seed } = this.#setup;
    for (const kem of kems) this.#keyPairs.set(kem, keygen(kem, seed(kem, 0)));
    if (exchange !== undefined) this.#offered.push('exchange');
    if (identity !== undefined) this.#offered.push('client_identity');
    if (heartbeat !== undefined) this.#offered.push('heartbeat');
    this.#clientHello = helloText(
      kems.map((kem) => [KEM_MEMBERS[kem].key, this.#keyPairs.get(kem)!.publicKey]),
      this.#offered,
    );
    this.#out.sends.push({ text: this.#clientHello });
    this.#state = 'awaiting server hello';
  }

  #answerEarly(): void {
    const token = readToken(this.#setup.subprotocols);
    if (token === undefined) return;
    try {
      this.#state = 'answering early';
      this.#answer(token, 'awaiting repeated hello');
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#state = 'awaiting client hello';
    }
  }

  /** A server's reply to a hello, then the state `next`. */
  #answer(text: string, next: State): void {
    const { kems, clientKeys, exchange, heartbeat, coins, identity, attester, held } = this.#setup;
    const { kem, key, offered } = readClientHello(text, kems);
    if (clientKeys !== undefined && !offered.includes('client_identity')) throw new Failure(3770);
    const has = {
      exchange: exchange !== undefined,
      client_identity: clientKeys !== undefined,
      heartbeat: heartbeat !== undefined,
    };
    this.#features = offered.filter((feature) => has[feature]);
    this.#clientHello = text;
    this.#kem = kem;
    const { cipherText, sharedSecret } = encapsulate(kem, key, coins(kem, 0));
    const serverHello = helloText([[KEM_MEMBERS[kem].ciphertext, cipherText]], this.#features);
    const reply = (): void => {
      this.#out.sends.push({ text: serverHello });
      this.#agree(serverHello, sharedSecret);
      this.#seal(Kind.FINISHED, utf8(this.#serverFinished('server identity', 'attestation', this.#th)));
      this.#state = next;
      this.#drain();
      this.#flush();
    };
    if (held.includes('sign') && (identity !== undefined || attester !== undefined)) this.#resume = reply;
    else reply();
  }

  #serverFinished(signed: string, attested: string, th: Bytes): string {
    const { identity, attester } = this.#setup;
    const members: string[] = [];
    if (identity !== undefined) {
      members.push(
        `"ml_dsa_65_signature":"${Buffer.from(sign(signedBytes(signed, th), identity.secretKey)).toString('base64')}"`,
      );
      if (signed === 'server identity')
        members.push(`"ml_dsa_65_public_key":"${Buffer.from(identity.publicKey).toString('base64')}"`);
    }
    if (attester !== undefined)
      members.push(`"attestation_doc":"${Buffer.from(attester(signedBytes(attested, th))).toString('base64')}"`);
    return `{${members.join(',')}}`;
  }

  #clientFinished(signed: string, th: Bytes): string {
    const { identity } = this.#setup;
    if (identity === undefined || !this.#features.includes('client_identity')) return '{}';
    const members = [
      `"ml_dsa_65_signature":"${Buffer.from(sign(signedBytes(signed, th), identity.secretKey)).toString('base64')}"`,
    ];
    if (signed === 'client identity')
      members.push(`"ml_dsa_65_public_key":"${Buffer.from(identity.publicKey).toString('base64')}"`);
    return `{${members.join(',')}}`;
  }

  #agree(serverHello: string, secret: Bytes): void {
    this.#th = transcriptHash(utf8(this.#clientHello), utf8(serverHello), this.#setup.context);
    this.#handshakeHash = this.#th;
    this.#exporter = derive(secret, this.#th, 'exporter');
    if (this.#features.includes('exchange')) this.#root = derive(secret, this.#th, 'root');
    const directions = {
      client: new DirectionKeys('client', secret, this.#th),
      server: new DirectionKeys('server', secret, this.#th),
    };
    this.#own = new Direction(directions[this.#mine], this.#now);
    this.#peer = new Direction(directions[this.#mine === 'client' ? 'server' : 'client'], this.#now);
    this.#own.seq = this.#setup.seqFrom;
    this.#peer.seq = this.#setup.seqFrom;
  }

  #handle(message: string | Bytes): void {
    switch (this.#state) {
      case 'awaiting server hello':
        if (typeof message !== 'string') throw new Failure(3768);
        this.#takeServerHello(message);
        return;
      case 'awaiting client hello':
        if (typeof message !== 'string') throw new Failure(3768);
        this.#state = 'replying';
        this.#answer(message, 'awaiting Finished');
        return;
      case 'awaiting repeated hello':
      case 'closing unrepeated':
        if (typeof message !== 'string' || message !== this.#clientHello) throw new Failure(3768);
        this.#state = this.#state === 'closing unrepeated' ? 'closing unconfirmed' : 'awaiting Finished';
        return;
      case 'awaiting Finished':
      case 'closing unconfirmed':
        this.#takeFinished(message);
        return;
      case 'open':
      case 'close sent':
        this.#takeRecord(message);
        return;
      default:
        throw new Failure(3768);
    }
  }

  #takeServerHello(text: string): void {
    const { kem, ciphertext, answered } = readServerHello(text, this.#setup.kems, this.#offered);
    this.#kem = kem;
    this.#features = answered;
    const secret = decapsulate(kem, ciphertext, this.#keyPairs.get(kem)!.secretKey);
    this.#keyPairs.clear();
    this.#agree(text, secret);
    this.#state = 'awaiting Finished';
  }

  /** The peer's Finished: its record 0. */
  #takeFinished(message: string | Bytes): void {
    try {
      const { kind, content } = this.#open(message);
      if (kind !== Kind.FINISHED) throw new Failure(3768);
      const members = readFinished(content, 3768);
      if (this.role === 'client') this.#verifyServer(members);
      else this.#verifyClient(members);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      throw new Failure(error.code === 3770 ? 3770 : 3768);
    }
  }

  #verifyServer(members: ReturnType<typeof readFinished>): void {
    const { held, pins, fingerprints, verifier } = this.#setup;
    this.#state = 'verifying';
    const demands = pins.length > 0 || fingerprints.length > 0 || verifier !== undefined;
    const passed = (): void => {
      this.#signer = checkServer(members, this.#th, this.#setup);
      if (held.includes('sign') && this.#features.includes('client_identity')) {
        this.#state = 'signing';
        this.#resume = () => {
          this.#clientOpens();
        };
      } else this.#clientOpens();
    };
    if (held.includes('verify') && demands) this.#resume = passed;
    else passed();
  }

  #clientOpens(): void {
    this.#timers.delete('handshake');
    this.#seal(Kind.FINISHED, utf8(this.#clientFinished('client identity', this.#th)));
    this.#accept('open');
  }

  #verifyClient(members: ReturnType<typeof readFinished>): void {
    const { clientKeys, held } = this.#setup;
    const next = this.#state === 'closing unconfirmed' ? 'close sent' : 'open';
    const accept = (): void => {
      this.#timers.delete('handshake');
      this.#accept(next);
    };
    if (clientKeys === undefined) {
      accept();
      return;
    }
    const passed = (): void => {
      this.#clientKey = checkClient(members, this.#th, clientKeys);
      accept();
    };
    if (held.includes('verify')) {
      this.#state = 'verifying client';
      this.#resume = passed;
    } else passed();
  }

  /** The peer's Finished is accepted. */
  #accept(next: 'open' | 'close sent'): void {
    this.#state = next;
    this.#out.accepts = true;
    if (this.role === 'client' && this.#features.includes('exchange'))
      this.#timers.set('due', this.#now + this.#setup.exchange!);
    this.#opened();
    this.#flush();
    this.#drain();
  }

  /** What waited for a verification. */
  #drain(): void {
    const waiting = this.#queue.splice(0);
    for (const message of waiting) this.receive(message);
  }

  /** What the application said before it could be sent. */
  #flush(): void {
    if (!this.#maySend) return;
    for (const { kind, content } of this.#pending.splice(0)) this.#seal(kind, content);
  }

  // ---- records ----------------------------------------------------------------------------------------------

  get #maySend(): boolean {
    if (this.#state === 'open') return true;
    const early = this.#state === 'awaiting Finished' || this.#state === 'awaiting repeated hello';
    return this.role === 'server' && early && !this.#features.includes('client_identity');
  }

  #seal(kind: number, content: Bytes, padding: Padding = this.#setup.padding): void {
    const own = this.#own!;
    const { records, bytes, milliseconds } = this.#setup.rekey;
    const plain = makeInner(kind, content, own.seq === 0 ? undefined : padding);
    const needsNone: number[] = [Kind.UPDATE, Kind.CLOSE, Kind.ANSWER, Kind.EXCHANGE_ANSWER, Kind.END];
    if (!needsNone.includes(kind)) {
      const full =
        own.records >= records - 1 || own.bytes + plain.length > bytes || this.#now - own.since >= milliseconds;
      if (full && own.records > 0) this.#seal(Kind.UPDATE, new Uint8Array(0));
    }
    const nonce = concat(utf8(this.role === 'client' ? 'clnt' : 'srvr'), u64be(own.seq));
    this.#out.sends.push({ frame: sealFrame(own.keys.key, own.seq, nonce, plain), kind });
    own.seq += 1;
    own.records += 1;
    if (!needsNone.includes(kind)) own.bytes += plain.length;
    if (kind === Kind.UPDATE) {
      own.keys.update();
      own.startEpoch(this.#now);
    }
  }

  /** Opens the peer's next record. @throws {Failure} in the order of PROTOCOL.md 7.6 */
  #open(message: string | Bytes): { kind: number; content: Bytes } {
    const peer = this.#peer!;
    if (typeof message === 'string') throw new Failure(3772);
    checkFrameLength(message, this.#setup.maxPayload);
    if (peer.records >= this.#setup.epochRecords) throw new Failure(3773);
    const record = readInner(openFrame(peer.keys.key, peer.seq, message));
    peer.seq += 1;
    peer.records += 1;
    return record;
  }

  #takeRecord(message: string | Bytes): void {
    const peer = this.#peer!;
    const { kind, content } = this.#open(message);
    this.#opened();
    const afterUpdate = peer.lastWasUpdate;
    peer.lastWasUpdate = kind === Kind.UPDATE;
    if (this.#exchange === 'answered' || this.#exchange === 'awaiting Finished') {
      if (kind !== Kind.FINISHED) throw new Failure(3772);
      this.#takeExchangeFinished(content);
      return;
    }
    switch (kind) {
      case Kind.TEXT:
      case Kind.BINARY:
        this.#deliver([readMessage(kind, content, this.#setup.maxPayload)]);
        return;
      case Kind.BATCH:
        this.#deliver(readBatch(content, this.#setup.maxPayload));
        return;
      case Kind.UPDATE:
        if (content.length > 0 || afterUpdate) throw new Failure(3772);
        peer.keys.update();
        peer.startEpoch(this.#now);
        return;
      case Kind.CLOSE:
        this.#takeClose(content);
        return;
      case Kind.ANSWER:
        this.#takeAnswer(content);
        return;
      case Kind.WANTED:
      case Kind.OFFER:
      case Kind.EXCHANGE_ANSWER:
      case Kind.END:
        if (!this.#features.includes('exchange')) throw new Failure(3772);
        this.#takeExchange(kind, content);
        return;
      case Kind.PING:
      case Kind.PONG:
        if (!this.#features.includes('heartbeat') || content.length > 125) throw new Failure(3772);
        this.#takeHeartbeat(kind, content);
        return;
      default:
        throw new Failure(3772);
    }
  }

  #deliver(messages: Message[]): void {
    if (this.#state === 'open') this.#out.delivers.push(...messages);
  }

  #takeClose(content: Bytes): void {
    const close = readClose(content);
    if (this.#state === 'open') {
      this.#stopExchange();
      this.#seal(Kind.ANSWER, content);
    }
    this.#finishing(close);
  }

  #takeAnswer(content: Bytes): void {
    const close = readClose(content);
    if (this.#sentClose === undefined || !same(content, this.#sentClose)) throw new Failure(3772);
    this.#finishing(close);
  }

  // ---- heartbeat --------------------------------------------------------------------------------------------

  #takeHeartbeat(kind: number, content: Bytes): void {
    if (this.#state !== 'open') return;
    if (kind === Kind.PING) {
      this.#seal(Kind.PONG, content);
      return;
    }
    const at = this.#pings.findIndex((ping) => same(ping, content));
    if (at >= 0) this.#out.answered.push(...this.#pings.splice(0, at + 1).slice(-1));
  }

  /** Something has opened. */
  #opened(): void {
    const { heartbeat } = this.#setup;
    if (typeof heartbeat !== 'object' || this.#state !== 'open' || !this.#features.includes('heartbeat')) return;
    this.#timers.delete('pong');
    this.#timers.set('interval', this.#now + heartbeat.interval);
  }

  // ---- exchange ---------------------------------------------------------------------------------------------

  #sendOffer(): void {
    this.#keyPair = keygen(this.#kem, this.#setup.seed(this.#kem, this.#generation + 1));
    this.#offer = this.#keyPair.publicKey;
    this.#seal(Kind.OFFER, this.#offer);
    this.#exchange = 'offered';
    this.#timers.delete('due');
    this.#timers.set('exchange', this.#now + EXCHANGE_STEP_MS);
  }

  /** After a close nothing of an exchange is sent; what the peer still sends of it is followed. */
  #stopExchange(): void {
    this.#timers.delete('exchange');
    this.#timers.delete('due');
    this.#timers.delete('interval');
    this.#timers.delete('pong');
    this.#again = false;
    if (this.#exchange === 'making' || this.#exchange === 'verifying' || this.#exchange === 'signing') {
      this.#resume = undefined;
      this.#exchange = 'none';
    }
  }

  #derive(offer: Bytes, answer: Bytes, secret: Bytes): void {
    const th = exchangeHash(this.#th, offer, answer);
    const seed = exchangeSeed(this.#root!, secret, th);
    this.#fresh = { th, seed, root: derive(seed, th, 'root') };
  }

  #switch(direction: Direction, side: Side): void {
    direction.keys = new DirectionKeys(side, this.#fresh!.seed, this.#fresh!.th);
    direction.startEpoch(this.#now);
    direction.lastWasUpdate = false;
  }

  #takeExchange(kind: number, content: Bytes): void {
    const client = this.role === 'client';
    if (kind === Kind.WANTED) {
      if (!client || content.length > 0) throw new Failure(3772);
      if (this.#exchange === 'none' && this.#state === 'open') this.#sendOffer();
    } else if (kind === Kind.OFFER) {
      if (client || (this.#exchange !== 'none' && this.#exchange !== 'wanted')) throw new Failure(3772);
      if (this.#state === 'open') this.#takeOffer(content);
    } else if (kind === Kind.EXCHANGE_ANSWER) {
      if (!client || this.#exchange !== 'offered') throw new Failure(3772);
      this.#takeExchangeAnswer(content);
    } else {
      if (client || this.#exchange !== 'awaiting end' || content.length > 0) throw new Failure(3772);
      this.#switch(this.#peer!, 'client');
      this.#exchange = 'awaiting Finished';
    }
  }

  #takeOffer(content: Bytes): void {
    const { coins, identity, attester, held } = this.#setup;
    checkKey(this.#kem, content, 3772);
    this.#exchange = 'making';
    this.#timers.set('exchange', this.#now + EXCHANGE_STEP_MS);
    const { cipherText, sharedSecret } = encapsulate(this.#kem, content, coins(this.#kem, this.#generation + 1));
    const reply = (): void => {
      this.#derive(content, cipherText, sharedSecret);
      this.#seal(Kind.EXCHANGE_ANSWER, cipherText);
      this.#switch(this.#own!, 'server');
      this.#seal(
        Kind.FINISHED,
        utf8(this.#serverFinished('exchange server identity', 'exchange attestation', this.#fresh!.th)),
      );
      this.#exchange = 'awaiting end';
      this.#timers.set('exchange', this.#now + EXCHANGE_STEP_MS);
    };
    if (held.includes('sign') && (identity !== undefined || attester !== undefined)) this.#resume = reply;
    else reply();
  }

  #takeExchangeAnswer(content: Bytes): void {
    if (content.length !== KEM_MEMBERS[this.#kem].ciphertextBytes) throw new Failure(3772);
    this.#derive(this.#offer!, content, decapsulate(this.#kem, content, this.#keyPair!.secretKey));
    this.#switch(this.#peer!, 'server');
    this.#exchange = 'answered';
  }

  #takeExchangeFinished(content: Bytes): void {
    const members = readFinished(content, 3772);
    const { th } = this.#fresh!;
    const { held, pins, fingerprints, verifier } = this.#setup;
    if (this.#state !== 'open') {
      this.#exchange = 'none';
      return;
    }
    if (this.role === 'server') {
      const passed = (): void => {
        if (this.#clientKey !== undefined) checkClientAgain(members, th, this.#clientKey);
        this.#completes();
        this.#drain();
      };
      if (held.includes('verify') && this.#clientKey !== undefined) {
        this.#exchange = 'verifying client';
        this.#timers.set('exchange', this.#now + EXCHANGE_STEP_MS);
        this.#resume = passed;
      } else passed();
      return;
    }
    this.#exchange = 'verifying';
    this.#timers.set('exchange', this.#now + EXCHANGE_STEP_MS);
    const passed = (): void => {
      checkServerAgain(members, th, this.#signer, this.#setup);
      this.#seal(Kind.END, new Uint8Array(0));
      this.#switch(this.#own!, 'client');
      this.#seal(Kind.FINISHED, utf8(this.#clientFinished('exchange client identity', th)));
      this.#completes();
    };
    const demands = pins.length > 0 || fingerprints.length > 0 || verifier !== undefined;
    if (held.includes('verify') && demands) this.#resume = passed;
    else passed();
  }

  #completes(): void {
    const { th, root } = this.#fresh!;
    this.#th = th;
    this.#root = root;
    this.#fresh = undefined;
    this.#generation += 1;
    this.#exchange = 'none';
    this.#timers.delete('exchange');
    this.#out.exchanged = this.#generation;
    if (this.role === 'client') this.#timers.set('due', this.#now + this.#setup.exchange!);
    if (this.#again) {
      this.#again = false;
      this.exchange();
    }
  }

  /** For tests: what this end would still tell. */
  get facts(): { generation: number; th: string; state: string } {
    return { generation: this.#generation, th: hex(this.#handshakeHash), state: this.#state };
  }
}
