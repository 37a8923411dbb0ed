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
import { connectionOf } from './socket/pq-websocket.ts';
import { offerOf, selectFrom } from './socket/upgrade-request.ts';
import type { UpgradeRequest, WrapOptions } from './types.ts';

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
  UpgradeRequest,
  WrapOptions,
} from './types.ts';

/**
 * Wraps the server's end of an accepted connection and starts the secure handshake. The result is CONNECTING until
 * the server's Finished is sent; `pq.finished` tells when the client has proved itself live.
 *
 * @param socket npm `ws`, Deno.upgradeWebSocket's, a WebSocketPair's end after `accept()`, msw's, or anything
 *   WHATWG-shaped. From now on nothing else may read from it or write to it.
 * @throws {TypeError | RangeError} for a socket that is none, and for an option that is unknown or wrong
 */
export function wrapServerSocket(socket: object, options: WrapOptions = {}): ServerSocket {
  const where = 'wrapServerSocket';
  if (typeof (socket as { send?: unknown } | null)?.send !== 'function') {
    throw new TypeError(`${where}: the first argument must be a WebSocket, got ${described(socket)}`);
  }
  refuseUnknown(where, optionsObject(where, options), [...CHANNEL_OPTION_NAMES, ...SERVER_AUTHENTICATION_OPTIONS, 'profiles', 'request']);
  const config = {
    ...serverConfig(where, options, DEFAULT_LIMITS.maxPayload),
    earlyHello: options.request === undefined ? undefined : offerOf(where, options.request).clientHello,
  };
  const secure = new WsStyleSocket('server', socket, '', config);
  // Not before the caller can listen.
  queueMicrotask(() => {
    connectionOf(secure).answerEarly();
  });
  return secure as unknown as ServerSocket;
}

/**
 * The subprotocol to accept an upgrade request with, for whoever accepts it and wraps the socket afterwards.
 * @param accepted the application's subprotocols, in any order: the client's order decides
 * @returns what goes into Sec-WebSocket-Protocol, or undefined for nothing: the first subprotocol of the client that
 *   is accepted, or the layer's own `pqws1` where a client with `fastOpen` offers none. `socket.protocol` never shows that one.
 * @throws {TypeError} for what is no request
 */
export function selectSubprotocol(request: UpgradeRequest, accepted: readonly string[] = []): string | undefined {
  return selectFrom(offerOf('selectSubprotocol', request), accepted);
}
