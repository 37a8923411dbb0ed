/** A client's session, in the profile that it is set to. */
import { ClientHandshake } from './v1/client-handshake.ts';
import { Refusal } from './errors.ts';
import { isPromise } from '../base/maybe-promise.ts';
import type { Profile, ProfileSession, SessionConfig, SessionHost, SessionMaker } from './session-types.ts';
import { Session } from './session.ts';
import { StandIn } from './stand-in.ts';

export function createClientSession<Text>(config: SessionConfig<Text>, host: SessionHost<Text>): ProfileSession {
  const { profile, yellowpages } = config;
  const maker = profile === 'yellowpages' ? yellowpages?.session : undefined;
  if (maker !== undefined && !isPromise(maker)) return new maker(config, host);
  const v1 = new Session(config, host, ClientHandshake);
  return maker === undefined ? v1 : new LoadingSession(config, host, v1, maker);
}

/** yellowpages while its code is on its way. It says nothing yet; whatever ends it meanwhile ends it in v1's terms. */
class LoadingSession<Text> extends StandIn<Text> {
  #deadline: number | undefined;

  constructor(config: SessionConfig<Text>, host: SessionHost<Text>, v1: ProfileSession, maker: Promise<SessionMaker>) {
    super(config, v1);
    maker.then(
      (Yellowpages) => {
        if (this.isDecided) return;
        const session = this.decided(new Yellowpages(config, host));
        if (this.#deadline !== undefined) session.start();
      },
      (error: unknown) => {
        const refused = error instanceof Refusal;
        this.abort(refused ? error.code : 'PQ_ERR_INTERNAL', refused ? error.cause : error);
      },
    );
  }

  override get profile(): Profile {
    return 'yellowpages';
  }

  override get deadline(): number | undefined {
    return this.isDecided ? super.deadline : this.#deadline;
  }

  override start(): void {
    if (this.isDecided) super.start();
    else this.#deadline = this.config.now() + (this.config.yellowpages?.stepTimeout ?? 0);
  }

  override tick(): void {
    if (this.isDecided) super.tick();
    else if (this.config.now() >= (this.#deadline ?? Infinity)) this.abort('PQ_ERR_HANDSHAKE_TIMEOUT');
  }
}
