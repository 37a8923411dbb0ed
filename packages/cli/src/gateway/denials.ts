/** HTTP answers on sockets that asked for an upgrade, where node:http gives no ServerResponse. */
import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { headersOnward, isPassable } from './message-heads.ts';

/** Why the gateway itself says no: the label in logs and metrics, and what the client gets. */
export interface Denial {
  readonly reason: DenialReason;
  readonly status: number;
  /** Several of one name are a list. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

export type DenialReason =
  | 'address'
  | 'address-limit'
  | 'auth'
  | 'auth-unreachable'
  | 'bad-request'
  | 'connection-limit'
  | 'draining'
  | 'no-route'
  | 'origin'
  | 'rate-limit'
  | 'upgrade-required'
  | 'upstream-error'
  | 'upstream-timeout'
  | 'upstream-unreachable';

/** RFC 9112 6.3: answers that have no body, whatever they say. */
const BODYLESS: ReadonlySet<number> = new Set([204, 304]);

/** RFC 6455 4.4: who asks for another version learns which there is. */
export const BAD_REQUEST: Denial = {
  reason: 'bad-request',
  status: 400,
  headers: { 'Sec-WebSocket-Version': '13' },
};

/** For requests of another HTTP than is spoken here. */
export const OTHER_VERSION: Denial = { reason: 'bad-request', status: 505, headers: { Connection: 'close' } };

/** For newcomers while what is under way comes to its end. */
export const DRAINING: Denial = { reason: 'draining', status: 503, headers: { Connection: 'close' } };

/** Answers and closes. The body is the status's own name: nothing that was asked is repeated. */
export function deny(socket: Duplex, { status, headers }: Denial): void {
  const body = `${STATUS_CODES[status] ?? status}\n`;
  const lines = Object.entries({
    ...headers,
    'Content-Type': 'text/plain',
    'Content-Length': String(body.length),
    Connection: 'close',
  }).flatMap(([name, values]) => [values].flat().map((value) => `${name}: ${value}\r\n`));
  endSocket(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
}

/**
 * Passes the backend's own answer on: status, end-to-end headers and body.
 * @param timeout milliseconds for all of it
 * @returns whether it could: not where HTTP has no such answer
 */
export function passDenial(socket: Duplex, response: IncomingMessage, timeout: number): boolean {
  const { statusCode = 502, statusMessage = '' } = response;
  if (!isPassable(response)) {
    response.destroy();
    return false;
  }
  const passing = headersOnward(response);
  const lines = passing.map(([name, value]) => `${name}: ${value}\r\n`);
  // Without a length the end of the connection would be that of the body, a cut one too.
  const isChunked = !BODYLESS.has(statusCode) && !passing.some(([name]) => name.toLowerCase() === 'content-length');
  if (isChunked) lines.push('Transfer-Encoding: chunked\r\n');
  socket.write(`HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}Connection: close\r\n\r\n`, 'latin1');
  const timer = setTimeout(() => {
    socket.destroy();
  }, timeout);
  socket.once('close', () => {
    clearTimeout(timer);
    response.destroy();
  });
  // A cut in the middle is passed on as one: it destroys both.
  const over = (): void => undefined;
  if (isChunked) pipeline(response, inChunks, socket, over);
  else pipeline(response, socket, over);
  socket.once('finish', () => {
    socket.destroy();
  });
  return true;
}

/** RFC 9112 7.1 */
async function* inChunks(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer | string> {
  for await (const chunk of body) {
    yield `${chunk.length.toString(16)}\r\n`;
    yield chunk;
    yield '\r\n';
  }
  yield '0\r\n\r\n';
}

function endSocket(socket: Duplex, text: string): void {
  socket.once('finish', () => {
    socket.destroy();
  });
  socket.end(text, 'latin1');
}

/** Answers what is no HTTP request, as node:http does by itself. @param socket on which no answer has begun */
export function denyGarbage(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const statuses: Record<string, string> = {
    HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
    ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  };
  socket.end(`HTTP/1.1 ${statuses[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`, () => {
    socket.destroy();
  });
}
