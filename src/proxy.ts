/**
 * `pq-websocket/proxy`, on Node: for programs that carry other people's messages between a secure socket and a plain one,
 * as the gateway does. They save the copies that an application's own sockets have to make.
 * @module pq-websocket/proxy
 */
import { WebSocket as PlainWebSocket, WebSocketServer as PlainWebSocketServer } from 'ws';
import { platform } from '#platform';
import { free } from './base/free.ts';
import type { Deliveries } from './platform/node-frames/pieces.ts';
import { giveBackJoined } from './platform/node-frames/pieces.ts';
import { countBytes } from './platform/node-frames/read.ts';
import { PlainGatherer, writePlain } from './platform/node-frames/write.ts';
import * as Kind from './protocol/v1/kinds.ts';
import { isCloseCode, MAX_CLOSE_REASON_BYTES } from './protocol/v1/record.ts';
import { Outbox } from './protocol/v1/outbox.ts';
import { offerOf } from './transport/upgrade-request.ts';
import { internalsOf } from './ws/socket/socket.ts';
import type { UpgradeRequest } from './api/types.ts';
import type { WsStyleWebSocket } from './api/socket-types.ts';

/** npm `ws`'s own client, of the copy that this package runs on. It seals nothing. */
export { PlainWebSocket };
/** And its server, for the near end of a tunnel. */
export { PlainWebSocketServer };
export { isCloseCode, MAX_CLOSE_REASON_BYTES };
export { countBytes, giveBackJoined };
export type { Deliveries };

/**
 * As `socket.send()`, without its copy: the bytes belong to the secure layer from now on, which may give their memory back.
 * Neither they nor their buffer may be looked at again.
 * @param socket one of `pq-websocket/ws`
 */
export function sendOwned(socket: WsStyleWebSocket, data: Uint8Array, isBinary: boolean): void {
  const bytes = data.length;
  internalsOf(socket).connection.send(isBinary ? Kind.BINARY : Kind.TEXT, data, true);
  // Whatever is a record of its own is sealed by now, or was copied.
  if (Outbox.goesAlone(bytes)) free(data);
}

/** RFC 6455 7.1.5: the close had no code. */
const NO_STATUS = 1005;
const TEXT = { binary: false };
const BINARY = { binary: true };

/**
 * Sends a message on a plain socket, in the clear. Its bytes belong to the network from now on, which masks them in place and gives their
 * memory back.
 * @param socket npm `ws`'s
 */
export function sendPlain(socket: PlainWebSocket, data: Uint8Array, isBinary: boolean): void {
  if (!writePlain(socket, data, isBinary, platform.random, platform.fastMask?.()))
    socket.send(data, isBinary ? BINARY : TEXT);
}

/**
 * Sends messages on a plain socket as `sendPlain` does, those of one turn together. Nothing else may be sent on the socket
 * before `flush`.
 */
export class PlainSender {
  readonly #gatherer: PlainGatherer;

  /** @param socket npm `ws`'s */
  constructor(private readonly socket: PlainWebSocket) {
    this.#gatherer = new PlainGatherer(socket, platform.random, () => platform.fastMask?.());
  }

  /** The message's bytes belong to the network from now on, which masks them in place and gives their memory back. */
  send(data: Uint8Array, isBinary: boolean): void {
    if (!this.#gatherer.write(data, isBinary)) this.socket.send(data, isBinary ? BINARY : TEXT);
  }

  /** Writes what waits for the end of the turn now. */
  flush(): void {
    this.#gatherer.flush();
  }
}

/**
 * Records that a secure socket has opened: work that its peer has made, whether or not a message was in it.
 * @param socket one of `pq-websocket/ws`
 */
export function recordsOpened(socket: WsStyleWebSocket): number {
  return internalsOf(socket).connection.session.channel.recordsOpened;
}

/**
 * Leaves the answer to the peer's close to the caller, who may have somebody else to ask first. Profile v1 alone: the closes
 * of yellowpages are the transport's, which answers by itself.
 * @param socket one of `pq-websocket/ws`
 * @param hold called once, behind all messages, with what the peer's close says (1005 and nothing where it has no code) and
 *   with what sends the answer. Until then the socket is CLOSING; without it the connection can only be cut.
 */
export function holdCloseAnswer(
  socket: WsStyleWebSocket,
  hold: (code: number, reason: string, answer: () => void) => void,
): void {
  internalsOf(socket).closeHolder = (content, answer): void => {
    hold(content?.code ?? NO_STATUS, content?.reason ?? '', answer);
  };
}

/**
 * The application's subprotocols that an upgrade request offers, without the secure layer's own tokens (PROTOCOL.md 13).
 * @throws {TypeError} for what is no request
 */
export function offeredProtocols(request: UpgradeRequest): readonly string[] {
  return offerOf('offeredProtocols', request).application;
}
