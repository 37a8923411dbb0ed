/** Secure endpoints for tests: a server on loopback, its accepted sockets, clients, and what each application saw. */
import { once as emitted } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { platform } from '#platform';
import { afterEach, beforeEach, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import type { ServerOptions, WebSocket as PlainSocket } from 'ws';
import { nobleBackend } from '../../src/crypto/noble/backend.ts';
import { PQWebSocket } from '../../src/index.ts';
import type { PQWebSocketOptions } from '../../src/index.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { platform as webPlatform } from '../../src/platform/web.ts';
import { wrapServerSocket } from '../../src/server.ts';
import type { ServerSocket, ServerSocketOptions } from '../../src/server.ts';
import type { PQChannel } from '../../src/api/types.ts';
import { AsyncQueue } from './deferred.ts';
import { OPCODE, startTap } from './tap.ts';
import type { Tap, TapConnection, TapFrame } from './tap.ts';

export interface CloseSeen {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** What an application sees of its socket. */
export interface Seen {
  /** Event types in order. */
  readonly log: string[];
  /** The data of all messages so far. */
  readonly messages: unknown[];
  /** The next message's data that nobody has asked for. */
  next(): Promise<unknown>;
  /** Rejects when the socket closes without having opened. */
  readonly opened: Promise<void>;
  readonly closed: Promise<CloseSeen>;
}

type Observable = EventTarget & { binaryType: string; readonly readyState: number };

/** Listens from now on; binary data arrives as ArrayBuffer unless `binaryType` is set afterwards. */
export function observe(socket: Observable): Seen {
  const log: string[] = [];
  const messages: unknown[] = [];
  const queue = new AsyncQueue<unknown>();
  socket.binaryType = 'arraybuffer';
  const closed = new Promise<CloseSeen>((resolve) => {
    socket.addEventListener('close', (event) => {
      log.push('close');
      const { code, reason, wasClean } = event as CloseEvent;
      queue.end(new Error(`closed: ${code} ${reason}`));
      resolve({ code, reason, wasClean });
    });
  });
  const opened = new Promise<void>((resolve, reject) => {
    if (socket.readyState === 1) resolve();
    socket.addEventListener('open', () => {
      log.push('open');
      resolve();
    });
    void closed.then(({ code }) => {
      reject(new Error(`closed before it opened: ${code}`));
    });
  });
  opened.catch(() => undefined);
  socket.addEventListener('error', () => log.push('error'));
  socket.addEventListener('message', (event) => {
    log.push('message');
    messages.push((event as MessageEvent).data);
    queue.push((event as MessageEvent).data);
  });
  return { log, messages, next: () => queue.next(), opened, closed };
}

/** The event loop has gone round once. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export interface Peer {
  readonly socket: ServerSocket;
  readonly seen: Seen;
  /** The transport under it, npm `ws`. */
  readonly raw: PlainSocket;
  readonly request: IncomingMessage;
}

export interface SecureServer {
  /** Through the tap, if there is one. */
  readonly url: string;
  readonly tap: Tap;
  nextPeer(): Promise<Peer>;
}

export interface SecureServerOptions {
  readonly channel?: ServerSocketOptions;
  readonly ws?: ServerOptions;
  /** At once when a connection is accepted, before anything arrives. */
  readonly onPeer?: (peer: Peer) => void;
}

/** Starts a plain `ws` server behind a tap, whose sockets are wrapped. Ends with the test. */
export async function secureServer(options: SecureServerOptions = {}): Promise<SecureServer> {
  const server = new WebSocketServer({ ...options.ws, port: 0, host: '127.0.0.1' });
  const peers = new AsyncQueue<Peer>();
  server.on('connection', (raw, request) => {
    const socket = wrapServerSocket(raw, options.channel);
    const peer = { socket, seen: observe(socket), raw, request };
    peers.push(peer);
    options.onPeer?.(peer);
  });
  await emitted(server, 'listening');
  const tap = await startTap((server.address() as AddressInfo).port);
  onTestFinished(async () => {
    await tap.close();
    for (const socket of server.clients) socket.terminate();
    server.close();
    await emitted(server, 'close');
  });
  return { url: tap.url, tap, nextPeer: () => peers.next() };
}

export interface Client {
  readonly socket: PQWebSocket;
  readonly seen: Seen;
}

export function connect(url: string, options?: PQWebSocketOptions, protocols?: string | string[]): Client {
  const socket = new PQWebSocket(url, protocols, options);
  return { socket, seen: observe(socket) };
}

/** An open connection, both ends. */
export async function connected(
  server: SecureServer,
  options?: PQWebSocketOptions,
): Promise<{ client: Client; peer: Peer }> {
  const client = connect(server.url, options);
  const peer = await server.nextPeer();
  await Promise.all([client.seen.opened, peer.seen.opened, peer.socket.pq.finished]);
  return { client, peer };
}

export function pqOf(end: { readonly socket: { readonly pq: PQChannel } }): PQChannel {
  return end.socket.pq;
}

/** `web` is what a browser build runs: crypto.subtle, and a task for each event. */
export const MODES = ['node', 'noble', 'webcrypto', 'web'] as const;
export type Mode = (typeof MODES)[number];

const REPLACEMENTS: Record<Mode, Partial<Platform>> = {
  node: {},
  noble: { backend: () => nobleBackend },
  webcrypto: { backend: webPlatform.backend },
  web: { backend: webPlatform.backend, queueTask: webPlatform.queueTask },
};

/** Both ends of the tests in this block run in this mode. */
export function useMode(mode: Mode): void {
  const original = { ...platform };
  beforeEach(() => {
    Object.assign(platform, REPLACEMENTS[mode]);
  });
  afterEach(() => {
    Object.assign(platform, original);
  });
}

/**
 * For `assertSealed` after a failure: the tap's connections without the transport's echoes. Node's WebSocket answers
 * a close with the code that it got and no reason (RFC 6455 5.5.1); only that, after the very close, is left out.
 */
export function withoutEchoes(tap: Pick<Tap, 'connections'>): Pick<Tap, 'connections'> {
  const connections = tap.connections.map((connection) => ({
    upgraded: connection.upgraded,
    upgrade: connection.upgrade,
    rawBytes: connection.rawBytes.bind(connection),
    frames: connection.frames.filter((frame) => !isEcho(frame, connection.frames)),
  }));
  return { connections: connections as unknown as TapConnection[] };
}

function isEcho(frame: TapFrame, frames: readonly TapFrame[]): boolean {
  if (frame.opcode !== OPCODE.close || frame.payload.length !== 2) return false;
  return frames.some(
    (earlier) =>
      earlier.opcode === OPCODE.close &&
      earlier.order < frame.order &&
      earlier.direction !== frame.direction &&
      Buffer.compare(earlier.payload.subarray(0, 2), frame.payload) === 0,
  );
}
