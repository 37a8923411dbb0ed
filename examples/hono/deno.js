// deno run --allow-net examples/hono/deno.js
import { defineWebSocketHelper } from 'hono/ws';
import { wrapServerSocket } from 'pq-websocket/server';
import { createApp } from './app.js';
import { bindEvents } from './events.js';

const upgradeWebSocket = defineWebSocketHelper((c, events) => {
  if (c.req.header('upgrade') !== 'websocket') return;
  const { response, socket } = Deno.upgradeWebSocket(c.req.raw);
  bindEvents(wrapServerSocket(socket), events, c.req.url);
  return response;
});

Deno.serve(
  {
    port: Number(Deno.env.get('PORT') ?? 8080),
    hostname: '127.0.0.1',
    onListen: ({ port }) => console.log(`PORT ${port}`),
  },
  createApp(upgradeWebSocket).fetch,
);
