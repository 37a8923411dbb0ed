// tRPC over sealed WebSockets: queries, mutations and subscriptions.
import { EventEmitter, on } from 'node:events';
import { initTRPC, tracked, TRPCError } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { WebSocketServer } from 'pq-websocket/ws'; // was: from 'ws'

const { router, procedure } = initTRPC.create();
const text = (input) => {
  if (typeof input === 'string') return input;
  throw new TRPCError({ code: 'BAD_REQUEST', message: 'a text is needed' });
};

export function createRouter() {
  const posts = [];
  const news = new EventEmitter();
  return router({
    greet: procedure.input(text).query(({ input }) => `Hello, ${input}`),
    post: procedure.input(text).mutation(({ input }) => {
      posts.push(input);
      news.emit('post', posts.length);
      return posts.length;
    }),
    // Who comes back after a cut names the last post that it has seen, and misses none.
    posts: procedure
      .input((after) => after ?? {})
      .subscription(async function* ({ input, signal }) {
        const later = on(news, 'post', { signal });
        let seen = Number(input.lastEventId ?? 0);
        for (;;) {
          for (; seen < posts.length; seen++) yield tracked(String(seen + 1), posts[seen]);
          await later.next();
        }
      }),
  });
}

export function startServer(port = 8080, options = {}) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  const handler = applyWSSHandler({ wss: server, router: createRouter(), ...options });
  return new Promise((resolve) => {
    server.once('listening', () =>
      resolve({ port: server.address().port, server, handler, close: () => server.close() }),
    );
  });
}
