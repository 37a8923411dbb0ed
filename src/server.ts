/**
 * `pq-websocket/server`: any WebSocket that a server has accepted becomes a secure one.
 * @module
 */
import { DEFAULT_LIMITS } from './protocol/limits.ts';
import { CHANNEL_OPTION_NAMES, channelConfig, refuseUnknown } from './socket/options.ts';
import type { ServerSocket } from './socket-types.ts';
import { WsStyleSocket } from './socket/ws-style-socket.ts';
import type { ChannelOptions } from './types.ts';

export { PQWebSocketError } from './protocol/errors.ts';
export type { PQErrorCode } from './protocol/errors.ts';
export type { ServerSocket } from './socket-types.ts';
export type {
  Bytes,
  ChannelCounters,
  ChannelOptions,
  PaddingOption,
  PQChannel,
  PQWebSocketOptions,
  RekeyOptions,
} from './types.ts';

/**
 * Wraps the server's end of an accepted connection and starts the secure handshake. The result is CONNECTING until
 * the server's Finished is sent; `pq.finished` tells when the client has proved itself live.
 *
 * @param socket npm `ws`, Deno.upgradeWebSocket's, a WebSocketPair's end after `accept()`, msw's, or anything
 *   WHATWG-shaped. From now on nothing else may read from it or write to it.
 * @throws {TypeError | RangeError} for a socket that is none, and for an option that is unknown or wrong
 */
export function wrapServerSocket(socket: object, options: ChannelOptions = {}): ServerSocket {
  const where = 'wrapServerSocket';
  if (typeof (socket as { send?: unknown } | null)?.send !== 'function') {
    throw new TypeError(`${where}: the first argument must be a WebSocket`);
  }
  refuseUnknown(where, options, CHANNEL_OPTION_NAMES);
  const config = channelConfig(where, options, DEFAULT_LIMITS.maxPayload);
  return new WsStyleSocket('server', socket, '', config) as unknown as ServerSocket;
}
