import assert from 'node:assert/strict';
import express from 'express';
import expressWs from 'express-ws';
import { PQWebSocket } from 'pq-websocket';
import { runClient } from '../../../examples/express-ws/client.js';
import { startServer } from '../../../examples/express-ws/server.js';
import { serverCases } from '../shared/server-cases.js';

export default {
  library: 'express-ws',
  with: ['express'],
  page: 'express',
  side: 'server',
  plug: ['secureServer(getWss())'],
  words: ['see you'],
  start: () => startServer(0),
  cases: {
    ...serverCases('/chat', runClient),
    async 'left plain, it opens to no client of ours, and what was queued never leaves'({ openTap, secret }) {
      const { app } = expressWs(express());
      app.ws('/chat', (socket) => socket.send('welcome, in clear'));
      const server = await new Promise((resolve) => {
        const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
      });
      // Not judged as a whole: the server is in clear.
      const tap = await openTap(server.address().port, false);
      const socket = new PQWebSocket(`${tap.url}/chat`);
      const text = secret('queued');
      socket.send(text);
      const heard = [];
      socket.onmessage = ({ data }) => heard.push(data);
      await new Promise((resolve) => {
        socket.onclose = resolve;
      });
      assert.deepEqual(heard, []);
      assert.equal(tap.connections[0].rawBytes('client').includes(text), false);
      server.close();
      await tap.close();
    },
  },
};
