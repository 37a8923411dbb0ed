/**
 * The first that the script does: until it has run to its end, no socket of the page opens. What stops it half-way (a page that
 * has changed what JavaScript itself stands on) leaves that so. Nothing here can fail but for a global that cannot be written.
 */
const scope = globalThis as unknown as Record<string, unknown>;
const { WebSocket, WebSocketStream } = scope;
let hasStreams = WebSocketStream !== undefined;
try {
  // Before anything is put there: a named element is no property of the window's own.
  hasStreams = Object.hasOwn(scope, 'WebSocketStream');
} catch {
  // The page has changed that too: closed all the same.
}
let reason = 'pq-websocket: its script did not run to its end: no socket opens';

class Closed {
  static [brand: symbol]: object;

  constructor() {
    throw new DOMException(reason, 'SecurityError');
  }
}

function put(socket: unknown, stream: unknown): void {
  scope['WebSocket'] = socket;
  if (hasStreams) scope['WebSocketStream'] = stream;
}

put(Closed, Closed);
const { DOMException } = globalThis;

/** Puts back what was there, for who replaces it now. */
export function reopen(): void {
  put(WebSocket, WebSocketStream);
}

/**
 * Where a secure class was asked for and the asking cannot be understood, no socket opens at all.
 * @param message what each `new WebSocket` throws, a SecurityError
 */
export function close(message: string): void {
  reason = message;
  put(Closed, Closed);
  // What a page asks of the class that stands there, and another script of ours (dom/polyfill-install.ts).
  Closed[Symbol.for('pq-websocket')] = {
    __proto__: null,
    native: WebSocket,
    options: {},
    isProtected: () => false,
    uninstall(): boolean {
      const isThere = scope['WebSocket'] === Closed;
      if (isThere) reopen();
      return isThere;
    },
  };
}
