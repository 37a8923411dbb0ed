/**
 * `pq-websocket/server`: any WebSocket that a server has accepted becomes a secure one.
 * @module
 */
import { DEFAULT_LIMITS } from './protocol/limits.ts';
import { SERVER_AUTHENTICATION_OPTIONS } from './socket/identity-options.ts';
import { CHANNEL_OPTION_NAMES, described, optionsObject, refuseUnknown } from './socket/options.ts';
import { serverConfig } from './socket/profile-options.ts';
import type { ServerSocket } from './socket-types.ts';
import { WsStyleSocket } from './socket/ws-style-socket.ts';
import type { ServerSocketOptions } from './types.ts';

export { PQWebSocketError } from './protocol/errors.ts';
export type { PQErrorCode } from './protocol/errors.ts';
export type { ServerSocket } from './socket-types.ts';
export type {
  Bytes,
  ChannelCounters,
  ChannelOptions,
  PaddingOption,
  PQChannel,
  Profile,
  PQWebSocketOptions,
  RekeyOptions,
  IdentitySigner,
  ServerAuthenticationOptions,
  ServerSocketOptions,
} from './types.ts';

/**
 * Wraps the server's end of an accepted connection and starts the secure handshake. The result is CONNECTING until
 * the server's Finished is sent; `pq.finished` tells when the client has proved itself live.
 *
 * @param socket npm `ws`, Deno.upgradeWebSocket's, a WebSocketPair's end after `accept()`, msw's, or anything
 *   WHATWG-shaped. From now on nothing else may read from it or write to it.
 * @throws {TypeError | RangeError} for a socket that is none, and for an option that is unknown or wrong
 */
export function wrapServerSocket(socket: object, options: ServerSocketOptions = {}): ServerSocket {
  const where = 'wrapServerSocket';
  if (typeof (socket as { send?: unknown } | null)?.send !== 'function') {
    throw new TypeError(`${where}: the first argument must be a WebSocket, got ${described(socket)}`);
  }
  refuseUnknown(where, optionsObject(where, options), [...CHANNEL_OPTION_NAMES, ...SERVER_AUTHENTICATION_OPTIONS, 'profiles']);
  const config = serverConfig(where, options, DEFAULT_LIMITS.maxPayload);
  return new WsStyleSocket('server', socket, '', config) as unknown as ServerSocket;
}
