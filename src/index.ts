/**
 * `pq-websocket`: a drop-in for the standard WebSocket whose messages stay secret after quantum computers arrive.
 * @module pq-websocket
 */
import { withAdditions } from './dom/additions.ts';
import type { PQWebSocketConstructor, PQWebSocketInstance } from './api/socket-types.ts';

/**
 * `new PQWebSocket(url, protocols?, options?)`: every member, event, exception and ordering of the standard's
 * WebSocket. Everything that the application says is sealed with AES-256-GCM under a key agreed with ML-KEM-768.
 */
export const PQWebSocket: PQWebSocketConstructor = withAdditions();
export type PQWebSocket = PQWebSocketInstance;

export default PQWebSocket;
export { PQWebSocketError } from './api/errors.ts';
export type { PQErrorCode } from './api/errors.ts';
export type { PQWebSocketAdditions, PQWebSocketConstructor, PQWebSocketInstance } from './api/socket-types.ts';
export type {
  AttestationContext,
  Bytes,
  ChannelCounters,
  ChannelOptions,
  ClientAuthenticationOptions,
  PaddingOption,
  PQChannel,
  PQWebSocketOptions,
  Profile,
  RekeyOptions,
  ServerKey,
  TransportOptions,
} from './api/types.ts';
