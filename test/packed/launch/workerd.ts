/** Both halves in workerd: an upgrade is a connection to the server, `/run` runs the client's half and answers with its report. */
import { PQWebSocket } from 'pq-websocket';
import { wrapServerSocket } from 'pq-websocket/server';
import { PQWebSocketStream, WebSocketError } from 'pq-websocket/stream';
import { runSuite } from '../suite/client.ts';
import type { Environment } from '../suite/client.ts';
import { optionsFor, serve } from '../suite/server.ts';

const CLASSES = { PQWebSocket, PQWebSocketStream, WebSocketError };

declare const WebSocketPair: new () => { 0: WebSocket; 1: WebSocket & { accept(): void } };

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.headers.get('upgrade') === 'websocket') {
      const { 0: client, 1: server } = new WebSocketPair();
      server.accept();
      serve(wrapServerSocket(server, optionsFor(new URL(request.url).pathname)), request.url);
      return new Response(null, { status: 101, webSocket: client } as ResponseInit);
    }
    return Response.json(await runSuite(CLASSES, (await request.json()) as Environment));
  },
};
