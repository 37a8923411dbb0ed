/** Servers of every library whose sockets `wrapServerSocket` takes, each as what it accepts an upgrade with. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import Faye from 'faye-websocket';
import { onTestFinished } from 'vitest';
import { server as WebSocketNodeServer } from 'websocket';
import { WebSocketServer as Ws8 } from 'ws';
import { Server as Ws6 } from 'ws-6';
import { Server as Ws7 } from 'ws-7';
import { WebSocketServer as Ws80 } from 'ws-8.0';
import { wrapServerSocket } from '../../src/server.ts';
import type { ServerSocket } from '../../src/server.ts';

type Accept = (request: IncomingMessage, network: Duplex, head: Buffer, accepted: (socket: object) => void) => void;
interface PlainServer {
  handleUpgrade(request: IncomingMessage, network: Duplex, head: Buffer, accepted: (socket: object) => void): void;
}

function byWs(Server: new (options: { noServer: true }) => PlainServer): Accept {
  const server = new Server({ noServer: true });
  return (request, network, head, accepted) => {
    server.handleUpgrade(request, network, head, accepted);
  };
}

export const SHAPES: Readonly<Record<string, () => Accept>> = {
  'ws 8': () => byWs(Ws8),
  'ws 8.0': () => byWs(Ws80),
  'ws 7': () => byWs(Ws7),
  'ws 6': () => byWs(Ws6),
  'faye-websocket': () => (request, network, head, accepted) => {
    accepted(new Faye(request, network, head));
  },
  websocket: () => {
    const server = new WebSocketNodeServer();
    // Its defaults are 64 KiB a frame and 1 MiB a message.
    server.mount({ httpServer: createServer(), maxReceivedFrameSize: 2 ** 20, maxReceivedMessageSize: 2 ** 20 });
    return (request, network, head, accepted) => {
      server.once('request', (asked: { accept(protocol: null, origin: string): object }) => {
        accepted(asked.accept(null, ''));
      });
      server.handleUpgrade(request, network, head);
    };
  },
};

export interface ShapeServer {
  readonly port: number;
  readonly url: string;
}

/** Starts a server of that library. @param connected gets each socket, wrapped, in the turn in which it was accepted */
export async function startShape(
  name: string,
  connected: (socket: ServerSocket, network: Duplex) => void,
): Promise<ShapeServer> {
  const accept = (SHAPES[name] as () => Accept)();
  const networks = new Set<Duplex>();
  const server = createServer();
  server.on('upgrade', (request: IncomingMessage, network: Duplex, head: Buffer) => {
    networks.add(network);
    accept(request, network, head, (socket) => {
      connected(wrapServerSocket(socket), network);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    for (const network of networks) network.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `ws://127.0.0.1:${port}` };
}
