/**
 * The first that the script does: until it has run to its end, no socket of the page opens. What stops it half-way (a page that
 * has changed what JavaScript itself stands on) leaves that so. Nothing here can fail but for a global that cannot be written.
 */
const scope = globalThis as unknown as Record<string, unknown>;
const { WebSocket, WebSocketStream } = scope;

class Closed {
  constructor() {
    throw new Error('pq-websocket: its script did not run to its end, so that no socket opens');
  }
}

function put(socket: unknown, stream: unknown): void {
  if (WebSocket !== undefined) scope['WebSocket'] = socket;
  if (WebSocketStream !== undefined) scope['WebSocketStream'] = stream;
}

export function close(): void {
  put(Closed, Closed);
}

close();

/** Puts back what was there, for who replaces it now. */
export function reopen(): void {
  put(WebSocket, WebSocketStream);
}
