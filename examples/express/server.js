// Express, and a WebSocket server beside it on the same port: the upgrade goes through Express's own middleware first.
import { createServer, ServerResponse } from 'node:http';
import express from 'express';
import { WebSocketServer } from 'pq-websocket/ws'; // was: from 'ws'

export async function startServer(port = 8080) {
  const app = express();
  const sockets = new WebSocketServer({ noServer: true });
  const identify = (request, response, next) => {
    if (request.get('authorization') === 'Bearer wrong') response.status(401).end('Who are you?');
    else next();
  };
  app.get('/', (_request, response) => response.send('A page'));
  app.get('/chat', identify, (request, response) => {
    if (request.head === undefined) {
      response.status(426).end();
      return;
    }
    response.detachSocket(request.socket);
    sockets.handleUpgrade(request, request.socket, request.head, (secure) =>
      sockets.emit('connection', secure, request),
    );
  });
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      if (String(data) === 'bye') socket.close(4000, 'see you');
      else socket.send(data, { binary: isBinary });
    });
  });
  const server = createServer(app);
  server.on('upgrade', (request, socket, head) => {
    request.head = head;
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => socket.end());
    app(request, response);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { port: server.address().port, close: () => server.close() };
}
