// JSON-RPC with notifications: rpc-websockets, which makes npm ws's server itself.
import { Server } from 'rpc-websockets';
import { secureServer } from 'pq-websocket/ws';

export function startServer(port = 8080) {
  const rpc = new Server({ port, host: '127.0.0.1' });
  secureServer(rpc.wss); // the line that is new
  rpc.register('sum', ([a, b]) => a + b);
  rpc.register('echo', ([text]) => text);
  rpc.event('news');
  return new Promise((resolve) => {
    rpc.once('listening', () => resolve({ port: rpc.wss.address().port, rpc, close: () => rpc.close() }));
  });
}
