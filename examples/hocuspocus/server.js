// Hocuspocus, a Yjs backend with authentication, given sealed sockets.
import { Hocuspocus } from '@hocuspocus/server';
import { WebSocketServer } from 'pq-websocket/ws';

export function startServer(port = 8080, options = {}) {
  const hocuspocus = new Hocuspocus({ quiet: true, ...options });
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  server.on('connection', (socket, request) => {
    const connection = hocuspocus.handleConnection(socket, new Request(`ws://${request.headers.host}${request.url}`));
    socket.on('message', (data) => connection.handleMessage(new Uint8Array(data)));
    socket.on('close', (code, reason) => connection.handleClose({ code, reason: String(reason) }));
  });
  return new Promise((resolve) => {
    server.once('listening', () =>
      resolve({ port: server.address().port, hocuspocus, server, close: () => server.close() }),
    );
  });
}
