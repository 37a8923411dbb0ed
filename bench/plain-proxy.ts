/** What somebody writes who needs no gateway, with plain npm `ws` in and out: what the gateway is measured against. */
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';

/** As the gateway's `bufferedBytes`. */
const HIGH_WATER = 1024 * 1024;

/**
 * @param upstreamOf where a path leads to
 * @returns the URL that it serves
 */
export async function plainProxy(upstreamOf: (path: string) => string): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false, backlog: 4096 });
  server.on('connection', (client, request) => {
    const path = request.url ?? '/';
    const target = new WebSocket(upstreamOf(path) + path, { perMessageDeflate: false });
    client.pause();
    target.on('open', () => {
      client.resume();
    });
    const pass = (from: WebSocket, to: WebSocket): void => {
      from.on('message', (data, isBinary) => {
        to.send(data, { binary: isBinary });
        if (to.bufferedAmount < HIGH_WATER || from.isPaused) return;
        from.pause();
        to.ping(undefined, undefined, () => {
          from.resume();
        });
      });
      from.on('close', () => {
        to.close();
      });
    };
    pass(client, target);
    pass(target, client);
  });
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}`;
}
