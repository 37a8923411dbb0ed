/** A client's session, in the profile that it is set to. */
import { Session } from './session.ts';
import type { ProfileMaker, SessionConfig, SessionHost } from './session-types.ts';
import { V1Client } from './v1/profile.ts';

/**
 * @param yellowpages that profile, for a configuration of it
 * @throws {Error} where it is not there: what is to judge its server would be nowhere
 */
export function createClientSession<Text>(
  config: SessionConfig<Text>,
  host: SessionHost<Text>,
  yellowpages: ProfileMaker | undefined = config.yellowpages?.profile,
): Session<Text> {
  const maker = config.profile === 'yellowpages' && config.yellowpages !== undefined ? yellowpages : V1Client;
  if (maker === undefined) throw new Error('no code of yellowpages');
  return new Session(config, host, maker);
}
