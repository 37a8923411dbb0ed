/** The hostile end of one connection: it can follow the protocol up to where it means to break it. */
import type { RawPeer } from '../../support/raw-peer.ts';
import type { Side } from '../../support/tap.ts';
import {
  base64,
  bigEndian,
  closeContent,
  decapsulate,
  encapsulate,
  inner,
  KIND,
  makeKemKeys,
  openFrame,
  other,
  Schedule,
  sealFrame,
  transcriptHash,
  utf8,
} from './crypto.ts';

export const CLIENT_MEMBER = 'ml_kem_768_encapsulation_key';
export const SERVER_MEMBER = 'ml_kem_768_ciphertext';

/** How a record is sealed where it is not as it should be. */
export interface Wrongly {
  readonly seq?: number;
  readonly epoch?: number;
  /** Whose key. */
  readonly as?: Side;
  readonly schedule?: Schedule;
  readonly aad?: Uint8Array;
}

export class Stranger {
  readonly side: Side;
  #attached: RawPeer | undefined;
  readonly #keys = makeKemKeys();
  #clientHello = '';
  #serverHello = '';
  #sharedSecret = new Uint8Array();
  #schedule: Schedule | undefined;
  /** The victim's, which an exchange changes before this end's. */
  #theirs: Schedule | undefined;
  #received = 0;
  /** Features that this end's hello offers or answers. */
  features: readonly string[] = [];
  /** The next record's sequence number, and its epoch. */
  seq = 0;
  epoch = 0;
  /** The last frame that was sent as it should be. */
  lastSent = new Uint8Array();
  /** The last frame of the victim. */
  lastReceived = new Uint8Array();

  constructor(side: Side) {
    this.side = side;
  }

  /** A hello may be needed before there is a connection (section 13). */
  attach(peer: RawPeer): void {
    this.#attached = peer;
  }

  get peer(): RawPeer {
    if (this.#attached === undefined) throw new Error('not connected yet');
    return this.#attached;
  }

  /** The bytes that a good hello of this end carries, once the victim's is known where it has to be. */
  get value(): Uint8Array {
    return this.side === 'client' ? this.#keys.publicKey : this.#encapsulated();
  }

  get member(): string {
    return this.side === 'client' ? CLIENT_MEMBER : SERVER_MEMBER;
  }

  get clientHello(): string {
    return this.#clientHello;
  }

  get schedule(): Schedule {
    if (this.#schedule === undefined) throw new Error('no keys yet');
    return this.#schedule;
  }

  send(message: string | Uint8Array): void {
    this.peer.send(message);
  }

  /** A client's first message. */
  async readHello(): Promise<void> {
    this.#clientHello = await this.peer.nextText();
  }

  /** A good hello each way; both ends have keys. @param text instead of the usual hello */
  async hellos(text?: string): Promise<void> {
    if (this.side === 'client') {
      this.#clientHello = text ?? this.goodHello();
      this.send(this.#clientHello);
      await this.readServerHello();
    } else {
      await this.readHello();
      this.#serverHello = this.goodHello();
      this.send(this.#serverHello);
      this.#derive();
    }
  }

  /** A client that has sent `hello`, by whatever way. */
  async readServerHello(hello = this.#clientHello): Promise<void> {
    this.#clientHello = hello;
    this.#serverHello = await this.peer.nextText();
    const { [SERVER_MEMBER]: value } = JSON.parse(this.#serverHello) as Record<string, string>;
    this.#sharedSecret = Uint8Array.from(decapsulate(Buffer.from(value ?? '', 'base64'), this.#keys.secretKey));
    this.#derive();
  }

  goodHello(): string {
    const features = this.features.map((name) => `,"${name}":1`).join('');
    return `{"pq_websocket":1,"${this.member}":"${base64(this.value)}"${features}}`;
  }

  /** Both Finisheds. @param content of this end's */
  async finish(content = '{}'): Promise<void> {
    if (this.side === 'client') await this.receive(KIND.finished);
    this.record(KIND.finished, utf8(content));
    if (this.side === 'server') await this.receive(KIND.finished);
  }

  /** Sends a record as it should be. */
  record(kind: number, content: Uint8Array): void {
    this.lastSent = Uint8Array.from(this.sealed(inner(kind, content)));
    this.advance();
    if (kind === KIND.update) this.epoch += 1;
    this.send(this.lastSent);
  }

  /** The record that the last `sealed` made counts. */
  advance(): void {
    this.seq += 1;
  }

  /** A frame with any inner, and wrongly sealed if asked for; it is not sent and does not count. */
  sealed(
    plaintext: Uint8Array,
    { seq = this.seq, epoch = this.epoch, as = this.side, schedule = this.schedule, aad }: Wrongly = {},
  ): Uint8Array {
    return sealFrame(schedule.key(as, epoch), aad ?? bigEndian(seq, 8), plaintext);
  }

  /** The keys that the same secret gives with another transcript. */
  scheduleOf(context: string): Schedule {
    return new Schedule(transcriptHash(this.#clientHello, this.#serverHello, context), this.#sharedSecret);
  }

  /** The victim's next record, which must be of this kind. @throws {Error} when it is not, or does not open */
  async receive(kind: number): Promise<Uint8Array> {
    this.lastReceived = Uint8Array.from(await this.peer.nextBinary());
    const key = (this.#theirs ?? this.schedule).key(other(this.side), 0);
    const record = openFrame(key, bigEndian(this.#received, 8), this.lastReceived);
    this.#received += 1;
    if (record.kind !== kind)
      throw new Error(`the victim sent a record of kind ${record.kind} where kind ${kind} was due`);
    return record.content;
  }

  /** This end's next record is the first of a generation. */
  enter(next: Schedule): void {
    this.#schedule = next;
    this.epoch = 0;
  }

  /** The victim's next record is. */
  victimEnters(next: Schedule): void {
    this.#theirs = next;
  }

  /** The victim's next record, which this end has not the keys for. */
  async receiveUnopened(): Promise<void> {
    await this.peer.nextBinary();
  }

  /** Until a message of the application has gone each way, and the victim waits for the next. @param content of Finished */
  async converse(content: (stranger: this) => string = () => '{}'): Promise<void> {
    await this.hellos();
    await this.finish(content(this));
    if (this.side === 'client') {
      this.record(KIND.text, utf8('before'));
      await this.receive(KIND.text);
    } else {
      this.record(KIND.text, await this.receive(KIND.text));
      await this.receive(KIND.text);
    }
  }

  /** Until the victim has sent its close. @returns what it says */
  async untilItCloses(): Promise<Uint8Array> {
    await this.hellos();
    await this.finish();
    if (this.side === 'client') this.record(KIND.text, utf8('!close 4000 bye'));
    else this.record(KIND.text, await this.receive(KIND.text));
    const content = await this.receive(KIND.close);
    const own = Buffer.from(content);
    if (this.side === 'client' && !own.equals(closeContent(4000, 'bye')))
      throw new Error('the victim closed with something else');
    return content;
  }

  #encapsulated(): Uint8Array {
    const { [CLIENT_MEMBER]: value } = JSON.parse(this.#clientHello) as Record<string, string>;
    const { cipherText, sharedSecret } = encapsulate(Uint8Array.from(Buffer.from(value ?? '', 'base64')));
    this.#sharedSecret = Uint8Array.from(sharedSecret);
    return cipherText;
  }

  #derive(): void {
    this.#schedule = new Schedule(transcriptHash(this.#clientHello, this.#serverHello), this.#sharedSecret);
    this.#theirs = this.#schedule;
  }
}
