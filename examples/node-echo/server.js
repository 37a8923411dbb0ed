import { WebSocketServer } from 'pq-websocket/ws'; // was: from 'ws'

const server = new WebSocketServer({ port: Number(process.env.PORT ?? 8080) });

server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on('listening', () => console.log(`ws://127.0.0.1:${server.address().port}`));
