/** The control: a search that finds nothing proves something only if it finds a plain WebSocket's plaintext. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { startTap } from './tap.ts';
import { WireSearch } from './wire-search.ts';

/** Sends the marker over a plain WebSocket and back, through a tap. True if the search finds it in both directions. */
export async function controlFinds(marker: string): Promise<boolean> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data as Buffer)));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const wire = new WireSearch();
  const { port } = http.address() as AddressInfo;
  const tap = await startTap(
    { host: '127.0.0.1', port },
    {
      bytes: (direction, bytes) => wire.bytes(direction, bytes),
      frame: (direction, frame) => wire.frame(direction, frame),
    },
  );
  try {
    const client = new WebSocket(`ws://127.0.0.1:${String(tap.port)}/`);
    await new Promise((resolve, reject) => {
      client.on('error', reject);
      client.on('open', () => client.send(marker));
      client.on('message', resolve);
    });
    client.terminate();
    const found = wire.find(marker);
    return found.includes('unmasked payloads, out') && found.includes('raw bytes, in');
  } finally {
    await tap.close();
    sockets.close();
    http.close();
    http.closeAllConnections();
  }
}
