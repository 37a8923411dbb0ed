/** Which profile a connection speaks: the one that it is set to, or, on a server of both, the one that its client speaks. */
import type { MaybePromise } from '../crypto/backend.ts';
import type { PQErrorCode, PQWebSocketError } from './errors.ts';
import type { CloseContent } from './record.ts';
import type { ChannelFacts, Profile, ProfileSession, SessionConfig, SessionHost, TransportClose } from './session-types.ts';
import { Session } from './session.ts';
import { isYellowpagesHello } from './yellowpages-hello.ts';
import { YellowpagesSession } from './yellowpages.ts';

export function createSession<Text>(config: SessionConfig<Text>, host: SessionHost<Text>): ProfileSession {
  switch (config.profile) {
    case 'yellowpages':
      return new YellowpagesSession(config, host);
    case 'either':
      return new UndecidedSession(config, host);
    default:
      return new Session(config, host);
  }
}

type Waiting = Parameters<ProfileSession['send']>;

/**
 * A server's session of either profile. Until the first message has told which, it is v1's, with v1's timeout and v1's
 * codes; what the application sends meanwhile waits here. From then on it only passes on.
 */
class UndecidedSession<Text> implements ProfileSession {
  #session: ProfileSession;
  /** What the application has sent; undefined once it is decided. */
  #waiting: Waiting[] | undefined = [];

  constructor(
    private readonly config: SessionConfig<Text>,
    private readonly host: SessionHost<Text>,
  ) {
    this.#session = new Session(config, host);
  }

  get profile(): Profile {
    return this.#session.profile;
  }

  get state(): string {
    return this.#session.state;
  }

  get failure(): PQWebSocketError | undefined {
    return this.#session.failure;
  }

  get closeAnswered(): boolean | undefined {
    return this.#session.closeAnswered;
  }

  get facts(): ChannelFacts | undefined {
    return this.#session.facts;
  }

  get queuedBytes(): number {
    return (this.#waiting ?? []).reduce((sum, [, payload]) => sum + payload.length, this.#session.queuedBytes);
  }

  get recordsSealed(): number {
    return this.#session.recordsSealed;
  }

  get recordsOpened(): number {
    return this.#session.recordsOpened;
  }

  get deadline(): number | undefined {
    return this.#session.deadline;
  }

  start(): void {
    this.#session.start();
  }

  /** Fast open is v1's: the hello in the request decides as the one in a message does. */
  answerEarly(): void {
    if (this.config.earlyHello !== undefined) this.#decided().answerEarly();
  }

  receive(message: string | Uint8Array): void {
    if (this.#waiting !== undefined && isYellowpagesHello(message)) {
      this.#session = new YellowpagesSession(this.config, this.host);
    }
    this.#decided().receive(message);
  }

  send(...message: Waiting): boolean {
    if (this.#waiting === undefined) return this.#session.send(...message);
    const [kind, payload, owned, sent] = message;
    this.#waiting.push([kind, owned ? payload : payload.slice(), true, sent]);
    // One profile refuses as the other does.
    if (this.queuedBytes > this.config.limits.maxQueuedBytes) this.#decided();
    return true;
  }

  flush(): void {
    this.#session.flush();
  }

  close(content: CloseContent): void {
    this.#decided().close(content);
  }

  closeDrained(): void {
    this.#session.closeDrained();
  }

  tick(): void {
    if (this.config.now() >= (this.deadline ?? Infinity)) this.#decided().tick();
  }

  abort(code: PQErrorCode, cause?: unknown): void {
    this.#decided().abort(code, cause);
  }

  transportClosed(code: number, cause?: unknown, said?: TransportClose): void {
    this.#decided().transportClosed(code, cause, said);
  }

  exportKey(label: string, length: number): MaybePromise<Uint8Array> {
    return this.#session.exportKey(label, length);
  }

  /** Whatever it is by now, it stays. */
  #decided(): ProfileSession {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const message of waiting) this.#session.send(...message);
    return this.#session;
  }
}
