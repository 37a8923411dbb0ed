import assert from 'node:assert/strict';
import { WebSocket } from 'pq-websocket/ws';
import { runClient } from '../../../examples/express/client.js';
import { startServer } from '../../../examples/express/server.js';
import { open, serverCases } from '../shared/server-cases.js';

export default {
  library: 'express',
  page: 'express',
  side: 'server',
  plug: ["sockets.handleUpgrade(request, socket, head, (secure) => sockets.emit('connection', secure, request))"],
  words: ['see you'],
  start: () => startServer(0),
  cases: {
    ...serverCases('/chat', runClient),
    async 'Express’s middleware refuses an upgrade'({ url }) {
      const client = new WebSocket(`${url}/chat`, { headers: { authorization: 'Bearer wrong' } });
      const status = await new Promise((resolve) => {
        client.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      });
      assert.equal(status, 401);
    },
    async 'a route that is none answers 404, and pages stay pages'({ url }) {
      assert.equal((await open(`${url}/nowhere`).closed).code, 1006);
      const http = url.replace('ws:', 'http:');
      assert.equal(await (await fetch(http)).text(), 'A page');
      assert.equal((await fetch(`${http}/chat`)).status, 426);
    },
  },
};
