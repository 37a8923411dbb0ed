import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from '../../../src/ws.ts';
import type { WsStyleWebSocket } from '../../../src/ws.ts';
import { echo } from './echo.ts';
import { answerOneRequest, echoYellowpages } from './echo-yellowpages.ts';
import type { PeerArguments } from './options.ts';
import { serverOptions } from './options.ts';

/** Starts the echo on 127.0.0.1. @param port 0 is any */
export async function listen(port: number, given: PeerArguments): Promise<{ port: number; stop(): Promise<void> }> {
  const server = new WebSocketServer({ port, host: '127.0.0.1', ...serverOptions(given) });
  const open = new Set<WsStyleWebSocket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    serve(socket, given.original === true);
  });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      for (const socket of open) socket.terminate();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

/** A server of both profiles knows by now which it is. */
function serve(socket: WsStyleWebSocket, original: boolean): void {
  if (socket.pq.profile === 'v1') echo(socket);
  else if (original) answerOneRequest(socket);
  else echoYellowpages(socket);
}
