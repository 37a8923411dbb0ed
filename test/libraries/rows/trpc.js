import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/trpc/client.js';
import { startServer } from '../../../examples/trpc/server.js';

/** Collects what a subscription says, and waits for it. */
function listen(trpc, input) {
  const heard = [];
  let look = () => undefined;
  const subscription = trpc.posts.subscribe(input, {
    onData: ({ data }) => {
      heard.push(data);
      look();
    },
  });
  const until = (text) =>
    new Promise((resolve) => {
      look = () => heard.includes(text) && resolve();
      look();
    });
  return { heard, until, subscription };
}

export default {
  library: '@trpc/server',
  with: ['@trpc/client'],
  page: 'trpc',
  side: 'client and server',
  plug: [
    'createWSClient({ url, WebSocket: PQWebSocket })',
    'applyWSSHandler({ wss: new WebSocketServer({ port }), router })',
  ],
  words: ['"method"', '"subscription"', '"result"', 'UNPROCESSABLE'],
  start: () => startServer(0, { keepAlive: { enabled: true, pingMs: 50, pongWaitMs: 2_000 } }),
  cases: {
    async 'the example: a query, a mutation, a subscription'({ url, secret }) {
      const text = secret('post');
      assert.deepEqual(await runClient(url, text), [`Hello, ${text}`, text]);
    },
    async 'errors carry their code and message'({ url }) {
      const { socket, trpc } = connect(url);
      await assert.rejects(
        trpc.greet.query(7),
        ({ data, message }) => data.code === 'BAD_REQUEST' && message === 'a text is needed',
      );
      await socket.close();
    },
    async 'many queries at once come back to who asked'({ url, secret }) {
      const { socket, trpc } = connect(url);
      const texts = Array.from({ length: 50 }, () => secret('many'));
      assert.deepEqual(
        await Promise.all(texts.map((text) => trpc.greet.query(text))),
        texts.map((text) => `Hello, ${text}`),
      );
      await socket.close();
    },
    async 'connection parameters, the first message, are sealed'({ url, secret }) {
      const { socket, trpc } = connect(url, { connectionParams: () => ({ token: secret('token') }) });
      assert.match(await trpc.greet.query('you there'), /you there/);
      await socket.close();
    },
    async 'a subscription goes on after a cut, and misses nothing'({ url, tap, secret }) {
      const { socket, trpc } = connect(url, { retryDelayMs: () => 10 });
      const other = connect(url);
      const { heard, until, subscription } = listen(trpc);
      const texts = [secret('before'), secret('during'), secret('after')];
      await other.trpc.post.mutate(texts[0]);
      await until(texts[0]);
      const from = heard.length;
      // The subscriber's connection was the first of the two.
      tap.connections.at(-2).cut();
      await other.trpc.post.mutate(texts[1]);
      await until(texts[1]);
      await other.trpc.post.mutate(texts[2]);
      await until(texts[2]);
      assert.deepEqual(heard.slice(from), texts.slice(1));
      subscription.unsubscribe();
      await Promise.all([socket.close(), other.socket.close()]);
    },
    async 'the client’s keep-alive (PING, PONG as texts) keeps the connection'({ url, server }) {
      const { socket, trpc } = connect(url, { keepAlive: { enabled: true, intervalMs: 30, pongTimeoutMs: 2_000 } });
      await trpc.greet.query('who waits');
      const pings = await new Promise((resolve) => {
        let count = 0;
        for (const client of server.server.clients)
          client.on('message', (data) => {
            if (String(data) === 'PING' && ++count === 3) resolve(count);
          });
      });
      assert.equal(pings, 3);
      assert.match(await trpc.greet.query('who waited'), /who waited/);
      await socket.close();
    },
    async 'the server asks everybody to come again, and they do'({ url, server, secret }) {
      const { socket, trpc } = connect(url, { retryDelayMs: () => 10 });
      const { until, subscription } = listen(trpc);
      const first = secret('first');
      await trpc.post.mutate(first);
      await until(first);
      const again = new Promise((resolve) => {
        server.server.once('connection', resolve);
      });
      server.handler.broadcastReconnectNotification();
      await again;
      const text = secret('again');
      await trpc.post.mutate(text);
      await until(text);
      subscription.unsubscribe();
      await socket.close();
    },
  },
};
