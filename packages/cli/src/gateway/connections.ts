/** New TCP connections: the PROXY header before anything else, and a deadline for the first request's head. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import { plainAddress } from './client-address.ts';
import { readProxyHeader } from './proxy-protocol.ts';

export interface ConnectionRules {
  /** Whether every connection begins with a PROXY header. */
  readonly proxyProtocol: boolean;
  /** Milliseconds for TLS, the PROXY header and the first request's head together. */
  readonly headerTimeout: number;
  /** A connection was ended because it broke these rules. */
  refused(reason: 'proxy-header' | 'header-timeout'): void;
}

type Listener = (this: Server, socket: Socket) => void;

export class Connections {
  /** By both ends' addresses and ports: under TLS a request's socket is another object than the one that was accepted. */
  readonly #proxied = new Map<string, string>();
  /** What node:http does with a connection. */
  readonly #serve: (socket: Socket) => void;
  readonly #deadlines = new Map<string, ReturnType<typeof setTimeout>>();

  /** Comes before node:http's own handling of the server's connections. */
  constructor(
    private readonly server: Server,
    private readonly rules: ConnectionRules,
  ) {
    const listeners = server.listeners('connection') as Listener[];
    server.removeAllListeners('connection');
    this.#serve = (socket): void => {
      for (const listener of listeners) listener.call(server, socket);
    };
    server.on('connection', (socket: Socket) => {
      this.#startDeadline(socket);
      if (this.rules.proxyProtocol)
        this.#readHeader(socket, () => {
          this.#serve(socket);
        });
      else this.#serve(socket);
    });
  }

  /** Has the server read a connection of its own as HTTP once more. Its first request has come already. */
  reread(socket: Socket): void {
    if (socket instanceof TLSSocket) this.server.emit('secureConnection', socket);
    else this.#serve(socket);
  }

  /** The head of the connection's first request is there. */
  requestStarted(socket: Socket): void {
    const key = keyOf(socket);
    clearTimeout(this.#deadlines.get(key));
    this.#deadlines.delete(key);
  }

  /** The address of the client as far as TCP and the PROXY header tell. */
  peerOf(socket: Socket): string {
    return plainAddress(this.#proxied.get(keyOf(socket)) ?? socket.remoteAddress ?? 'unix');
  }

  #startDeadline(socket: Socket): void {
    const key = keyOf(socket);
    const timer = setTimeout(() => {
      this.rules.refused('header-timeout');
      socket.destroy();
    }, this.rules.headerTimeout);
    this.#deadlines.set(key, timer.unref());
    socket.once('close', () => {
      clearTimeout(timer);
      this.#deadlines.delete(key);
      this.#proxied.delete(key);
    });
  }

  #readHeader(socket: Socket, serve: () => void): void {
    let received = Buffer.alloc(0);
    const fail = (): void => {
      this.rules.refused('proxy-header');
      socket.destroy();
    };
    // Never flowing: TLS takes over the handle beneath, and what would flow past it.
    const read = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      received = Buffer.concat([received, chunk]);
      const header = readProxyHeader(received);
      if (header.type === 'incomplete') return;
      socket.off('readable', read);
      if (header.type === 'invalid') {
        fail();
        return;
      }
      const { source } = header.proxied;
      if (source !== undefined && isIP(source.address) !== 0) this.#proxied.set(keyOf(socket), source.address);
      const rest = received.subarray(header.length);
      if (rest.length > 0) socket.unshift(rest);
      socket.off('error', ignore);
      serve();
    };
    socket.on('error', ignore);
    socket.on('readable', read);
  }
}

let unnamed = 0;
const names = new WeakMap<Socket, string>();

function keyOf(socket: Socket): string {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  const named = names.get(socket);
  if (named !== undefined) return named;
  // A unix socket's peer has no name; neither has one that is gone already.
  if (remoteAddress === undefined) unnamed += 1;
  const name =
    remoteAddress === undefined ? `unnamed ${unnamed}` : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
  names.set(socket, name);
  return name;
}

function ignore(): void {
  // The socket's 'close' follows.
}
