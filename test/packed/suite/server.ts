/** What the server under test does with a connection, in every runtime: the path chooses the options, text commands the rest. */
import type { ServerSocket, ServerSocketOptions } from 'pq-websocket/server';
import { IDENTITY_SEED } from './identity.ts';

/** How a connection ended, as the server's application saw it. */
export interface ServerEnd {
  readonly code: number;
  readonly reason: string;
  readonly failure: string | null;
}

/** A byte-order mark is a character like any other here. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** What `!flood` sends: more than two kernels hold for a connection. */
export const FLOOD = { chunks: 400, length: 65_536 } as const;

/** By the id that the client gave. */
const open = new Map<string, ServerSocket>();
const ends = new Map<string, ServerEnd>();

/** Options by path; other paths have none. */
export const PATH_OPTIONS: Readonly<Record<string, ServerSocketOptions>> = {
  '/identity': { identity: IDENTITY_SEED },
  '/context': { context: 'room 1' },
};

export function optionsFor(pathname: string): ServerSocketOptions {
  return PATH_OPTIONS[pathname] ?? {};
}

/** What the server does with a socket in the turn in which it was accepted, by path. */
const FIRST_ACTS: Readonly<Record<string, (socket: ServerSocket) => void>> = {
  '/send': (socket) => {
    socket.send('at once');
  },
  '/close': (socket) => {
    socket.send('at once');
    socket.close(4401, 'at once ✓');
  },
  '/terminate': (socket) => {
    socket.terminate();
  },
};

/** @param requestUrl the request's URL or its path, with the query */
export function serve(socket: ServerSocket, requestUrl: string): void {
  const { pathname, searchParams } = new URL(requestUrl, 'ws://server');
  const id = searchParams.get('id');
  if (id !== null) open.set(id, socket);
  socket.on('message', (data, isBinary) => {
    if (isBinary) socket.send(data);
    else answer(socket, decoder.decode(data));
  });
  socket.on('close', (code, reason) => {
    if (id !== null) open.delete(id);
    if (id !== null) ends.set(id, { code, reason: decoder.decode(reason), failure: socket.pq.failure?.code ?? null });
  });
  FIRST_ACTS[pathname]?.(socket);
}

function answer(socket: ServerSocket, text: string): void {
  const [command, argument] = text.split(' ');
  switch (command) {
    case '!hash':
      socket.send(hex(socket.pq.transcriptHash));
      return;
    case '!blob':
      socket.send(new Blob(['from the ', 'server ✓']));
      return;
    case '!terminate':
      socket.terminate();
      return;
    case '!close':
      socket.close(4002, 'server says ✓');
      return;
    case '!flood':
      for (let i = 0; i < FLOOD.chunks; i += 1) socket.send(new Uint8Array(FLOOD.length));
      return;
    case '!waiting': {
      const waiting = open.get(argument ?? '')?.bufferedAmount ?? 0;
      // 0 is what a runtime says that does not count, and what says that everything has left.
      socket.send(String(waiting === 0 ? -1 : waiting));
      return;
    }
    case '!end':
      socket.send(JSON.stringify(ends.get(argument ?? '') ?? null));
      return;
    default:
      socket.send(text);
  }
}

export function hex(bytes: Uint8Array | null): string {
  return Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, '0')).join('');
}
