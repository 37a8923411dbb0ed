// The smallest server: it sends back what it hears, and says goodbye when asked.
import { WebSocketServer } from 'pq-websocket/ws'; // was: from 'ws'

export function startServer(port = 8080) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      if (String(data) === 'bye') socket.close(4000, 'see you');
      else socket.send(data, { binary: isBinary });
    });
  });
  return new Promise((resolve) => {
    server.once('listening', () => resolve({ port: server.address().port, server, close: () => server.close() }));
  });
}
