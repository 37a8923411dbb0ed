// Yjs documents, shared by y-websocket's server over sealed WebSockets.
import { createServer } from 'node:http';
import { setupWSConnection } from '@y/websocket-server/utils';
import { WebSocketServer } from 'pq-websocket/ws'; // was: from 'ws'

export async function startServer(port = 8080) {
  const httpServer = createServer();
  const server = new WebSocketServer({ noServer: true });
  server.on('connection', setupWSConnection);
  httpServer.on('upgrade', (request, socket, head) => {
    server.handleUpgrade(request, socket, head, (secure) => server.emit('connection', secure, request));
  });
  await new Promise((resolve) => httpServer.listen(port, '127.0.0.1', resolve));
  return { port: httpServer.address().port, server, close: () => httpServer.close() };
}
