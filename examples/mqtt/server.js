// An MQTT broker, Aedes, whose clients come over sealed WebSockets.
import { createServer } from 'node:http';
import { Aedes } from 'aedes';
import { WebSocketServer, createWebSocketStream } from 'pq-websocket/ws'; // was: from 'ws'

export async function startServer(port = 8080) {
  const broker = await Aedes.createBroker();
  const httpServer = createServer();
  // A client with another subprotocol is no MQTT client.
  const server = new WebSocketServer({
    server: httpServer,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : false),
  });
  server.on('connection', (socket, request) => {
    broker.handle(createWebSocketStream(socket), request);
  });
  await new Promise((resolve) => httpServer.listen(port, '127.0.0.1', resolve));
  return {
    port: httpServer.address().port,
    broker,
    async close() {
      await new Promise((resolve) => broker.close(resolve));
      server.close();
      httpServer.close();
    },
  };
}
