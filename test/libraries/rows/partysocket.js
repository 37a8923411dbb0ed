import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/partysocket/client.js';
import { startServer } from '../../../examples/partysocket/server.js';
import { next, QUICK, reconnectingCases } from '../shared/reconnecting-cases.js';

export default {
  library: 'partysocket',
  page: 'partysocket',
  side: 'client',
  plug: ['new WebSocket(url, protocols, { WebSocket: PQWebSocket }) // of partysocket'],
  words: ['see you'],
  start: () => startServer(0),
  cases: {
    async 'the example'({ url, secret }) {
      const text = secret('party');
      assert.deepEqual(await runClient(url, text), [text]);
    },
    ...reconnectingCases(connect),
    async 'a URL provider that throws: an error event, and the next attempt'({ url, secret }) {
      let asked = 0;
      const socket = connect(
        () => {
          asked += 1;
          if (asked === 1) throw new Error('no token yet');
          return url;
        },
        undefined,
        QUICK,
      );
      const text = secret('after-the-throw');
      socket.send(text);
      assert.equal((await next(socket, 'message')).data, text);
      assert(asked >= 2);
      socket.close();
    },
    async 'a protocol provider that answers differently at each attempt'({ url, tap }) {
      let attempt = 0;
      const socket = connect(url, async () => `chat.v${++attempt}`, QUICK);
      await next(socket, 'open');
      assert.equal(socket.protocol, 'chat.v1');
      const again = next(socket, 'open');
      tap.connections.at(-1).cut();
      await again;
      assert.equal(socket.protocol, 'chat.v2');
      socket.close();
    },
  },
};
