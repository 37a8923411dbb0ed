// Fastify with @fastify/websocket, which makes npm ws's server itself.
import websocket from '@fastify/websocket';
import Fastify from 'fastify';
import { secureServer } from 'pq-websocket/ws';

export async function startServer(port = 8080, options = {}) {
  const app = Fastify();
  await app.register(websocket);
  secureServer(app.websocketServer, options); // the line that is new
  app.get('/chat', { websocket: true }, (socket) => {
    socket.on('message', (data, isBinary) => {
      if (String(data) === 'bye') socket.close(4000, 'see you');
      else socket.send(data, { binary: isBinary });
    });
  });
  await app.listen({ port, host: '127.0.0.1' });
  return { port: app.server.address().port, app, close: () => app.close() };
}
