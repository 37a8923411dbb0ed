/** New TCP connections: the PROXY header before anything else, and a deadline for the first request's head. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import { addressGroup, plainAddress, UNIX_PEER } from './client-address.ts';
import type { AddressList } from './client-address.ts';
import { IdleSockets } from './idle-sockets.ts';
import { readProxyHeader } from './proxy-protocol.ts';

export interface ConnectionRules {
  /** Sockets that are open and ask for nothing, at most. */
  readonly idle: number;
  /** Whether an address is a proxy's, which speaks for many. */
  isProxy(address: string): boolean;
  /** Milliseconds for TLS, the PROXY header and the first request's head together. */
  headerTimeout(): number;
  /** A connection was ended because it broke these rules. */
  refused(reason: 'proxy-header' | 'proxy-source' | 'header-timeout' | 'idle-limit'): void;
}

type Listener = (this: Server, socket: Socket) => void;

export class Connections {
  /** By both ends' addresses and ports: under TLS a request's socket is another object than the one that was accepted. */
  readonly #proxied = new Map<string, string>();
  readonly #accepted = new Map<string, Socket>();
  readonly #idle: IdleSockets;
  /** Connections of unix sockets. */
  readonly #unix = new WeakSet<Socket>();
  /** What node:http does with a connection of each server. */
  readonly #serveOf = new WeakMap<Server, (socket: Socket) => void>();
  readonly #deadlines = new Map<string, ReturnType<typeof setTimeout>>();

  /** Of all servers together. */
  constructor(private readonly rules: ConnectionRules) {
    this.#idle = new IdleSockets(rules.idle, () => {
      this.rules.refused('idle-limit');
    });
  }

  /**
   * Comes before node:http's own handling of a server's connections.
   * @param sources who may begin a connection with a PROXY header, now; undefined: no connection begins with one
   */
  attach(server: Server, sources: () => AddressList | undefined): void {
    const listeners = server.listeners('connection') as Listener[];
    server.removeAllListeners('connection');
    const serve = (socket: Socket): void => {
      for (const listener of listeners) listener.call(server, socket);
    };
    this.#serveOf.set(server, serve);
    server.on('connection', (socket: Socket) => {
      // A TCP peer that is gone already has no address either.
      if (typeof server.address() === 'string') this.#unix.add(socket);
      this.#startDeadline(socket);
      const proxySources = sources();
      if (proxySources === undefined) {
        this.#wait(socket);
        serve(socket);
      } else if (this.#unix.has(socket) || proxySources.has(plainAddress(socket.remoteAddress ?? ''))) {
        this.#readHeader(socket, () => {
          this.#wait(socket);
          serve(socket);
        });
      } else {
        this.rules.refused('proxy-source');
        socket.destroy();
      }
    });
  }

  /** Has a server read a connection of its own as HTTP once more. Its first request has come already. */
  reread(server: Server, socket: Socket): void {
    if (socket instanceof TLSSocket) server.emit('secureConnection', socket);
    else this.#serveOf.get(server)?.(socket);
  }

  /** The head of a request is there. */
  requestStarted(socket: Socket): void {
    const key = keyOf(socket);
    const accepted = this.#accepted.get(key);
    if (accepted !== undefined) this.#idle.delete(accepted);
    clearTimeout(this.#deadlines.get(key));
    this.#deadlines.delete(key);
  }

  /** A request has its answer: the connection may be kept for others. */
  requestEnded(socket: Socket): void {
    const accepted = this.#accepted.get(keyOf(socket));
    if (accepted !== undefined && !accepted.destroyed) this.#wait(accepted);
  }

  /** The address of the client as far as TCP and the PROXY header tell. */
  peerOf(socket: Socket): string {
    const nameless = this.#unix.has(socket) ? UNIX_PEER : 'unknown';
    return plainAddress(this.#proxied.get(keyOf(socket)) ?? socket.remoteAddress ?? nameless);
  }

  /** It asks for nothing yet. */
  #wait(socket: Socket): void {
    const peer = this.peerOf(socket);
    this.#idle.add(socket, this.rules.isProxy(peer) || isIP(peer) === 0 ? undefined : addressGroup(peer));
  }

  #startDeadline(socket: Socket): void {
    const key = keyOf(socket);
    this.#accepted.set(key, socket);
    const timer = setTimeout(() => {
      this.rules.refused('header-timeout');
      socket.destroy();
    }, this.rules.headerTimeout());
    this.#deadlines.set(key, timer.unref());
    socket.once('close', () => {
      clearTimeout(timer);
      this.#deadlines.delete(key);
      this.#proxied.delete(key);
      this.#accepted.delete(key);
      this.#idle.delete(socket);
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
      if (source !== undefined) this.#proxied.set(keyOf(socket), source.address);
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
