// express-ws has an npm ws of version 7 inside, which ignores every option that could change its sockets.
import express from 'express';
import expressWs from 'express-ws';
import { secureServer } from 'pq-websocket/ws';

export async function startServer(port = 8080) {
  const { app, getWss } = expressWs(express());
  secureServer(getWss()); // the line that is new
  app.ws('/chat', (socket) => {
    socket.on('message', (data, isBinary) => {
      if (String(data) === 'bye') socket.close(4000, 'see you');
      else socket.send(data, { binary: isBinary });
    });
  });
  const server = await new Promise((resolve) => {
    const listening = app.listen(port, '127.0.0.1', () => resolve(listening));
  });
  return { port: server.address().port, close: () => server.close() };
}
