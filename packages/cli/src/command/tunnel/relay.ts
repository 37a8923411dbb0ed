/** One conversation of `tunnel`: what a plain socket says goes out sealed, and back; closes and cuts as what they are. */
import { isCloseCode } from 'pq-websocket/proxy';
import type { Guest } from '../serve/room.ts';

/** Bytes that one side has not got rid of, from which the other is not read. */
const HIGH_WATER = 1024 * 1024;
/** RFC 6455 7.4.1 */
const NO_STATUS = 1005;

/** What came before there was a listener. */
export interface EarlyMessage {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** @param early of `secure`, in order */
export function relay(plain: Guest, secure: Guest, early: readonly EarlyMessage[]): void {
  carry(plain, secure);
  carry(secure, plain);
  for (const { data, isBinary } of early) plain.send(data, { binary: isBinary });
}

function carry(from: Guest, to: Guest): void {
  from.on('error', () => undefined);
  from.on('message', (data, isBinary) => {
    if (to.readyState !== to.OPEN) return;
    to.send(data, { binary: isBinary }, () => {
      if (from.isPaused && to.bufferedAmount < HIGH_WATER) from.resume();
    });
    if (to.bufferedAmount >= HIGH_WATER) from.pause();
  });
  // Without its data, which the secure side does not carry. Each side answers its own pings.
  from.on('ping', () => {
    if (to.readyState === to.OPEN) to.ping();
  });
  from.on('close', (code, reason) => {
    // It may wait for room here, and has to read to close.
    if (to.isPaused) to.resume();
    if (code === NO_STATUS) to.close();
    else if (isCloseCode(code)) to.close(code, reason.toString());
    else to.terminate();
  });
}
