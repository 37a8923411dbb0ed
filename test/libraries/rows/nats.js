import assert from 'node:assert/strict';
import { headers } from '@nats-io/nats-core';
import { connect, runClient } from '../../../examples/nats/client.js';
import { startServer } from '../../../examples/nats/server.js';
import { deferred, nextEnd } from '../shared/ends.js';

const QUICK = { reconnectTimeWait: 10, reconnectJitter: 1 };

/** Resolves at the next event of that name. */
async function status(connection, wanted) {
  for await (const { type } of connection.status()) if (type === wanted) return;
}

export default {
  library: '@nats-io/nats-core',
  page: 'nats',
  side: 'client',
  plug: ['wsconnect({ servers, wsFactory: async (url) => ({ socket: new PQWebSocket(url), encrypted: false }) })'],
  words: ['"max_payload"', 'CONNECT {', 'greet.'],
  start: () => startServer(0),
  cases: {
    async 'the example: a request and its answer'({ url, secret }) {
      const text = secret('question');
      assert.deepEqual(await runClient(url, text), [`greet.world: ${text}`]);
    },
    async 'bytes, headers, wildcards and a queue group'({ url, secret }) {
      const connection = await connect(url);
      const subject = secret('subject');
      const all = deferred();
      connection.subscribe(`${subject}.>`, { callback: (_error, message) => all.resolve(message) });
      let shared = 0;
      for (let i = 0; i < 3; i += 1)
        connection.subscribe(`${subject}.*`, { queue: 'workers', callback: () => (shared += 1) });
      const bytes = new TextEncoder().encode(`\0\r\n${secret('bytes')}`);
      const marked = headers();
      marked.set('mark', secret('header'));
      connection.publish(`${subject}.a`, bytes, { headers: marked });
      const message = await all.promise;
      assert.deepEqual(message.data, bytes);
      assert.equal(message.headers.get('mark'), marked.get('mark'));
      await connection.flush();
      assert.equal(shared, 1);
      await connection.close();
    },
    async 'a cut: it connects again, and its subscriptions with it'({ url, tap, secret }) {
      const connection = await connect(url, QUICK);
      const subject = secret('subject');
      const heard = deferred();
      connection.subscribe(subject, { callback: (_error, message) => heard.resolve(message.string()) });
      await connection.flush();
      const again = status(connection, 'reconnect');
      tap.connections.at(-1).cut();
      await again;
      const text = secret('after');
      connection.publish(subject, text);
      assert.equal(await heard.promise, text);
      await connection.close();
    },
    async 'a drain closes cleanly'({ url, server }) {
      const end = nextEnd(server.server);
      const connection = await connect(url);
      await connection.drain();
      assert.equal(await connection.closed(), undefined);
      assert.notEqual(await end, 1006);
    },
  },
};
