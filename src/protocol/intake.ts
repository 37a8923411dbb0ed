/** What a server takes from a peer that has not proved itself: no more than its part of the handshake needs. */
import { NONCE_BYTES, TAG_BYTES } from '../crypto/backend.ts';
import { MAX_FINISHED_BYTES, MAX_HELLO_BYTES } from './v1/hellos.ts';

/** Finished is never padded: nonce, content, kind, tag. */
const MAX_FINISHED_FRAME_BYTES = NONCE_BYTES + MAX_FINISHED_BYTES + 1 + TAG_BYTES;

/** So that what is a little too long is refused by this layer, with its code; what is much too long the transport refuses. */
const HELLO_HEADROOM_BYTES = 16_384;
const FINISHED_HEADROOM_BYTES = 4_096;

/** The longest message that may come, in bytes; or none at all for now. Undefined: what is honest may be of any length. */
export type Intake = number | 'none' | undefined;

/**
 * @param state of a server's session, of either profile, whose peer is not accepted
 * @param isBusy whether a message that has come is still being looked at
 */
export function intakeOf(state: string, isBusy: boolean): Intake {
  switch (state) {
    case 'server: awaiting repeated hello':
    case 'server: closing unrepeated':
      // Finished, and what the application says, may be behind the hello already.
      return isBusy ? undefined : MAX_HELLO_BYTES + HELLO_HEADROOM_BYTES;
    case 'server: awaiting finished':
    case 'server: closing unconfirmed':
      // What comes behind a Finished that is being looked at may be honest: it waits in the network.
      return isBusy ? 'none' : MAX_FINISHED_FRAME_BYTES + FINISHED_HEADROOM_BYTES;
    case 'server: verifying client':
      return 'none';
    default:
      return MAX_HELLO_BYTES + HELLO_HEADROOM_BYTES;
  }
}

/** Bytes in all until Finished is due: a hello, and with fast open the same one again. */
const MAX_HELLOS_BYTES = 2 * MAX_HELLO_BYTES + HELLO_HEADROOM_BYTES;

/** Whether a peer that has sent so many bytes in all, in this state, sends more than any honest one. */
export function isTooMuch(bytes: number, state: string): boolean {
  return bytes > MAX_HELLOS_BYTES && (state === 'server: awaiting client hello' || state === 'server: answering early');
}
