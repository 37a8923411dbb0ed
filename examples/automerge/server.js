// A sync server of Automerge Repo, given sealed sockets.
import { Repo } from '@automerge/automerge-repo';
import { WebSocketServerAdapter } from '@automerge/automerge-repo-network-websocket';
import { WebSocketServer } from 'pq-websocket/ws'; // was: from 'ws'

export function startServer(port = 8080) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  // Clients get the documents that they ask for by address, and hear of no others.
  const repo = new Repo({ network: [new WebSocketServerAdapter(server)], sharePolicy: async () => false });
  return new Promise((resolve) => {
    server.once('listening', () => resolve({ port: server.address().port, server, repo, close: () => server.close() }));
  });
}
