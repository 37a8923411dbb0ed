/**
 * What the two applications are to see, whatever happens in between, as a model that knows no byte: two ends and
 * what is on its way between them. It is written from PROTOCOL.md section 3 and 9 alone.
 */
import type { Role } from './session-pair.ts';

/** What is on its way. `messages` is how many of its sender's messages a frame holds. */
export type Item =
  | { readonly is: 'hello' | 'finished' | 'nothing' }
  | { readonly is: 'messages'; readonly messages: number }
  | { readonly is: 'close' | 'answer'; readonly code: number }
  | { readonly is: 'transport close'; readonly code: number };

/** `greeted` is a server that has sent its Finished and has none. */
export type Phase = 'opening' | 'greeted' | 'open' | 'done' | 'dead';

export class ModelEnd {
  phase: Phase = 'opening';
  /** The code of its own close, once sealed. */
  closed: number | undefined;
  drainedAt: number | undefined;
  /** What it has said, and how much of its peer's it has seen. */
  readonly said: string[] = [];
  seen = 0;
  /** Messages of the peer that came, seen or discarded. */
  arrived = 0;
  /** What the application is to learn at the end, as far as it is decided. */
  outcome: { readonly code: number; readonly wasClean: boolean } | undefined;
  answered: boolean | undefined;
  ended = false;

  constructor(readonly role: Role) {}

  get canSay(): boolean {
    return this.closed === undefined && this.phase !== 'done' && this.phase !== 'dead';
  }

  get canSeal(): boolean {
    return this.closed === undefined && (this.phase === 'greeted' || this.phase === 'open');
  }

  /** The application calls close(). */
  close(code: number): void {
    if (this.canSeal) this.closed = code;
    else if (this.phase === 'opening') this.die(1006);
  }

  die(code: number): void {
    this.phase = 'dead';
    this.outcome ??= { code, wasClean: false };
  }

  arrive(item: Item): void {
    if (item.is === 'transport close') {
      this.transportClosed(item.code);
      return;
    }
    if (this.phase === 'done' || this.phase === 'dead') return;
    if (item.is === 'hello' && this.role === 'server') this.phase = 'greeted';
    if (item.is === 'finished') this.phase = 'open';
    if (item.is === 'messages') {
      this.arrived += item.messages;
      if (this.closed === undefined) this.seen = this.arrived;
    }
    if (item.is === 'close' || item.is === 'answer') {
      this.answered = item.is === 'answer' || this.closed === undefined;
      this.phase = 'done';
      this.outcome = { code: item.code, wasClean: true };
    }
  }

  /** 30 s after its close has drained it gives up. */
  tick(now: number): void {
    const waits = this.closed !== undefined && this.phase !== 'done' && this.phase !== 'dead';
    if (waits && this.drainedAt !== undefined && now >= this.drainedAt + 30_000) this.die(1006);
  }

  transportClosed(code: number): void {
    if (this.ended) return;
    this.ended = true;
    const hint = code === 1001 || (code >= 1012 && code <= 1014) || (code >= 3768 && code <= 3773);
    if (this.phase !== 'done') this.die(hint ? code : 1006);
  }
}
