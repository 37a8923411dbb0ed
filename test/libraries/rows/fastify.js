import assert from 'node:assert/strict';
import { runClient } from '../../../examples/fastify/client.js';
import { startServer } from '../../../examples/fastify/server.js';
import { open, serverCases } from '../shared/server-cases.js';

export default {
  library: '@fastify/websocket',
  with: ['fastify'],
  page: 'fastify',
  side: 'server',
  plug: ['secureServer(app.websocketServer)'],
  words: ['see you'],
  start: () => startServer(0),
  cases: {
    ...serverCases('/chat', runClient),
    async 'a path without a WebSocket route opens none'({ url }) {
      const { closed } = open(`${url}/nowhere`);
      assert.equal((await closed).code, 1006);
    },
    async 'the application ends, and its sockets with it'({ openTap }) {
      const other = await startServer(0);
      const tap = await openTap(other.port);
      const { opened, closed } = open(`${tap.url}/chat`);
      await opened;
      await other.close();
      assert.equal((await closed).wasClean, true);
    },
  },
};
