/**
 * RFC 9110 7.8: a server may pass over an Upgrade that it does not want, and answer the request as if it asked for none. Node
 * has left its HTTP parser by then: so the connection is given back to the server with the same request, without its Upgrade.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pairsOf } from './headers.ts';

/**
 * @param head what came behind the request's head: its body, and what follows
 * @param serve takes a connection as a new one
 */
export function rereadWithoutUpgrade(
  { method, url, httpVersion, rawHeaders }: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  serve: (socket: Duplex) => void,
): void {
  const lines = pairsOf(rawHeaders).flatMap(([name, value]) => {
    switch (name.toLowerCase()) {
      case 'upgrade':
        return [];
      case 'connection':
        return [`${name}: ${withoutUpgrade(value)}\r\n`];
      default:
        return [`${name}: ${value}\r\n`];
    }
  });
  const text = `${method} ${url} HTTP/${httpVersion}\r\n${lines.join('')}\r\n`;
  // Header values are bytes, which Node shows as latin1.
  socket.unshift(Buffer.concat([Buffer.from(text, 'latin1'), head]));
  serve(socket);
}

function withoutUpgrade(connection: string): string {
  return connection
    .split(',')
    .filter((option) => option.trim().toLowerCase() !== 'upgrade')
    .join(',');
}
