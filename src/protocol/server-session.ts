/** A server's session in the profile that it is set to, or, on a server of both, in the one that its client speaks. */
import { Session } from './session.ts';
import type { SessionConfig, SessionHost } from './session-types.ts';
import { parseClientHello } from './v1/hellos.ts';
import { V1Server } from './v1/server-profile.ts';
import { isYellowpagesHello } from './yellowpages/hellos.ts';
import { Yellowpages } from './yellowpages/profile.ts';

export function createServerSession<Text>(config: SessionConfig<Text>, host: SessionHost<Text>): Session<Text> {
  if (config.profile === 'yellowpages') return new Session(config, host, Yellowpages);
  if (config.profile !== 'either') return new Session(config, host, V1Server);
  return new Session(config, host, V1Server, {
    byHello: (message) => (isYellowpagesHello(message) ? Yellowpages : undefined),
    // Fast open is v1's: a hello in the request decides as one in a message does. What is none counts for nothing.
    hasEarlyHello: isV1Hello(config.earlyHello),
  });
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
