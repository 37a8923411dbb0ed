/** Sealed pings and pongs (PROTOCOL.md 24): whether there is still somebody who opens what is sent. */
import { equalBytes } from '../../base/bytes.ts';
import { Promise } from '../../base/captured.ts';
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
  readonly resolve: (content: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

export class Heartbeat {
  #waiting: Waiting[] = [];
  #isOver = false;
  /** When the last record was opened, or watching began. */
  #lastOpened: number;
  /** Since when the ping that went out by itself, or what followed it, has waited for anything at all. */
  #pingedAt: number | undefined;
  #transportBytes = 0;
  /** The pong that is being sealed with others, so that never more than one waits. */
  #pong: { content: Uint8Array } | undefined;

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
      this.#say(Kind.PING, NOTHING);
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
      this.#waiting.push({ content, resolve, reject });
      this.#say(Kind.PING, content);
    });
  }

  release(reason: () => Error): void {
    this.#isOver = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(reason());
  }

  #watch(now: number): void {
    this.#pingedAt = now;
    this.#transportBytes = this.host.transportBytes;
  }

  /** A pong answers the last ping before it: with it all that were sent before are answered too. */
  #answered(content: Uint8Array): void {
    const at = this.#waiting.findIndex((ping) => equalBytes(ping.content, content));
    if (at < 0) return;
    for (const { resolve } of this.#waiting.splice(0, at + 1)) resolve(content.slice());
  }

  #answer(content: Uint8Array): void {
    if (this.#pong !== undefined) {
      this.#pong.content = content;
      return;
    }
    // While something is being sealed or sent, only the last ping needs its pong.
    const pong = { content };
    this.#pong = pong;
    this.host.keyed.sender.after(() => {
      this.#pong = undefined;
      if (this.host.isOpen) this.#say(Kind.PONG, pong.content);
    });
  }

  #say(kind: typeof Kind.PING | typeof Kind.PONG, content: Uint8Array): void {
    this.host.flush();
    this.host.keyed.sender.push(kind, composeFrame(kind, content, this.host.config));
  }
}
