/** What a client takes from the wire, where its options say nothing; and what the WebSocket underneath is told of it. */
import { maxInnerBytes } from '../protocol/v1/record.ts';

/** The standard has no limit; a page's memory has. */
export const CLIENT_MAX_PAYLOAD = 2 ** 30;
/** Room above the longest frame, so that a longer one is refused by the session, with its code, and not by `ws`. */
const FRAME_HEADROOM = 1024 * 1024;
/** The longest limit that `ws` can have: it takes the number modulo 2^32. */
const MAX_TRANSPORT_LIMIT = 2 ** 31 - 1;

/** `maxPayload` for `ws`: above every frame that the session takes; 0, which is no limit, where that is too long for it. */
export function transportMaxPayload(maxPayload: number): number {
  const limit = maxInnerBytes(maxPayload) + FRAME_HEADROOM;
  return limit > MAX_TRANSPORT_LIMIT ? 0 : limit;
}
