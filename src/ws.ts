/**
 * `pq-websocket/ws`: drop-ins for npm `ws`, secure on both ends.
 * @module
 */
import type { Duplex, DuplexOptions } from 'node:stream';
import { createWebSocketStream as createPlainStream } from 'ws';
import type { WsStyleWebSocket } from './socket-types.ts';
import { WebSocket as SecureClient } from './ws/client.ts';
import type { WebSocketOptions } from './ws/client.ts';
import { WebSocketServer } from './ws/server.ts';

/** The class `WebSocket`, as npm `ws` declares its own. */
export interface WebSocketConstructor {
  /**
   * @param protocols subprotocols in the order of preference, or the options
   * @throws {DOMException} SyntaxError for a URL or subprotocols that the standard refuses
   * @throws {TypeError | RangeError} for an option that is unknown or wrong
   */
  new (address: string | URL, options?: WebSocketOptions): WsStyleWebSocket;
  new (address: string | URL, protocols?: string | string[], options?: WebSocketOptions): WsStyleWebSocket;
  readonly prototype: WsStyleWebSocket;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  readonly WebSocket: WebSocketConstructor;
  readonly WebSocketServer: typeof WebSocketServer;
  readonly Server: typeof WebSocketServer;
  readonly createWebSocketStream: typeof createWebSocketStream;
}

/** A drop-in for npm `ws`'s client. It queues what is sent while CONNECTING; otherwise it behaves the same. */
export const WebSocket: WebSocketConstructor = Object.assign(SecureClient, {
  WebSocketServer,
  Server: WebSocketServer,
  createWebSocketStream,
}) as unknown as WebSocketConstructor;
export type WebSocket = WsStyleWebSocket;
Object.assign(WebSocket, { WebSocket });

/**
 * A Duplex over a secure socket, with back-pressure both ways. What is written is sealed; what is read was.
 * @param options of the stream; `readableObjectMode` and the like as in npm `ws`
 */
export function createWebSocketStream(socket: object, options?: DuplexOptions): Duplex {
  return createPlainStream(socket as Parameters<typeof createPlainStream>[0], options);
}

export { WebSocketServer, WebSocketServer as Server };
export { secureServer } from './ws/secure-server.ts';
export type { PlainServer, SecureServerOptions } from './ws/secure-server.ts';
export type { WebSocketServerEvents } from './ws/server.ts';
export type { WebSocketServerOptions } from './ws/options.ts';
export type { WebSocketOptions } from './ws/client.ts';
export type { WsEvents, WsStyleWebSocket } from './socket-types.ts';
export { PQWebSocketError } from './protocol/errors.ts';
export type { PQErrorCode } from './protocol/errors.ts';
export type { ChannelOptions, FastOpenOptions, PQChannel, Profile } from './types.ts';
export default WebSocket;
