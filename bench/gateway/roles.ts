/** The processes of `npm run bench:gateway`: the backend, a proxy of each kind, and the client. */
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { plainProxy } from '../plain-proxy.ts';
import { KINDS } from './kinds.ts';
import type { Kind, Proxy, Round } from './kinds.ts';

/** @param expected whose cryptography it has to be */
async function secureSocket(url: string, expected: Proxy['backend']): Promise<WebSocket> {
  const { WebSocket: SecureSocket } = await import('pq-websocket/ws');
  const socket = new SecureSocket(url);
  await once(socket, 'open');
  const { backend: found } = socket.pq;
  if (found !== expected) throw new Error(`cryptography of ${String(found)} in place of ${String(expected)}`);
  return socket as unknown as WebSocket;
}

async function plainSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
}

async function backend(): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
  });
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}`;
}

async function gateway(upstream: string, cryptography: Proxy['backend']): Promise<string> {
  const { startGateway } = await import('pq-websocket-cli/gateway');
  const { address } = await startGateway({
    listen: '127.0.0.1:0',
    routes: [{ upstreams: [upstream] }],
    log: { level: 'silent' },
  });
  const url = `ws://${address}`;
  // One process has one backend, whichever end of a connection it is.
  (await secureSocket(url, cryptography)).close();
  return url;
}

async function proxy(upstream: string, cryptography: Proxy['backend']): Promise<string> {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  return cryptography === undefined ? plainProxy(() => upstream) : gateway(upstream, cryptography);
}

/** Echoes. @returns when all of them have come back */
async function echo(socket: WebSocket, message: Buffer, { messages, window }: Round): Promise<void> {
  let sent = Math.min(window, messages);
  let back = 0;
  await new Promise<void>((resolve, reject) => {
    const cut = (): void => {
      reject(new Error('the connection has ended'));
    };
    const heard = (data: Buffer): void => {
      if (data.length !== message.length) reject(new Error('another message came back'));
      back += 1;
      if (sent < messages) {
        sent += 1;
        socket.send(message);
      } else if (back === messages) {
        socket.off('message', heard);
        socket.off('close', cut);
        resolve();
      }
    };
    socket.on('message', heard);
    socket.on('close', cut);
    for (let i = 0; i < sent; i += 1) socket.send(message);
  });
}

async function client(url: string, cryptography: Proxy['backend'], size: number): Promise<void> {
  const socket = await (cryptography === undefined ? plainSocket(url) : secureSocket(url, cryptography));
  const message = Buffer.alloc(size, 1);
  process.on('message', (round: Round) => {
    void echo(socket, message, round).then(() => process.send?.('done'));
  });
}

const [role, kind, ...args] = process.argv.slice(2) as [string, Kind, ...string[]];
const { backend: cryptography }: Proxy = KINDS[kind];
if (role === 'backend') process.send?.(await backend());
else if (role === 'proxy') process.send?.(await proxy(args[0] as string, cryptography));
else if (role === 'client') {
  await client(args[0] as string, cryptography, Number(args[1]));
  process.send?.('open');
}
