/** From a constructor's arguments to a secure socket whose events go to `face`: what PQWebSocket and PQWebSocketStream stand on. */
import { attachTransport } from '#attach';
import type { ConnectionParts } from '../connection/connection.ts';
import type { SocketFace } from '../connection/secure-socket.ts';
import { SecureSocket } from '../connection/secure-socket.ts';
import { createClientSession } from '../protocol/client-session.ts';
import { openTransport } from './open-transport.ts';

const CLIENT_PARTS: ConnectionParts = { createSession: createClientSession, attachTransport, server: undefined };

export interface OpenedSocket {
  readonly url: string;
  readonly strict: boolean;
  readonly secure: SecureSocket<string>;
}

/**
 * @throws {DOMException} SyntaxError for a URL or subprotocols that the standard refuses
 * @throws {TypeError | RangeError} for an option that is unknown, or wrong where its check need not be loaded
 */
export function openSecure(url: unknown, protocols: unknown, options: unknown, face: SocketFace<string>): OpenedSocket {
  const { url: href, strict, ...underneath } = openTransport(url, protocols, options);
  return { url: href, strict, secure: new SecureSocket({ role: 'client', ...underneath }, face, CLIENT_PARTS) };
}

export type OpenSecure = typeof openSecure;
