/** The server's half in Bun: Bun.serve and its handlers. */
import { bunHandlers } from 'pq-websocket/server';
import type { BunHandlers } from 'pq-websocket/server';
import { optionsFor, serve } from '../suite/server.ts';

interface Accepted {
  readonly url: string;
}

declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    fetch(
      request: Request,
      server: { upgrade(request: Request, options: { data: Accepted }): boolean },
    ): Response | undefined;
    websocket: BunHandlers<Accepted>;
  }): { port: number };
};

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, upgrader) {
    if (upgrader.upgrade(request, { data: { url: request.url } })) return undefined;
    return new Response('expected a WebSocket', { status: 426 });
  },
  websocket: bunHandlers<Accepted>(
    (socket, { data }) => {
      serve(socket, data.url);
    },
    ({ data }) => optionsFor(new URL(data.url).pathname),
  ),
});
console.log(`PORT ${server.port}`);
