/** The server's half in Deno: Deno.serve and Deno.upgradeWebSocket. */
import { wrapServerSocket } from 'pq-websocket/server';
import { optionsFor, serve } from '../suite/server.ts';

declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen(address: { port: number }): void },
    handler: (request: Request) => Response,
  ): unknown;
  upgradeWebSocket(request: Request): { socket: WebSocket; response: Response };
};

const onListen = ({ port }: { port: number }): void => {
  console.log(`PORT ${port}`);
};
Deno.serve({ hostname: '127.0.0.1', port: 0, onListen }, (request) => {
  if (request.headers.get('upgrade') !== 'websocket') return new Response('expected a WebSocket', { status: 426 });
  const { socket, response } = Deno.upgradeWebSocket(request);
  serve(wrapServerSocket(socket, optionsFor(new URL(request.url).pathname)), request.url);
  return response;
});
