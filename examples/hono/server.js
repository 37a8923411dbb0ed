// Node, with @hono/node-ws, which makes npm ws's server itself.
import { serve } from '@hono/node-server';
import { createNodeWebSocket } from '@hono/node-ws';
import { Hono } from 'hono';
import { secureServer } from 'pq-websocket/ws';
import { createApp } from './app.js';

export function startServer(port = 8080) {
  const app = new Hono();
  const { injectWebSocket, upgradeWebSocket, wss } = createNodeWebSocket({ app });
  secureServer(wss); // the line that is new
  app.route('/', createApp(upgradeWebSocket));
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, ({ port: bound }) =>
      resolve({ port: bound, close: () => server.close() }),
    );
    injectWebSocket(server);
  });
}
