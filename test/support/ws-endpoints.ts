/** The drop-ins of `pq-websocket/ws` and npm `ws` itself in one shape, so that one script runs against both. */
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket as PlainSocket, WebSocketServer as PlainServer } from 'ws';
import type { ServerOptions } from 'ws';
import { WebSocket, WebSocketServer } from '../../src/ws.ts';
import type { WebSocketServerOptions, WsStyleWebSocket } from '../../src/ws.ts';
import { AsyncQueue, once } from './deferred.ts';
import { startTap } from './tap.ts';
import type { Tap } from './tap.ts';

export interface Library {
  readonly WebSocket: typeof PlainSocket;
  readonly WebSocketServer: typeof PlainServer;
}

export const LIBRARIES: readonly (readonly [string, Library])[] = [
  ['ws', { WebSocket: PlainSocket, WebSocketServer: PlainServer }],
  [
    'pq-websocket/ws',
    {
      WebSocket: WebSocket as unknown as typeof PlainSocket,
      WebSocketServer: WebSocketServer as unknown as typeof PlainServer,
    },
  ],
];

export interface Accepted<Socket> {
  readonly socket: Socket;
  readonly request: IncomingMessage;
}

export interface Running<Server, Socket> {
  readonly server: Server;
  readonly port: number;
  readonly url: string;
  /** The next 'connection' that nobody has asked for yet. */
  next(): Promise<Accepted<Socket>>;
}

type AnyServer<Socket> = {
  on(event: 'connection', listener: (socket: Socket, request: IncomingMessage) => void): unknown;
  address(): AddressInfo | string | null;
  close(callback?: (error?: Error) => void): void;
};

/** Waits until a server with the option `port` listens, and ends it and its connections with the test. */
async function run<Server extends AnyServer<Socket>, Socket extends { terminate(): void }>(
  server: Server,
): Promise<Running<Server, Socket>> {
  const accepted = new AsyncQueue<Accepted<Socket>>();
  const all = new Set<Socket>();
  server.on('connection', (socket, request) => {
    all.add(socket);
    accepted.push({ socket, request });
  });
  await once(server as never, 'listening');
  onTestFinished(() => {
    for (const socket of all) socket.terminate();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `ws://127.0.0.1:${port}`, next: () => accepted.next() };
}

/** Starts either library's server on a free port of 127.0.0.1. */
export function startLibrary(
  library: Library,
  options: ServerOptions = {},
): Promise<Running<PlainServer, PlainSocket>> {
  return run(new library.WebSocketServer({ port: 0, host: '127.0.0.1', ...options }));
}

export interface Tapped extends Running<WebSocketServer, WsStyleWebSocket> {
  readonly tap: Tap;
}

/** Starts our server behind a tap; `url` leads through it. */
export async function startSecure(options: Omit<WebSocketServerOptions, 'port'> = {}): Promise<Tapped> {
  const running = await run<WebSocketServer, WsStyleWebSocket>(
    new WebSocketServer({ port: 0, host: '127.0.0.1', ...options }),
  );
  const tap = await startTap(running.port);
  onTestFinished(() => tap.close());
  return { ...running, url: tap.url, tap };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export const UPGRADE_HEADERS = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
  'Sec-WebSocket-Version': '13',
};

/** Sends a request and gives what came instead of 101. */
export function refusedUpgrade(
  port: number,
  path: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers: { ...UPGRADE_HEADERS, ...headers } });
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the request was upgraded'));
    });
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    request.on('error', reject);
    request.end();
  });
}

/** What is uncaught until the test ends goes here instead of to the test runner. */
export function uncaughtErrors(): AsyncQueue<unknown> {
  const errors = new AsyncQueue<unknown>();
  const listeners = process.listeners('uncaughtException');
  const take = (error: unknown): void => {
    errors.push(error);
  };
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', take);
  onTestFinished(() => {
    process.off('uncaughtException', take);
    for (const listener of listeners) process.on('uncaughtException', listener);
  });
  return errors;
}
