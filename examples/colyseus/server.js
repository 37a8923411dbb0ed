// A Colyseus server with one kind of room, whose transport's `ws` server is secured.
import { createServer } from 'node:http';
import { Room, Server } from '@colyseus/core';
import { schema, t } from '@colyseus/schema';
import { WebSocketTransport } from '@colyseus/ws-transport';
import { secureServer } from 'pq-websocket/ws';

const RECONNECT_SECONDS = 20;
const Seat = schema({ name: t.string() });
const Table = schema({ seats: t.map(Seat) });

class TableRoom extends Room {
  state = new Table();

  onCreate() {
    this.onMessage('say', (client, text) => {
      this.broadcast('said', { name: this.state.seats.get(client.sessionId).name, text });
    });
    this.onMessageBytes('blob', (client, bytes) => client.sendBytes('blob', bytes));
  }

  onJoin(client, { name }) {
    this.state.seats.set(client.sessionId, new Seat().assign({ name }));
  }

  onDrop(client) {
    // Who does not come back in time is told of by onLeave.
    Promise.resolve(this.allowReconnection(client, RECONNECT_SECONDS)).catch(() => {});
  }

  onLeave(client) {
    this.state.seats.delete(client.sessionId);
  }
}

export async function startServer(port = 8080) {
  const httpServer = createServer();
  const transport = new WebSocketTransport({ server: httpServer });
  secureServer(transport.wss); // the line that is new
  const game = new Server({ transport, greet: false, gracefullyShutdown: false });
  game.define('table', TableRoom);
  await game.listen(port, '127.0.0.1');
  return { port: httpServer.address().port, game, server: transport.wss, close: () => game.gracefullyShutdown(false) };
}
