import { runClient } from '../../../examples/hono/client.js';
import { startServer } from '../../../examples/hono/server.js';
import { serverCases } from '../shared/server-cases.js';

export default {
  library: '@hono/node-ws',
  with: ['hono', '@hono/node-server'],
  page: 'hono',
  side: 'server',
  plug: ['secureServer(wss) // of createNodeWebSocket({ app })'],
  words: ['see you'],
  start: () => startServer(0),
  cases: serverCases('/chat', runClient),
};
