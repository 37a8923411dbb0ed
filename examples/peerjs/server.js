// A PeerServer, whose sockets are sealed, and a page for it.
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { ExpressPeerServer } from 'peer';
import { WebSocketServer } from 'pq-websocket/ws';

const folderOf = (module) => path.dirname(fileURLToPath(import.meta.resolve(module)));

export async function startServer(port = 8080, options = {}) {
  const app = express();
  const httpServer = createServer(app);
  const peers = ExpressPeerServer(httpServer, {
    createWebSocketServer: (settings) => new WebSocketServer(settings),
    ...options,
  }); // the part that is new
  app.get('/', (_request, response) => response.sendFile(path.join(import.meta.dirname, 'index.html')));
  app.use('/pq-websocket', express.static(folderOf('pq-websocket/sri.json')));
  app.use('/peerjs', express.static(folderOf('peerjs')));
  app.use('/', peers);
  await new Promise((resolve) => httpServer.listen(port, '127.0.0.1', resolve));
  return {
    port: httpServer.address().port,
    peers,
    close() {
      httpServer.close();
      httpServer.closeAllConnections();
    },
  };
}
