/** The demo's server: the page over http, and `/chat` over `pq-websocket/ws`. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'pq-websocket/ws';
import { WebSocketServer as PlainServer } from 'ws';
import { Guest, type Room } from './guest.ts';
import { writeSample } from './sample.ts';

const CHAT_PATH = '/chat';
/** What the page compares with, where a person asks for it: an echo without this package. */
const PLAIN_PATH = '/plain';
const MAX_PLAIN_BYTES = 16_384;
const MAX_MESSAGE_BYTES = 1_048_576;
const SHUTDOWN_MILLISECONDS = 3_000;

/** What the page consists of: its path without the leading slash, its type and its bytes. */
export type Assets = ReadonlyMap<string, { type: string; body: string | Uint8Array }>;

export interface DemoServerOptions {
  readonly assets: Assets;
  readonly host: string;
  readonly port: number;
  readonly sampleBytes: number;
  /** Told in one line who came and went, and how. */
  readonly log?: (line: string) => void;
  readonly heard?: NonNullable<Room['heard']>;
  readonly joined?: (guest: Guest) => void;
  readonly left?: Room['leave'];
}

export interface DemoServer {
  readonly port: number;
  readonly samplePath: string;
  chat(from: string, text: string): void;
  close(): Promise<void>;
}

// Nothing inline and nothing from elsewhere. `'self'` in connect-src means ws: too, but not in every browser yet.
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

function serve(assets: Assets, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const asset = assets.get(path === '/' ? 'index.html' : path.slice(1));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { ...HEADERS, allow: 'GET, HEAD' }).end();
  } else if (!asset) {
    response.writeHead(404, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end('Not found\n');
  } else {
    response.writeHead(200, { ...HEADERS, 'content-type': asset.type });
    response.end(request.method === 'HEAD' ? undefined : asset.body);
  }
}

/** Other pages in the same browser may not talk to this server; clients that are no browser send no Origin. */
function sameOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}

export async function startDemoServer(options: DemoServerOptions): Promise<DemoServer> {
  const folder = await mkdtemp(join(tmpdir(), 'pq-websocket-demo-'));
  const samplePath = join(folder, 'sample.txt');
  await writeSample(samplePath, options.sampleBytes);

  const guests = new Set<Guest>();
  const names = (): string[] => [...guests].map((guest) => guest.name);
  const log = options.log ?? (() => undefined);
  const announce = (note: string, except?: Guest): void => {
    log(note);
    for (const guest of guests) {
      if (guest !== except) guest.say({ type: 'presence', present: names(), note });
    }
  };

  const room: Room = {
    samplePath,
    ...(options.heard && { heard: options.heard }),
    admit(guest, wish) {
      const wanted = wish.trim() || 'guest';
      let name = wanted;
      for (let number = 2; names().includes(name); number += 1) name = `${wanted} ${String(number)}`;
      guests.add(guest);
      guest.name = name;
      announce(`${name} came in.`, guest);
      options.joined?.(guest);
      return { name, present: names() };
    },
    chat(from, text) {
      for (const guest of guests) guest.say({ type: 'chat', from, text });
    },
    leave(guest, end) {
      options.left?.(guest, end);
      if (!guests.delete(guest)) return;
      const said = `${String(end.code)}${end.reason === '' ? '' : ` “${end.reason}”`}`;
      announce(`${guest.name} left: ${said}, ${end.wasClean ? 'clean' : 'not clean'}.`);
    },
  };

  const http = createServer((request, response) => serve(options.assets, request, response));
  const verifyClient = ({ req }: { req: IncomingMessage }): boolean => sameOrigin(req);
  const sockets = new WebSocketServer({
    noServer: true,
    path: CHAT_PATH,
    maxPayload: MAX_MESSAGE_BYTES,
    verifyClient,
  });
  const plain = new PlainServer({ noServer: true, path: PLAIN_PATH, maxPayload: MAX_PLAIN_BYTES, verifyClient });
  plain.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
  });
  http.on('upgrade', (request: IncomingMessage, socket, head) => {
    if (plain.shouldHandle(request)) {
      plain.handleUpgrade(request, socket, head, (accepted) => plain.emit('connection', accepted, request));
    } else {
      sockets.handleUpgrade(request, socket, head, (accepted) => sockets.emit('connection', accepted, request));
    }
  });
  const connected = new Set<Guest>();
  sockets.on('connection', (socket) => {
    const guest = new Guest(socket, room);
    connected.add(guest);
    socket.addEventListener('close', () => connected.delete(guest));
  });

  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port, options.host, () => {
      http.off('error', reject);
      resolve();
    });
  });

  return {
    port: (http.address() as AddressInfo).port,
    samplePath,
    chat: room.chat,
    async close() {
      for (const { socket } of connected) socket.close(1001, 'the demo is stopping');
      for (const socket of plain.clients) socket.terminate();
      await stopped(http, sockets, connected);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Lets the closing handshakes finish, but not for ever: a phone that has gone never answers. */
async function stopped(
  http: ReturnType<typeof createServer>,
  sockets: WebSocketServer,
  connected: ReadonlySet<Guest>,
): Promise<void> {
  const cut = setTimeout(() => {
    for (const { socket } of connected) socket.terminate();
  }, SHUTDOWN_MILLISECONDS);
  await new Promise<void>((resolve) => sockets.close(() => resolve()));
  clearTimeout(cut);
  await new Promise<void>((resolve) => {
    http.close(() => resolve());
    http.closeAllConnections();
  });
}
