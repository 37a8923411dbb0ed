// bun examples/hono/bun.js
import { defineWebSocketHelper } from 'hono/ws';
import { bunHandlers } from 'pq-websocket/server';
import { createApp } from './app.js';
import { bindEvents } from './events.js';

const upgradeWebSocket = defineWebSocketHelper((c, events) => {
  if (c.env.upgrade(c.req.raw, { data: { events, url: c.req.url } })) return new Response();
});

const app = createApp(upgradeWebSocket);
const server = Bun.serve({
  port: Number(process.env.PORT ?? 8080),
  hostname: '127.0.0.1',
  fetch: (request, bun) => app.fetch(request, bun),
  websocket: bunHandlers((socket, { data }) => bindEvents(socket, data.events, data.url)),
});
console.log(`PORT ${server.port}`);
