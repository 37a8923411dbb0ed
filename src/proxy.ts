/**
 * `pq-websocket/proxy`, on Node: for programs that carry other people's messages between a secure socket and a plain one,
 * as the gateway does. They save the copies that an application's own sockets have to make.
 * @module
 */
import { WebSocket as PlainWebSocket } from 'ws';
import { platform } from '#platform';
import { free } from './base/free.ts';
import { writePlain } from './platform/node-frames/write.ts';
import { isCloseCode, Kind, MAX_CLOSE_REASON_BYTES } from './protocol/v1/record.ts';
import { Outbox } from './protocol/v1/outbox.ts';
import { offerOf } from './transport/upgrade-request.ts';
import { internalsOf } from './ws/socket/socket.ts';
import type { WsStyleSocket } from './ws/socket/socket.ts';
import type { UpgradeRequest } from './api/types.ts';
import type { WsStyleWebSocket } from './api/socket-types.ts';

/** npm `ws`'s own client, of the copy that this package runs on. It seals nothing. */
export { PlainWebSocket };
export { isCloseCode, MAX_CLOSE_REASON_BYTES };

/**
 * As `socket.send()`, without its copy: the bytes belong to the secure layer from now on, which may give their memory back.
 * Neither they nor their buffer may be looked at again.
 * @param socket one of `pq-websocket/ws`
 */
export function sendOwned(socket: WsStyleWebSocket, data: Uint8Array, isBinary: boolean): void {
  const bytes = data.length;
  internalsOf(socket as unknown as WsStyleSocket).connection.send(isBinary ? Kind.BINARY : Kind.TEXT, data, true);
  // Whatever is a record of its own is sealed by now, or was copied.
  if (Outbox.goesAlone(bytes)) free(data);
}

const TEXT = { binary: false };
const BINARY = { binary: true };

/**
 * Sends a message on a plain socket, in the clear. Its bytes belong to the network from now on, which masks them in place.
 * @param socket npm `ws`'s
 */
export function sendPlain(socket: PlainWebSocket, data: Uint8Array, isBinary: boolean): void {
  if (!writePlain(socket, data, isBinary, platform.random)) socket.send(data, isBinary ? BINARY : TEXT);
}

/**
 * The application's subprotocols that an upgrade request offers, without the secure layer's own tokens (PROTOCOL.md 13).
 * @throws {TypeError} for what is no request
 */
export function offeredProtocols(request: UpgradeRequest): readonly string[] {
  return offerOf('offeredProtocols', request).application;
}
