/** One conversation of `tunnel`: what a plain socket says goes out sealed, and back; closes and cuts as what they are. */
import { holdCloseAnswer, isCloseCode } from 'pq-websocket/proxy';
import type { WsStyleWebSocket } from 'pq-websocket/ws';
import type { PlainLeg } from '../../gateway/plain-leg.ts';
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
export function relay(plain: PlainLeg, secure: WsStyleWebSocket, early: readonly EarlyMessage[]): void {
  carry(plain, secure);
  carry(secure, plain);
  carryPings(plain, secure);
  // The original server of yellowpages ends the connection for one.
  if (secure.pq.profile === 'v1') carryPings(secure, plain);
  carryCloses(plain, secure);
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
}

/** Without their data, which the secure side does not carry. Each side answers its own. */
function carryPings(to: Guest, from: Guest): void {
  from.on('ping', () => {
    if (to.readyState === to.OPEN) to.ping();
  });
}

/**
 * A close is answered when the other end has answered it: an answer says that what went before has arrived. yellowpages answers by
 * itself, as its closes are the transport's.
 */
function carryCloses(plain: PlainLeg, secure: WsStyleWebSocket): void {
  /** The server's close is with the program: this sends its answer. */
  let answerServer: (() => void) | undefined;
  // Each may wait for room, and has to read to close.
  const read = (socket: { readonly isPaused: boolean; resume(): void }): void => {
    if (socket.isPaused) socket.resume();
  };
  const closeSecure = (code: number, reason: Buffer): void => {
    if (code === NO_STATUS) secure.close();
    else secure.close(code, reason);
  };
  holdCloseAnswer(secure, (code, reason, answer) => {
    answerServer = answer;
    read(plain);
    plain.sayClose(code, reason);
  });
  plain.listenForClose({
    closes: (code, reason) => {
      read(secure);
      closeSecure(code, reason);
    },
    answers: () => {
      const answer = answerServer;
      answerServer = undefined;
      answer?.();
    },
  });
  secure.on('close', (code: number, reason: Buffer) => {
    read(plain);
    const isCut = code !== NO_STATUS && !isCloseCode(code);
    // What the program waits for is the server's answer, and there is none.
    if (isCut || (plain.owesAnswer && secure.pq.failure !== null)) plain.terminate();
    else plain.sayClose(code, reason);
  });
  plain.on('close', (code: number, reason: Buffer) => {
    read(secure);
    const isCut = code !== NO_STATUS && !isCloseCode(code);
    if (isCut || answerServer !== undefined) secure.terminate();
    else closeSecure(code, reason);
  });
}
