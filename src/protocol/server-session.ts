/** A server's session in the profile that it is set to, or, on a server of both, in the one that its client speaks. */
import { copyOf } from '../base/bytes.ts';
import { Queue } from '../base/queue.ts';
import { Session } from './session.ts';
import type { SessionConfig, SessionHost, TransportClose } from './session-types.ts';
import { parseClientHello } from './v1/hellos.ts';
import type { CloseContent } from './v1/record.ts';
import { V1Server } from './v1/server-profile.ts';
import { isYellowpagesHello } from './yellowpages/hellos.ts';
import { Yellowpages } from './yellowpages/profile.ts';

export function createServerSession<Text>(config: SessionConfig<Text>, host: SessionHost<Text>): Session<Text> {
  if (config.profile === 'yellowpages') return new Session(config, host, Yellowpages);
  return config.profile === 'either' ? new EitherSession(config, host) : new Session(config, host, V1Server);
}

/** Of a server of both. Until its client has said which it is, it is v1's, in v1's terms. */
class EitherSession<Text> extends Session<Text> {
  #isDecided = false;
  /** What the application has sent before that. */
  readonly #before = new Queue<Parameters<Session['send']>>();
  #bytesBefore = 0;

  constructor(config: SessionConfig<Text>, host: SessionHost<Text>) {
    super(config, host, V1Server);
  }

  override get queuedBytes(): number {
    return super.queuedBytes + this.#bytesBefore;
  }

  /** Fast open is v1's: a hello in the request decides as one in a message does. What is none counts for nothing. */
  override start(): void {
    if (!isV1Hello(this.config.earlyHello)) return;
    this.#decide();
    super.start();
  }

  override receive(message: string | Uint8Array, owned = false): void {
    if (!this.#isDecided) this.#decide(isYellowpagesHello(message));
    super.receive(message, owned);
  }

  override send(...[kind, payload, owned, sent, now]: Parameters<Session['send']>): boolean {
    if (this.#isDecided) return super.send(kind, payload, owned, sent, now);
    this.#before.push([kind, owned ? payload : copyOf(payload), true, sent]);
    this.#bytesBefore += payload.length;
    this.limitQueue();
    return true;
  }

  override close(content: CloseContent): void {
    this.#decide();
    super.close(content);
  }

  override transportClosed(code: number, cause?: unknown, said?: TransportClose): void {
    this.#decide();
    super.transportClosed(code, cause, said);
  }

  override fail(error: unknown): void {
    this.#decide();
    super.fail(error);
  }

  /** From now on it is known which profile it is; what was sent before is the profile's. */
  #decide(isYellowpages = false): void {
    if (this.#isDecided) return;
    this.#isDecided = true;
    if (isYellowpages) this.become(Yellowpages);
    this.#bytesBefore = 0;
    for (let next = this.#before.shift(); next !== undefined; next = this.#before.shift()) super.send(...next);
  }
}

function isV1Hello(message: string | undefined): boolean {
  if (message === undefined) return false;
  try {
    parseClientHello(message);
    return true;
  } catch {
    return false;
  }
}
