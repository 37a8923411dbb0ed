// workerd serve examples/hono/workerd.capnp, or wrangler dev
import { defineWebSocketHelper } from 'hono/ws';
import { wrapServerSocket } from 'pq-websocket/server';
import { createApp } from './app.js';
import { bindEvents } from './events.js';

const upgradeWebSocket = defineWebSocketHelper((c, events) => {
  if (c.req.header('upgrade') !== 'websocket') return;
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  bindEvents(wrapServerSocket(server), events, c.req.url);
  return new Response(null, { status: 101, webSocket: client });
});

export default createApp(upgradeWebSocket);
