import { WebSocket, WebSocketServer } from 'ws';
import type { ClientOptions, RawData, ServerOptions } from 'ws';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AsyncQueue } from './deferred.ts';

export interface RawMessage {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

export interface RawClose {
  readonly code: number;
  readonly reason: string;
}

/** One end of a plain WebSocket whose messages a test writes and reads by hand. */
export interface RawPeer {
  readonly socket: WebSocket;
  /** Settles when the WebSocket is open; rejects when it never opens. */
  readonly opened: Promise<void>;
  readonly closed: Promise<RawClose>;
  /** The next message, in order; rejects when the socket is closed and all were read. */
  next(): Promise<RawMessage>;
  /** The next message, which must be text. */
  nextText(): Promise<string>;
  /** The next message, which must be binary. */
  nextBinary(): Promise<Buffer>;
  /** A string goes as text, bytes go as binary. */
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

export interface RawServer {
  readonly port: number;
  readonly url: string;
  /** The next connection that nobody has asked for yet. */
  nextPeer(): Promise<RawPeer>;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** Makes a peer of a socket of `ws`, at once, so that no message is missed. */
export function rawPeer(socket: WebSocket): RawPeer {
  const messages = new AsyncQueue<RawMessage>();
  let failure: Error | undefined;
  socket.on('message', (data, isBinary) => {
    messages.push({ data: toBuffer(data), isBinary });
  });
  // 'close' follows and carries what tests look at.
  socket.on('error', (error) => {
    failure = error;
  });
  const closed = new Promise<RawClose>((resolve) => {
    socket.once('close', (code, reason) => {
      messages.end(new Error(`the socket was closed with code ${code}`));
      resolve({ code, reason: reason.toString('utf8') });
    });
  });
  const opened = new Promise<void>((resolve, reject) => {
    if (socket.readyState === WebSocket.OPEN) resolve();
    socket.once('open', resolve);
    void closed.then(() => {
      reject(failure ?? new Error('the socket was closed before it opened'));
    });
  });
  // Whoever awaits `opened` sees it fail; a test that does not must not fail for it.
  opened.catch(() => undefined);
  const typed = async (isBinary: boolean): Promise<Buffer> => {
    const message = await messages.next();
    if (message.isBinary !== isBinary)
      throw new Error(`expected a ${isBinary ? 'binary' : 'text'} message, got the other type`);
    return message.data;
  };
  return {
    socket,
    opened,
    closed,
    next: () => messages.next(),
    nextText: async () => (await typed(false)).toString('utf8'),
    nextBinary: () => typed(true),
    send: (data) => {
      socket.send(data, { binary: typeof data !== 'string' });
    },
    close: (code, reason) => {
      socket.close(code, reason);
    },
  };
}

/** Connects a plain client; await `opened` before sending. */
export function rawClient(url: string, options: ClientOptions & { readonly protocols?: string[] } = {}): RawPeer {
  const { protocols, ...rest } = options;
  return rawPeer(new WebSocket(url, protocols ?? [], { perMessageDeflate: false, ...rest }));
}

/** Starts a plain server on a free port of 127.0.0.1. */
export async function rawServer(
  onConnection?: (peer: RawPeer, request: IncomingMessage) => void,
  options: ServerOptions = {},
): Promise<RawServer> {
  const server = new WebSocketServer({ ...options, port: 0, host: '127.0.0.1' });
  const unclaimed = new AsyncQueue<RawPeer>();
  server.on('connection', (socket, request) => {
    const peer = rawPeer(socket);
    unclaimed.push(peer);
    onConnection?.(peer, request);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `ws://127.0.0.1:${port}`,
    nextPeer: () => unclaimed.next(),
    close: () =>
      new Promise((resolve) => {
        for (const socket of server.clients) socket.terminate();
        server.close(() => {
          resolve();
        });
      }),
  };
}
