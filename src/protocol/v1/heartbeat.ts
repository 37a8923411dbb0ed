/** Sealed pings and pongs (PROTOCOL.md 24): whether there is still somebody who opens what is sent. */
import { Promise, Set } from '../../base/captured.ts';
import { Refusal } from '../errors.ts';
import { seldomRefusal } from '../seldom-refusal.ts';
import type { ExtensionHost } from './extension-types.ts';
import type { OpenedRecord } from './open.ts';
import * as Kind from './kinds.ts';
import { composeFrame } from './record.ts';

const MAX_PING_BYTES = 125;
/** A timer that fires so many milliseconds late was asleep, and so was what arrives. */
const LATE = 1_000;
const NOTHING = new Uint8Array(0);

interface Waiting {
  readonly content: Uint8Array;
  /** The content, as what can be looked up. */
  readonly name: string;
  readonly resolve: (content: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

export class Heartbeat {
  #waiting: Waiting[] = [];
  readonly #names = new Set<string>();
  /** Not sent while another of the same content waits: one pong may answer both, and nothing would tell that. */
  #held: Waiting[] = [];
  #isOver = false;
  /** When the last record was opened, or watching began. */
  #lastOpened: number;
  /** Since when the ping that went out by itself, or what followed it, has waited for anything at all. */
  #pingedAt: number | undefined;
  #transportBytes = 0;
  /** The pong that waits for what is before it: never more than one. */
  #pong: Uint8Array | undefined;
  /** Whether one has been sent that may still be with the transport: a peer that does not read could fill memory with more. */
  #hasPonged = false;

  constructor(private readonly host: ExtensionHost) {
    this.#lastOpened = host.config.now();
  }

  get deadline(): number | undefined {
    const { heartbeat } = this.host.config;
    if (heartbeat === undefined || this.#isOver) return undefined;
    return this.#pingedAt === undefined ? this.#lastOpened + heartbeat.interval : this.#pingedAt + heartbeat.timeout;
  }

  tick(): void {
    const { deadline, host } = this;
    const now = host.config.now();
    if (deadline === undefined || now < deadline) return;
    if (this.#pingedAt === undefined) {
      // Of several pings that wait their peer answers the last, which must not leave the application's without an answer.
      this.#say(Kind.PING, this.#waiting.at(-1)?.content ?? NOTHING);
      this.#watch(now);
      return;
    }
    const isSlow = host.transportBytes < this.#transportBytes;
    if (isSlow || host.holdsBack || now > deadline + LATE) this.#watch(now);
    else host.fail(new Refusal('PQ_ERR_HEARTBEAT'));
  }

  opened(): void {
    this.#lastOpened = this.host.config.now();
    this.#pingedAt = undefined;
  }

  accept({ kind, content }: OpenedRecord): void {
    if (content.length > MAX_PING_BYTES) throw seldomRefusal('PQ_ERR_PING');
    if (!this.host.isOpen) return;
    if (kind === Kind.PONG) this.#answered(content);
    else this.#answer(content.slice());
  }

  closing(): void {
    this.#isOver = true;
  }

  ping(content: Uint8Array): Promise<Uint8Array> {
    if (content.length > MAX_PING_BYTES) {
      return Promise.reject(new RangeError(`ping: at most ${MAX_PING_BYTES} bytes, got ${content.length}`));
    }
    if (!this.host.isOpen) return Promise.reject(new Error('ping: the connection is not open'));
    return new Promise((resolve, reject) => {
      this.#ask({ content: content.slice(), name: content.join(), resolve, reject });
    });
  }

  release(reason: () => Error): void {
    this.#isOver = true;
    const waiting = [...this.#waiting, ...this.#held];
    this.#waiting = [];
    this.#held = [];
    for (const { reject } of waiting) reject(reason());
  }

  #watch(now: number): void {
    this.#pingedAt = now;
    this.#transportBytes = this.host.transportBytes;
  }

  #ask(ping: Waiting): void {
    if (this.#names.has(ping.name)) {
      this.#held.push(ping);
      return;
    }
    this.#names.add(ping.name);
    this.#waiting.push(ping);
    this.#say(Kind.PING, ping.content);
  }

  /** A pong answers the last ping before it: with it all that were sent before are answered too. */
  #answered(content: Uint8Array): void {
    const name = content.join();
    if (!this.#names.has(name)) return;
    const at = this.#waiting.findIndex((ping) => ping.name === name);
    for (const { resolve, name: answered } of this.#waiting.splice(0, at + 1)) {
      this.#names.delete(answered);
      resolve(content.slice());
    }
    const held = this.#held;
    this.#held = [];
    for (const ping of held) this.#ask(ping);
  }

  #answer(content: Uint8Array): void {
    const isWaiting = this.#pong !== undefined;
    this.#pong = content;
    if (isWaiting) return;
    const { host } = this;
    host.keyed.sender.after(() => {
      if (this.#hasPonged && host.transportBytes > 0) {
        host.whenDrained(() => {
          this.#sendPong();
        });
      } else this.#sendPong();
    });
  }

  #sendPong(): void {
    const content = this.#pong;
    this.#pong = undefined;
    if (content === undefined || !this.host.isOpen) return;
    this.#say(Kind.PONG, content);
    this.#hasPonged = true;
  }

  #say(kind: typeof Kind.PING | typeof Kind.PONG, content: Uint8Array): void {
    this.host.flush();
    this.host.keyed.sender.push(kind, composeFrame(kind, content, this.host.config));
  }
}
