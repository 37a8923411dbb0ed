import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/reconnecting-websocket/client.js';
import { startServer } from '../../../examples/reconnecting-websocket/server.js';
import { reconnectingCases } from '../shared/reconnecting-cases.js';

export default {
  library: 'reconnecting-websocket',
  page: 'reconnecting-websocket',
  side: 'client',
  plug: ['new ReconnectingWebSocket(url, protocols, { WebSocket: PQWebSocket })'],
  words: ['see you'],
  start: () => startServer(0),
  cases: {
    async 'the example'({ url, secret }) {
      const text = secret('again');
      assert.deepEqual(await runClient(url, text), [text, 'back']);
    },
    ...reconnectingCases(connect),
  },
};
