// crossws on Node, given a server of ours.
import { createServer } from 'node:http';
import nodeAdapter from 'crossws/adapters/node';
import { WebSocketServer } from 'pq-websocket/ws';

export async function startServer(port = 8080, options = {}) {
  const ws = nodeAdapter({
    wss: new WebSocketServer({ noServer: true, handleProtocols: () => false }), // the line that is new
    hooks: {
      open: (peer) => peer.subscribe('everybody'),
      message(peer, message) {
        const text = message.text();
        if (text === 'bye') peer.close(4000, 'see you');
        else if (text.startsWith('all: ')) peer.publish('everybody', text);
        else peer.send(message.rawData);
      },
    },
    ...options,
  });
  const server = createServer((_request, response) => response.end('A page'));
  server.on('upgrade', ws.handleUpgrade);
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { port: server.address().port, ws, close: () => server.close() };
}
