// A server whose peers never prove themselves, and what they cost it. JavaScript, since Node 20 reads no TypeScript.
import { readFileSync } from 'node:fs';
import { WebSocketServer } from 'pq-websocket/ws';

const identity = process.argv[2] === 'identity' ? new Uint8Array(32).fill(7) : undefined;
const server = new WebSocketServer({
  port: 0,
  host: '127.0.0.1',
  backlog: 4_096,
  handshakeTimeout: 600_000,
  maxPendingHandshakes: 1_000_000,
  ...(identity && { identity }),
});
server.on('listening', () => {
  process.send?.({ port: server.address().port });
});
process.on('message', () => {
  globalThis.gc?.();
  const pages = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]);
  const { user, system } = process.cpuUsage();
  process.send?.({ rss: pages * 4_096, processor: user + system });
});
