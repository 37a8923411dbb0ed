/** A client's session, in the profile that it is set to. */
import { isPromise } from '../base/maybe-promise.ts';
import { Session } from './session.ts';
import type { SessionConfig, SessionHost } from './session-types.ts';
import { V1Client } from './v1/profile.ts';

export function createClientSession<Text>(config: SessionConfig<Text>, host: SessionHost<Text>): Session<Text> {
  const { profile, yellowpages } = config;
  const maker = profile === 'yellowpages' ? yellowpages?.profile : undefined;
  if (maker === undefined || !isPromise(maker)) return new Session(config, host, maker ?? V1Client);
  const timeout = yellowpages?.stepTimeout ?? 0;
  return new Session(config, host, V1Client, { loading: { name: 'yellowpages', maker, timeout } });
}
