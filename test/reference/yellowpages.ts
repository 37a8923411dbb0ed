/** One end of yellowpages, from PROTOCOL.md 15, and the server that speaks both profiles. */
import { checkKey, KEM_MEMBERS } from './hellos.ts';
import { type Message, type Outputs, Peer, type Seen, type Setup } from './peer.ts';
import { type Bytes, decapsulate, encapsulate, keygen, open, seal, sha256 } from './primitives.ts';
import { Failure } from './records.ts';
import type { Side } from './schedule.ts';
import { concat, hex, type Members, readBase64, readObject, u64be, utf8 } from './text.ts';

type State =
  'idle' | 'awaiting server hello' | 'verifying' | 'awaiting client hello' | 'replying' | 'open' | 'ended' | 'failed';

const STEP_MS = 30_000;
const MAX_CLIENT_HELLO = 16_384;
const MAX_SERVER_HELLO = 65_536;
const QUEUE_LIMIT = 64;
const KEM = 'ml-kem-768';
const NO_DATA = new Uint8Array(0);

/** What the document's user data is to be. */
export function userData(ciphertext: Bytes): Bytes {
  const hash = Buffer.from(sha256(ciphertext)).toString('base64');
  return utf8(Buffer.from(`{"ml_kem_768_ciphertext_hash":"${hash}"}`).toString('base64'));
}

export class YellowpagesPeer {
  readonly role: Side;
  readonly #setup: Setup;
  #state: State;
  #now = 0;
  #deadline: number | undefined;
  #out!: Outputs;
  #outcome: Seen | undefined;
  #queue: (string | Bytes)[] = [];
  #pending: Bytes[] = [];
  #keyPair: { publicKey: Bytes; secretKey: Bytes } | undefined;
  #key: Bytes | undefined;
  #sent = 0;
  #frames = 0;
  #nonces = new Set<string>();
  #resume: (() => void) | undefined;

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

  take(): Outputs {
    const out = this.#out;
    this.#reset();
    return out;
  }

  get seen(): Seen | undefined {
    return this.#outcome;
  }

  get #over(): boolean {
    return this.#state === 'ended' || this.#state === 'failed';
  }

  /** The code of this role for what a client calls `code`. */
  #codeOf(code: number): number {
    return this.role === 'client' || code === 4000 || code === 1011 ? code : 1008;
  }

  start(): void {
    this.#deadline = this.#now + STEP_MS;
    if (this.role === 'server') return;
    this.#keyPair = keygen(KEM, this.#setup.seed(KEM, 0));
    this.#out.sends.push({
      text: `{"ml_kem_768_encapsulation_key":"${Buffer.from(this.#keyPair.publicKey).toString('base64')}"}`,
    });
    this.#state = 'awaiting server hello';
  }

  receive(message: string | Bytes): void {
    if (this.#over) return;
    if (this.#state === 'verifying') {
      if (this.#queue.length >= QUEUE_LIMIT) this.#fail(3768);
      else this.#queue.push(message);
      return;
    }
    this.#guard(() => {
      if (this.#state === 'open') this.#takeFrame(message);
      else if (typeof message !== 'string') throw new Failure(3768);
      else if (this.#state === 'awaiting client hello') this.#takeClientHello(message);
      else if (this.#state === 'awaiting server hello') this.#takeServerHello(message);
      else throw new Failure(3768);
    });
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#fail(error.code);
    }
  }

  send(message: Message): void {
    if (this.#over) return;
    const content = 'text' in message ? utf8(message.text) : message.binary;
    if (this.#state === 'open') this.#guard(() => this.#seal(content));
    else this.#pending.push(content);
  }

  close({ code, reason }: { code: number | undefined; reason: string }): void {
    if (this.#over) return;
    if (this.#state === 'open') {
      this.#out.closes = code ?? 'no code';
      this.#end('ended', { code: code ?? 1005, reason, wasClean: true });
    } else {
      this.#out.closes = 'no code';
      this.#end('failed', { code: 1006, reason: '', wasClean: false });
    }
  }

  exchange(): void {
    // The profile has none.
  }

  ping(): void {
    // Nor this.
  }

  exportKey(): Bytes {
    throw new Error('no exporter');
  }

  finish(ok: boolean): void {
    const resume = this.#resume;
    this.#resume = undefined;
    if (resume === undefined || this.#over) return;
    this.#guard(() => {
      if (!ok) throw new Failure(this.role === 'client' ? 3770 : 1011);
      resume();
    });
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    if (this.#deadline !== undefined && this.#now >= this.#deadline) this.#fail(4000);
  }

  transportClosed(code: number, reason: string): void {
    if (this.#over) return;
    const clean = this.#state === 'open' && code !== 1006 && !(code >= 3768 && code <= 3773);
    this.#end('failed', { code, reason, wasClean: clean });
  }

  #fail(code: number): void {
    if (this.#over) return;
    this.#out.fails = this.#codeOf(code);
    this.#end('failed', { code: this.#codeOf(code), reason: '', wasClean: false });
  }

  #end(state: 'ended' | 'failed', seen: Seen): void {
    this.#outcome ??= seen;
    this.#state = state;
    this.#deadline = undefined;
    this.#queue.length = 0;
    this.#pending.length = 0;
    this.#resume = undefined;
    this.#key = undefined;
  }

  // ---- hellos -----------------------------------------------------------------------------------------------

  #readHello(text: string, limit: number): Members {
    if (utf8(text).length > limit) throw new Failure(3768);
    const members = readObject(text);
    if (members === undefined || members.has('pq_websocket')) throw new Failure(3768);
    return members;
  }

  #takeClientHello(text: string): void {
    const { attester, held, coins } = this.#setup;
    const members = this.#readHello(text, MAX_CLIENT_HELLO);
    const key = checkKey(KEM, readBase64(members.get(KEM_MEMBERS[KEM].key)));
    this.#state = 'replying';
    this.#deadline = this.#now + STEP_MS;
    const { cipherText, sharedSecret } = encapsulate(KEM, key, coins(KEM, 0));
    const reply = (): void => {
      const document =
        attester === undefined
          ? ''
          : `,"auth_attestation_doc":"${Buffer.from(attester(userData(cipherText))).toString('base64')}"`;
      this.#out.sends.push({
        text: `{"ml_kem_768_ciphertext":"${Buffer.from(cipherText).toString('base64')}"${document}}`,
      });
      this.#opens(sharedSecret);
    };
    if (held.includes('sign') && attester !== undefined) this.#resume = reply;
    else reply();
  }

  #takeServerHello(text: string): void {
    const { verifier, held } = this.#setup;
    const members = this.#readHello(text, MAX_SERVER_HELLO);
    const ciphertext = readBase64(members.get(KEM_MEMBERS[KEM].ciphertext));
    if (ciphertext === undefined || ciphertext.length !== KEM_MEMBERS[KEM].ciphertextBytes) throw new Failure(3768);
    const passed = (): void => {
      if (verifier !== undefined) {
        const document = readBase64(members.get('auth_attestation_doc'));
        if (document === undefined || document.length === 0) throw new Failure(3770);
        if (!verifier(document, [userData(ciphertext)])) throw new Failure(3770);
      }
      this.#opens(decapsulate(KEM, ciphertext, this.#keyPair!.secretKey));
    };
    this.#state = 'verifying';
    if (held.includes('verify') && verifier !== undefined) this.#resume = passed;
    else passed();
  }

  #opens(key: Bytes): void {
    this.#key = key;
    this.#state = 'open';
    this.#deadline = undefined;
    this.#out.accepts = true;
    for (const content of this.#pending.splice(0)) this.#seal(content);
    for (const message of this.#queue.splice(0)) this.receive(message);
  }

  // ---- frames -----------------------------------------------------------------------------------------------

  #seal(content: Bytes): void {
    if (this.#frames >= this.#setup.frames) throw new Failure(3773);
    const nonce = concat(utf8(this.role === 'client' ? 'clnt' : 'srvr'), u64be(this.#sent));
    this.#sent += 1;
    this.#frames += 1;
    this.#nonces.add(hex(nonce));
    this.#out.sends.push({ frame: concat(nonce, seal(this.#key!, nonce, NO_DATA, content)), kind: 0 });
  }

  #takeFrame(message: string | Bytes): void {
    if (typeof message === 'string') throw new Failure(3772);
    if (message.length < 28) throw new Failure(3771);
    if (message.length - 28 > this.#setup.maxPayload) throw new Failure(3773);
    if (this.#frames >= this.#setup.frames) throw new Failure(3773);
    const nonce = message.slice(0, 12);
    if (this.#nonces.has(hex(nonce))) throw new Failure(3771);
    const content = open(this.#key!, nonce, NO_DATA, message.slice(12));
    if (content === undefined) throw new Failure(3771);
    this.#nonces.add(hex(nonce));
    this.#frames += 1;
    this.#out.delivers.push({ binary: content });
  }
}

/** A server that speaks both: it looks at the first message, and is that profile's from then on (PROTOCOL.md 15.1). */
export class BothPeer {
  #chosen: Peer | YellowpagesPeer;
  readonly #setup: Setup;
  #decided = false;

  constructor(setup: Setup) {
    this.#setup = setup;
    this.#chosen = new Peer('server', setup);
  }

  receive(message: string | Bytes): void {
    if (!this.#decided) {
      this.#decided = true;
      const members =
        typeof message === 'string' && utf8(message).length <= MAX_CLIENT_HELLO ? readObject(message) : undefined;
      if (members !== undefined && !members.has('pq_websocket')) {
        this.#chosen = new YellowpagesPeer('server', this.#setup);
        this.#chosen.start();
      }
    }
    this.#chosen.receive(message);
  }

  start(): void {
    this.#chosen.start();
  }
  send(message: Message): void {
    this.#chosen.send(message);
  }
  close(close: { code: number | undefined; reason: string }): void {
    this.#chosen.close(close);
  }
  exchange(): void {
    this.#chosen.exchange();
  }
  ping(content: Bytes): void {
    this.#chosen.ping(content);
  }
  finish(ok: boolean): void {
    this.#chosen.finish(ok);
  }
  advance(milliseconds: number): void {
    this.#chosen.advance(milliseconds);
  }
  transportClosed(code: number, reason: string): void {
    this.#chosen.transportClosed(code, reason);
  }
  exportKey(label: string, length: number): Bytes {
    return this.#chosen.exportKey(label, length);
  }
  take(): Outputs {
    return this.#chosen.take();
  }
  get seen(): Seen | undefined {
    return this.#chosen.seen;
  }
}
