/**
 * `pq-websocket/ws`: drop-ins for npm `ws`, secure on both ends.
 * @module pq-websocket/ws
 */
import type { Duplex, DuplexOptions } from 'node:stream';
import * as plain from 'ws';
import type { WsStyleWebSocket } from './api/socket-types.ts';
import { WebSocket as SecureClient } from './ws/client.ts';
import type { WebSocketOptions } from './ws/client.ts';
import { refusedClass } from './ws/refused.ts';
import { WebSocketServer } from './ws/server.ts';
import { define } from './base/own-properties.ts';

const createPlainStream = plain.createWebSocketStream;
/** Exported by `ws`, and not in its types. */
const ws = plain as typeof plain & { extension: unknown; subprotocol: unknown };

/** The class `WebSocket` with all that stands on it but itself. */
interface WebSocketClass {
  /**
   * Subprotocols stand in the order of preference.
   * @throws {SyntaxError} for a URL or subprotocols that `ws` refuses
   * @throws {TypeError | RangeError} for an option that is unknown or wrong
   */
  new (address: string | URL, options?: WebSocketOptions): WsStyleWebSocket;
  new (address: string | URL, protocols?: string | string[], options?: WebSocketOptions): WsStyleWebSocket;
  readonly prototype: WsStyleWebSocket;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  readonly WebSocketServer: typeof WebSocketServer;
  readonly Server: typeof WebSocketServer;
  readonly createWebSocketStream: typeof createWebSocketStream;
  readonly Receiver: typeof Receiver;
  readonly Sender: typeof Sender;
  readonly PerMessageDeflate: typeof PerMessageDeflate;
  readonly extension: typeof extension;
  readonly subprotocol: typeof subprotocol;
}

/** The class `WebSocket`, as npm `ws` declares its own. */
export interface WebSocketConstructor extends WebSocketClass {
  readonly WebSocket: WebSocketConstructor;
}

/** Refused: it throws when it is constructed. What it would read is sealed. */
export const Receiver = refusedClass('Receiver', 'what it would read is sealed; listen to a socket instead');
/** Refused: it throws when it is constructed, and so does its `frame`. What it would write is not sealed. */
export const Sender = refusedClass('Sender', 'what it would write is not sealed; use send() of a socket');
/** Refused: it throws when it is constructed. Ciphertext does not compress. */
export const PerMessageDeflate = refusedClass('PerMessageDeflate', 'sealed frames are not compressed');

type Header = Record<string, Record<string, string | true>[]>;
/** `ws`'s reader and writer of the header Sec-WebSocket-Extensions. */
export const extension = ws.extension as {
  /** As in `ws`. @throws {SyntaxError} for a header that is none */
  parse(header: string): Header;
  /** As in `ws`. */
  format(extensions: object): string;
};
/** `ws`'s reader of the header Sec-WebSocket-Protocol. */
export const subprotocol = ws.subprotocol as {
  /** As in `ws`. @throws {SyntaxError} for a header that is none */
  parse(header: string): Set<string>;
};

const secure: WebSocketClass = Object.assign(SecureClient, {
  WebSocketServer,
  Server: WebSocketServer,
  createWebSocketStream,
  Receiver,
  Sender,
  PerMessageDeflate,
  extension,
  subprotocol,
});

/** A drop-in for npm `ws`'s client. It queues what is sent while CONNECTING; otherwise it behaves the same. */
export const WebSocket: WebSocketConstructor = Object.assign(secure, {
  // As in `ws`, where the class is what require() gives.
  WebSocket: secure as WebSocketConstructor,
});
export type WebSocket = WsStyleWebSocket;
// Libraries print them, and a bundler may rename what it bundles.
for (const [name, value] of Object.entries({ WebSocket, WebSocketServer, createWebSocketStream })) {
  define(value, 'name', { value: name, configurable: true });
}

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
export type { WsEvents, WsStyleWebSocket } from './api/socket-types.ts';
export { PQWebSocketError } from './api/errors.ts';
export type { PQErrorCode } from './api/errors.ts';
export type { ChannelOptions, FastOpenOptions, PQChannel, Profile } from './api/types.ts';
export default WebSocket;
