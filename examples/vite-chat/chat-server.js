import { WebSocketServer } from 'pq-websocket/ws'; // was: from 'ws'

/** Whatever one says, all hear. */
export function attachChat(httpServer) {
  const server = new WebSocketServer({ noServer: true });
  httpServer.on('upgrade', (request, socket, head) => {
    if (request.url !== '/chat') return; // others are Vite's own
    server.handleUpgrade(request, socket, head, (secure) => {
      secure.on('message', (data) => {
        for (const each of server.clients) each.send(String(data));
      });
    });
  });
}
