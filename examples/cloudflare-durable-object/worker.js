/**
 * A chat room as a Durable Object: whoever opens `wss://…/room/<name>` gets what the others in that room say. Cloudflare's edge
 * ends the TLS connection and sees sealed frames; they are opened here, in the object.
 */
import { wrapServerSocket } from 'pq-websocket/server';

export class Room {
  /** Sockets whose clients have proved themselves live. */
  #members = new Set();

  /** @param {Request} request */
  fetch(request) {
    if (request.headers.get('Upgrade') !== 'websocket') return new Response('expected a WebSocket', { status: 426 });
    const { 0: client, 1: server } = new WebSocketPair();
    // Not state.acceptWebSocket(): an object that hibernates forgets its keys, and every connection would have to end.
    server.accept();
    this.#join(wrapServerSocket(server));
    return new Response(null, { status: 101, webSocket: client });
  }

  #join(socket) {
    socket.pq.finished.then(
      () => this.#members.add(socket),
      () => {},
    );
    socket.on('close', () => this.#members.delete(socket));
    socket.on('message', (data, isBinary) => {
      for (const member of this.#members) if (member !== socket) member.send(data, { binary: isBinary });
    });
  }
}

export default {
  /** @param {Request} request */
  fetch(request, env) {
    const [, room] = /^\/room\/([\w-]{1,64})$/.exec(new URL(request.url).pathname) ?? [];
    if (room === undefined) return new Response('no such room', { status: 404 });
    return env.ROOMS.get(env.ROOMS.idFromName(room)).fetch(request);
  },
};
