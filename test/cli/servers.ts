/** Servers for the command line's tests, on loopback, ended with the test. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from '../../src/ws.ts';
import type { WebSocketServerOptions, WsStyleWebSocket } from '../../src/ws.ts';
import { AsyncQueue, once } from '../support/deferred.ts';

export const CERTIFICATES = path.resolve(import.meta.dirname, '../gateway/certificates');

export interface Accepted {
  readonly socket: WsStyleWebSocket;
  readonly request: IncomingMessage;
  /** What came, texts as they are, bytes in hex, and the end: `close 1000 reason`. */
  readonly log: string[];
  readonly closed: Promise<string>;
}

export interface EchoServer {
  readonly url: string;
  readonly port: number;
  next(): Promise<Accepted>;
}

/** Sends each message back. `/said` says something first; `/silent` says nothing. */
export async function echoServer(options: WebSocketServerOptions & { tls?: boolean } = {}): Promise<EchoServer> {
  const { tls = false, ...rest } = options;
  const server: Server = tls
    ? createSecureServer({
        cert: readFileSync(path.join(CERTIFICATES, 'one.cert.pem')),
        key: readFileSync(path.join(CERTIFICATES, 'one.key.pem')),
      })
    : createServer();
  const sockets = new WebSocketServer({
    server,
    handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false),
    ...rest,
  });
  const accepted = new AsyncQueue<Accepted>();
  sockets.on('connection', (socket, request) => {
    const log: string[] = [];
    socket.on('error', () => undefined);
    const closed = new Promise<string>((resolve) => {
      socket.on('close', (code, reason) => {
        log.push(`close ${code} ${reason.toString()}`);
        resolve(log.at(-1) as string);
      });
    });
    socket.on('message', (data, isBinary) => {
      log.push(isBinary ? data.toString('hex') : data.toString());
      if (request.url !== '/silent') socket.send(data, { binary: isBinary });
    });
    accepted.push({ socket, request, log, closed });
  });
  const port = await listening(server);
  onTestFinished(() => {
    for (const socket of sockets.clients ?? []) socket.terminate();
    sockets.close();
    server.closeAllConnections();
    server.close();
  });
  return { url: `${tls ? 'wss' : 'ws'}://127.0.0.1:${port}`, port, next: () => accepted.next() };
}

/** @returns the port that was taken */
export async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
