/** A backend in Node for the pass-through suite: what it does follows from the path, and what it sees it tells. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { AsyncQueue } from '../support/deferred.ts';

export interface AcceptedPlain {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** What happened, in words, in order. */
  readonly log: string[];
  /** Resolves with the code when the connection is over. */
  readonly closed: Promise<number>;
}

export interface NodeBackend {
  readonly url: string;
  readonly port: number;
  next(): Promise<AcceptedPlain>;
  /** How many were accepted. */
  accepted(): number;
  stop(): Promise<void>;
}

/** By path, as docs of `pass-through.ts` say. */
function behave(socket: WebSocket, { url = '/' }: IncomingMessage): void {
  const { pathname, searchParams } = new URL(url, 'http://backend');
  switch (pathname) {
    case '/echo':
    case '/good':
      socket.on('message', (data, isBinary) => {
        socket.send(data as Buffer, { binary: isBinary });
      });
      break;
    case '/greet':
      socket.send('one');
      socket.send(Buffer.from([2]));
      socket.send('three');
      break;
    case '/close':
      socket.send('before');
      if (searchParams.has('code')) socket.close(Number(searchParams.get('code')), searchParams.get('reason') ?? '');
      else socket.close();
      break;
    case '/cut':
      socket.send('before', () => {
        socket.terminate();
      });
      break;
    case '/ping':
      socket.ping('data');
      socket.on('pong', (data) => {
        socket.send(`pong ${data.toString()}`);
      });
      break;
    default:
  }
}

/** `/raw`: no library is between. */
function behaveRaw({ url = '', headers }: IncomingMessage, network: Duplex): void {
  const query = new URL(url, 'http://backend').searchParams;
  const accept = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  network.on('error', () => undefined);
  network.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept.digest('base64')}\r\n\r\n`,
  );
  const act = (): void => {
    network.write(Buffer.from(query.get('bytes') ?? '', 'hex'), () => {
      if (query.get('then') === 'end') network.end();
      if (query.get('then') === 'reset') (network as Socket).resetAndDestroy();
    });
  };
  network.resume();
  if (query.get('when') === 'open') act();
  else network.once('data', act);
}

export async function startBackend(listen: ListenOptions = { port: 0, host: '127.0.0.1' }): Promise<NodeBackend> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      response.setHeader('X-Backend', 'yes');
      response.writeHead(request.url?.startsWith('/missing') ? 404 : 200, 'Said So');
      response.end(`${request.method} ${request.url} ${body}`);
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  const raw = new Set<Duplex>();
  const accepted = new AsyncQueue<AcceptedPlain>();
  let count = 0;
  sockets.on('headers', (headers) => {
    headers.push('Set-Cookie: seen=1', 'X-Backend: yes');
  });
  sockets.options.handleProtocols = (protocols): string | false =>
    ['b', 'c'].find((name) => protocols.has(name)) ?? false;
  server.on('upgrade', (request: IncomingMessage, network, head) => {
    if (request.url?.startsWith('/refuse')) {
      network.end(
        'HTTP/1.1 403 Not You\r\nX-Why: because\r\nX-Why: also\r\nSet-Cookie: a=1\r\nKeep-Alive: timeout=5\r\n' +
          'Connection: X-Secret\r\nX-Secret: hop\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsorry\r\n0\r\n\r\n',
      );
      return;
    }
    if (request.url?.startsWith('/raw')) {
      raw.add(network);
      behaveRaw(request, network);
      return;
    }
    sockets.handleUpgrade(request, network, head, (socket) => {
      count += 1;
      const log: string[] = [];
      const closed = new Promise<number>((resolve) => {
        socket.on('close', (code, reason) => {
          log.push(`close ${code} ${reason.toString()}`);
          resolve(code);
        });
      });
      socket.on('error', () => undefined);
      socket.on('message', (data, isBinary) => {
        log.push(`${isBinary ? 'binary' : 'text'} ${(data as Buffer).toString('latin1')}`);
      });
      socket.on('ping', () => log.push('ping'));
      accepted.push({ socket, request, log, closed });
      behave(socket, request);
    });
  });
  server.listen(listen);
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    for (const client of sockets.clients) client.terminate();
    for (const network of raw) network.destroy();
    server.closeAllConnections();
    await once(server, 'close');
  };
  onTestFinished(stop);
  const address = server.address();
  const { port } = typeof address === 'string' ? { port: 0 } : (address as AddressInfo);
  const url = typeof address === 'string' ? `unix:${address}` : `ws://127.0.0.1:${port}`;
  return { url, port, next: () => accepted.next(), accepted: () => count, stop };
}

export interface Recorder {
  /** `host:port`. */
  readonly url: string;
  readonly asked: IncomingMessage[];
}

/** Keeps what it is asked, answers requests with 204 and these headers, and refuses upgrades. */
export async function startRecorder(headers: Readonly<Record<string, string>> = {}): Promise<Recorder> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    response.writeHead(204, headers).end();
  });
  server.on('upgrade', (request, socket) => {
    asked.push(request);
    socket.end('HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}
