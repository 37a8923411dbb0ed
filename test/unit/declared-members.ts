/**
 * Compiled, never run: what `pq-websocket/ws` is declared to have, its classes have. The declarations are written by hand (types/ws.d.cts),
 * so the compiler ties them to the code here.
 */
import type Declared from '../../types/ws.d.cts';
import type { WebSocket, WebSocketServer } from '../../src/ws.ts';

type Missing<Theirs, Ours> = Exclude<keyof Theirs & string, keyof Ours>;

/** Each member that is missing would be a required property here. */
export const missing: {
  readonly ofSockets: Record<Missing<Declared, WebSocket>, never>;
  readonly ofServers: Record<Missing<Declared.WebSocketServer, WebSocketServer>, never>;
} = { ofSockets: {}, ofServers: {} };
