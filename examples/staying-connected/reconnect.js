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

/**
 * @param url or a function that gives one, also asynchronously
 * @param options of PQWebSocket: `serverKeys`, and a `heartbeat`, without which a connection that went silent looks alive
 * @param settings of partysocket
 */
export function stayConnected(url, options = {}, settings = {}) {
  const heartbeat = { interval: 20_000, timeout: 10_000 };
  const {
    minReconnectionDelay: least = 1000 + Math.random() * 4000,
    maxReconnectionDelay: most = 30_000,
    reconnectionDelayGrowFactor: growth = 1.3,
    ...others
  } = settings;
  let hurry = () => undefined;
  // Nothing can cut the library's own wait short, its `reconnect()` neither. So the wait is in what it asks for the URL.
  const urlInTime = async () => {
    const attempt = socket.retryCount;
    if (attempt > 0) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, Math.min(most, least * growth ** (attempt - 1)));
        hurry = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return typeof url === 'function' ? url() : url;
  };
  const socket = new PartySocket(urlInTime, undefined, {
    ...others,
    WebSocket: withOptions({ heartbeat, ...options }),
    minReconnectionDelay: 0,
  });
  // Not a word of truth about the network, but a reason to wait no longer for the next attempt. An open socket is left alone.
  const online = () => hurry();
  globalThis.addEventListener?.('online', online);
  return Object.assign(socket, {
    /** For good. */
    leave() {
      globalThis.removeEventListener?.('online', online);
      socket.close();
      hurry();
    },
  });
}
