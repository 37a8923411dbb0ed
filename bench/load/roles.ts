/** The processes of the load test: the backend, the plain proxy, and the clients. */
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { plainProxy } from '../plain-proxy.ts';
import { Crowd } from './crowd.ts';
import type { Flood } from './floods.ts';
import { flood as floodWith, SINK } from './floods.ts';
import type { CrowdOrder } from './messages.ts';
import { annoy, FLOOD } from './nuisances.ts';

const FLOOD_BYTES = Buffer.alloc(64 * 1024, 1);
/** What waits for a reader who does not read is the backend's own affair, as in any server. */
const FLOOD_WATER = 1024 * 1024;

/** When it is asked anything, it says how many messages have come to where it says nothing. */
async function backend(): Promise<string> {
  let sunk = 0;
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false, backlog: 4096 });
  server.on('connection', (socket, { url }) => {
    socket.on('error', () => undefined);
    if (url === SINK) {
      socket.on('message', () => {
        sunk += 1;
      });
      return;
    }
    socket.on('message', (data, isBinary) => {
      if ((data as Buffer).toString() === FLOOD) flood();
      else socket.send(data, { binary: isBinary });
    });
    const flood = (): void => {
      if (socket.readyState !== socket.OPEN) return;
      while (socket.bufferedAmount < FLOOD_WATER) socket.send(FLOOD_BYTES);
      setTimeout(flood, 10);
    };
  });
  process.on('message', () => {
    process.send?.(sunk);
  });
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}`;
}

function crowd(kind: 'plain' | 'pq', url: string, size: number): void {
  const clients = new Crowd(kind, url, size);
  process.on('message', (order: CrowdOrder) => {
    const work = {
      open: () => clients.open(),
      talk: () => clients.talk(order.seconds ?? 1, order.rate ?? 1),
      close: () => clients.close(),
    };
    void work[order.type]().then((report) => process.send?.(report ?? {}));
  });
}

const [role, ...args] = process.argv.slice(2);
if (role === 'backend') process.send?.(await backend());
else if (role === 'plain-proxy') {
  const [upstream, sink] = args as [string, string];
  process.send?.(await plainProxy((path) => (path === SINK ? sink : upstream)));
} else if (role === 'crowd') crowd(args[0] as 'plain' | 'pq', args[1] as string, Number(args[2]));
else if (role === 'flood') {
  const stop = once(process, 'message').then(() => undefined);
  let isBegun = false;
  const begun = (): void => {
    if (!isBegun) process.send?.('begun');
    isBegun = true;
  };
  process.send?.(await floodWith(args[0] as 'plain' | 'pq', args[1] as Flood, args[2] as string, begun, stop));
} else if (role === 'nuisances')
  process.send?.(await annoy(args[0] as 'plain' | 'pq', args[1] as string, Number(args[2]), Number(args[3])));
