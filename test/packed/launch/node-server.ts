/** The server's half in Node: `pq-websocket/ws` on one HTTP server, with a WebSocketServer for each path that has options. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'pq-websocket/ws';
import { PATH_OPTIONS, serve } from '../suite/server.ts';

const plain = new WebSocketServer({ noServer: true });
const byPath = Object.entries(PATH_OPTIONS).map(
  ([path, options]) => [path, new WebSocketServer({ noServer: true, ...options })] as const,
);
const servers = new Map(byPath);

const http = createServer();
http.on('upgrade', (request, socket, head) => {
  const url = request.url ?? '/';
  const server = servers.get(url) ?? plain;
  server.handleUpgrade(request, socket, head, (secure) => {
    serve(secure, url);
  });
});
http.listen(0, '127.0.0.1', () => {
  console.log(`PORT ${(http.address() as AddressInfo).port}`);
});
