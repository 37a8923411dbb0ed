/** `pq-websocket/ws` where there is no Node: it runs nowhere but there, and says so. */
function refuse(): never {
  throw new Error(
    "'pq-websocket/ws' does not work in the browser. Browser clients use PQWebSocket from 'pq-websocket'.",
  );
}

export const WebSocket = refuse;
export const WebSocketServer = refuse;
export const Server = refuse;
export const secureServer = refuse;
export const createWebSocketStream = refuse;
export const Receiver = refuse;
export const Sender = refuse;
export const PerMessageDeflate = refuse;
export const extension = undefined;
export const subprotocol = undefined;
export default refuse;
