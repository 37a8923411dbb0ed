/** A server's session in the profile that it is set to, or, on a server of both, in the one that its client speaks. */
import { parseClientHello } from './v1/hellos.ts';
import { ServerHandshake } from './v1/server-handshake.ts';
import type { ProfileSession, SessionConfig, SessionHost } from './session-types.ts';
import { Session } from './session.ts';
import { StandIn } from './stand-in.ts';
import { isYellowpagesHello } from './yellowpages/hellos.ts';
import { YellowpagesSession } from './yellowpages/session.ts';

export function createServerSession<Text>(config: SessionConfig<Text>, host: SessionHost<Text>): ProfileSession {
  if (config.profile === 'yellowpages') return new YellowpagesSession(config, host);
  const session = new Session(config, host, ServerHandshake);
  return config.profile === 'either' ? new UndecidedSession(config, host, session) : session;
}

/** Until the first message has told which profile it is, it is v1's, with v1's timeout and v1's codes. */
class UndecidedSession<Text> extends StandIn<Text> {
  constructor(
    config: SessionConfig<Text>,
    private readonly host: SessionHost<Text>,
    v1: ProfileSession,
  ) {
    super(config, v1);
  }

  /** Fast open is v1's: a hello in the request decides as one in a message does. What is none counts for nothing. */
  override answerEarly(): void {
    if (isV1Hello(this.config.earlyHello)) this.decided().answerEarly();
  }

  override receive(message: string | Uint8Array): void {
    const isOther = !this.isDecided && isYellowpagesHello(message);
    this.decided(isOther ? new YellowpagesSession(this.config, this.host) : this.session).receive(message);
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
