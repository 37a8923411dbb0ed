/**
 * `pq-websocket/server`: any WebSocket that a server has accepted becomes a secure one.
 * @module pq-websocket/server
 */
import { DEFAULT_LIMITS } from './protocol/limits.ts';
import { SERVER_AUTHENTICATION_OPTIONS } from './options/server-identity.ts';
import type { ChannelConfig } from './options/channel.ts';
import { CHANNEL_OPTION_NAMES, described, optionsObject, refuseUnknown } from './options/channel.ts';
import { serverConfig } from './options/server.ts';
import type { ServerSocket } from './api/socket-types.ts';
import type { BunServerWebSocket } from './transport/bun.ts';
import { BunSocket } from './transport/bun.ts';
import { acceptedSocket } from './transport/shapes.ts';
import { transportMaxPayload } from './options/client-limits.ts';
import { startServer } from './connection/start-server.ts';
import { internalsOf, WsStyleSocket } from './ws/socket/socket.ts';
import { offerOf, selectFrom } from './transport/upgrade-request.ts';
import type { ServerSocketOptions, UpgradeRequest, WrapOptions } from './api/types.ts';
import { queueMicrotask, weakMapClass } from './base/captured.ts';

export { PQWebSocketError } from './api/errors.ts';
export type { PQErrorCode } from './api/errors.ts';
export type { ServerSocket } from './api/socket-types.ts';
export type { BunServerWebSocket } from './transport/bun.ts';
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
  WorkContext,
  WrapOptions,
} from './api/types.ts';

/**
 * Wraps the server's end of an accepted connection and starts the secure handshake. The result is CONNECTING until
 * the server's Finished is sent; `pq.finished` tells when the client has proved itself live.
 *
 * @param socket npm `ws` since version 6, npm `websocket`, faye-websocket, Deno.upgradeWebSocket's, a WebSocketPair's end after
 *   `accept()`, msw's, or anything WHATWG-shaped. From now on nothing else may read from it or write to it.
 * @throws {TypeError | RangeError} for a socket that is none, and for an option that is unknown or wrong
 */
export function wrapServerSocket(socket: object, options: WrapOptions = {}): ServerSocket {
  const where = 'wrapServerSocket';
  const transport = acceptedSocket(where, socket);
  const config = socketConfig(where, options);
  const secure = new WsStyleSocket(() => ({ role: 'server', transport, config }));
  // Not before the caller can listen.
  queueMicrotask(() => {
    startServer(internalsOf(secure).connection);
  });
  return secure;
}

function socketConfig(where: string, options: WrapOptions): ChannelConfig {
  const own = optionsObject(where, options) as WrapOptions;
  refuseUnknown(where, own, [...CHANNEL_OPTION_NAMES, ...SERVER_AUTHENTICATION_OPTIONS, 'profiles', 'request']);
  return {
    ...serverConfig(where, own, DEFAULT_LIMITS.maxPayload),
    earlyHello: own.request === undefined ? undefined : offerOf(where, own.request).clientHello,
  };
}

/**
 * The subprotocol to accept an upgrade request with, for a server that accepts it and wraps the socket afterwards.
 * @param accepted the application's subprotocols, in any order: the client's order decides
 * @returns what goes into Sec-WebSocket-Protocol, or undefined for nothing: the first subprotocol of the client that
 *   is accepted, or the layer's own `pqws1` where a client with `fastOpen` offers none. `socket.protocol` never shows that one.
 * @throws {TypeError} for what is no request
 */
export function selectSubprotocol(request: UpgradeRequest, accepted: readonly string[] = []): string | undefined {
  return selectFrom(offerOf('selectSubprotocol', request), accepted);
}

/** What `Bun.serve` takes as `websocket`; other settings of Bun's can be added to it. */
export interface BunHandlers<Data> {
  /** Called by Bun. */
  open(socket: BunServerWebSocket<Data>): void;
  /** Called by Bun. */
  message(socket: BunServerWebSocket<Data>, message: string | Uint8Array): void;
  /** Called by Bun. */
  close(socket: BunServerWebSocket<Data>, code: number, reason: string): void;
  readonly perMessageDeflate: false;
  readonly maxPayloadLength: number;
  readonly backpressureLimit: number;
}

/** The highest limit that Bun takes, for what needs none: it drops what exceeds a limit, which ends a sealed connection. */
const BUN_NO_LIMIT = 2 ** 31 - 1;

/**
 * The handlers of `Bun.serve({ fetch, websocket })`: every connection that `server.upgrade()` accepts becomes a secure one.
 *
 * @param connected called with each secure socket, CONNECTING still, and with Bun's own, for its `data` and address;
 *   nothing else may read from that one or write to it
 * @param options for every connection, or a function that gives them for one
 * @throws {TypeError | RangeError} for an option that is unknown or wrong; from a function's options inside the handler `open`
 */
export function bunHandlers<Data = undefined>(
  connected: (socket: ServerSocket, accepted: BunServerWebSocket<Data>) => void,
  options: ServerSocketOptions | ((accepted: BunServerWebSocket<Data>) => WrapOptions) = {},
): BunHandlers<Data> {
  const where = 'bunHandlers';
  if (typeof connected !== 'function') {
    throw new TypeError(`${where}: the first argument must be a function, got ${described(connected)}`);
  }
  const optionsFor = typeof options === 'function' ? options : (): WrapOptions => options;
  const fixed = typeof options === 'function' ? {} : options;
  if (Object.hasOwn(fixed, 'request'))
    throw new TypeError(`${where}: option 'request' is one connection's: give a function of it`);
  const { maxPayload } = socketConfig(where, fixed).limits;
  const sockets = new (weakMapClass())<object, BunSocket>();
  return {
    open(accepted) {
      const socket = new BunSocket(accepted);
      sockets.set(accepted, socket);
      let secure: ServerSocket;
      try {
        secure = wrapServerSocket(socket, optionsFor(accepted));
      } catch (error) {
        accepted.terminate();
        throw error;
      }
      connected(secure, accepted);
    },
    message(accepted, message) {
      sockets.get(accepted)?.dispatch('message', { data: message });
    },
    close(accepted, code, reason) {
      sockets.get(accepted)?.dispatch('close', { code, reason });
    },
    perMessageDeflate: false,
    maxPayloadLength: transportMaxPayload(maxPayload) || BUN_NO_LIMIT,
    backpressureLimit: BUN_NO_LIMIT,
  };
}
