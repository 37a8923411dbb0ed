import assert from 'node:assert/strict';
import { runClient } from '../../../examples/nest/client.js';
import { startServer } from '../../../examples/nest/server.js';
import { open, refusesPlain } from '../shared/server-cases.js';

export default {
  library: '@nestjs/platform-ws',
  with: ['@nestjs/core', '@nestjs/websockets'],
  page: 'nest',
  side: 'server',
  plug: [
    'create(port, options) { return secureServer(super.create(port, options)); } // in a class that extends WsAdapter',
  ],
  words: ['"event"', 'see you'],
  start: () => startServer(0),
  cases: {
    async 'the example: a message, its answer, a close'({ url, secret }) {
      const text = secret('nest');
      assert.deepEqual(await runClient(url, text), [{ event: 'said', data: text }, '4000 see you']);
    },
    async 'ten clients at once'({ url, secret }) {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const { socket, next, closed } = open(`${url}/chat`);
          const data = secret('crowd');
          socket.send(JSON.stringify({ event: 'say', data }));
          assert.deepEqual(JSON.parse(await next()), { event: 'said', data });
          socket.close(1000, secret('done'));
          await closed;
        }),
      );
    },
    async 'another path opens nothing'({ url }) {
      assert.equal((await open(`${url}/nowhere`).closed).code, 1006);
    },
    ...refusesPlain('/chat'),
    async 'the application ends, and its sockets with it'({ openTap }) {
      const other = await startServer(0);
      const tap = await openTap(other.port);
      const { opened, closed } = open(`${tap.url}/chat`);
      await opened;
      await other.close();
      await closed;
    },
  },
};
