// Connecting again by a library, partysocket: messages said meanwhile wait in it, those that were under way when the connection broke may
// be lost. Where none may be, see ./client.js.
import { WebSocket as PartySocket } from 'partysocket';
import { PQWebSocket } from 'pq-websocket';

/** The library makes sockets with a URL and subprotocols alone: the options are bound to the class. */
export const withOptions = (options) =>
  class extends PQWebSocket {
    constructor(url, protocols) {
      super(url, protocols, options);
    }
  };

/** @param options of PQWebSocket: `serverKeys`, and a `heartbeat`, without which a connection that went silent looks alive */
export function stayConnected(url, options = {}, settings = {}) {
  const heartbeat = { interval: 20_000, timeout: 10_000 };
  const socket = new PartySocket(url, undefined, { WebSocket: withOptions({ heartbeat, ...options }), ...settings });
  // Not a word of truth about the network, but no reason to wait for the next attempt either.
  const hurry = () => {
    if (socket.readyState !== PQWebSocket.OPEN) socket.reconnect();
  };
  globalThis.addEventListener?.('online', hurry);
  return Object.assign(socket, {
    /** For good. */
    leave() {
      globalThis.removeEventListener?.('online', hurry);
      socket.close();
    },
  });
}
