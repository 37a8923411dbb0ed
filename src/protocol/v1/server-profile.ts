/** The profile v1 of a server. */
import type { ProfileHost } from '../session-types.ts';
import { V1 } from './profile.ts';
import { ServerHandshake } from './server-handshake.ts';

export class V1Server<Text> extends V1<Text> {
  constructor(session: ProfileHost<Text>) {
    super(session, ServerHandshake);
    session.startTimer(session.config.limits.handshakeTimeout);
  }
}
