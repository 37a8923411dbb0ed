// A chat with rooms: Socket.IO 4 with our server as its WebSocket engine.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { WebSocketServer } from 'pq-websocket/ws';

export async function startServer(port = 8080, options = {}) {
  const httpServer = createServer();
  const io = new Server(httpServer, {
    wsEngine: WebSocketServer, // was: nothing
    transports: ['websocket'], // HTTP long-polling is outside the seal: this option refuses it
    ...options,
  });
  io.on('connection', (socket) => {
    socket.on('join', (room, joined) => {
      socket.join(room);
      joined(`in ${room}`);
    });
    socket.on('say', (room, text) => io.to(room).emit('said', text));
    socket.on('echo', (data, answer) => answer(data));
  });
  await new Promise((resolve) => httpServer.listen(port, '127.0.0.1', resolve));
  return { port: httpServer.address().port, io, close: () => io.close() };
}
