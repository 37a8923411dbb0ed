/**
 * A session whose profile is not there yet: v1's stands in for it and says what there is to say, and what the
 * application sends meanwhile waits here. Once it is decided which one it is, this only passes on.
 */
import type { MaybePromise } from '../crypto/backend.ts';
import { copyOf } from '../base/bytes.ts';
import type { PQErrorCode, PQWebSocketError } from '../api/errors.ts';
import type { CloseContent } from './v1/record.ts';
import type { ChannelFacts, Profile, ProfileSession, SessionConfig, TransportClose } from './session-types.ts';

type Waiting = Parameters<ProfileSession['send']>;

export class StandIn<Text> implements ProfileSession {
  /** What the application has sent; undefined once it is decided. */
  #waiting: Waiting[] | undefined = [];

  constructor(
    protected readonly config: SessionConfig<Text>,
    protected session: ProfileSession,
  ) {}

  get profile(): Profile {
    return this.session.profile;
  }

  get state(): string {
    return this.session.state;
  }

  get failure(): PQWebSocketError | undefined {
    return this.session.failure;
  }

  get closeAnswered(): boolean | undefined {
    return this.session.closeAnswered;
  }

  get facts(): ChannelFacts | undefined {
    return this.session.facts;
  }

  get queuedBytes(): number {
    return (this.#waiting ?? []).reduce((sum, [, payload]) => sum + payload.length, this.session.queuedBytes);
  }

  get recordsSealed(): number {
    return this.session.recordsSealed;
  }

  get recordsOpened(): number {
    return this.session.recordsOpened;
  }

  get deadline(): number | undefined {
    return this.session.deadline;
  }

  start(selected?: string): void {
    this.session.start(selected);
  }

  answerEarly(): void {
    this.session.answerEarly();
  }

  receive(message: string | Uint8Array, owned?: boolean): void {
    this.decided().receive(message, owned);
  }

  send(...message: Waiting): boolean {
    if (this.#waiting === undefined) return this.session.send(...message);
    const [kind, payload, owned, sent] = message;
    this.#waiting.push([kind, owned ? payload : copyOf(payload), true, sent]);
    // One profile refuses as the other does.
    if (this.queuedBytes > this.config.limits.maxQueuedBytes) this.decided();
    return true;
  }

  flush(): void {
    this.session.flush();
  }

  close(content: CloseContent): void {
    this.decided().close(content);
  }

  closeDrained(): void {
    this.session.closeDrained();
  }

  tick(): void {
    if (this.config.now() >= (this.deadline ?? Infinity)) this.decided().tick();
  }

  abort(code: PQErrorCode, cause?: unknown): void {
    this.decided().abort(code, cause);
  }

  transportClosed(code: number, cause?: unknown, said?: TransportClose): void {
    this.decided().transportClosed(code, cause, said);
  }

  exportKey(label: string, length: number): MaybePromise<Uint8Array> {
    return this.session.exportKey(label, length);
  }

  protected get isDecided(): boolean {
    return this.#waiting === undefined;
  }

  /** @param session what it is from now on; without one, what it is by now */
  protected decided(session: ProfileSession = this.session): ProfileSession {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.session = session;
    for (const message of waiting) session.send(...message);
    return session;
  }
}
