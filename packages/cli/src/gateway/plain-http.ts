/** Requests that ask for no WebSocket: 426, or through to the backend. */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { request as httpRequest, STATUS_CODES } from 'node:http';
import { pipeline } from 'node:stream';
import { endToEnd, forwardedHeaders } from './headers.ts';
import type { Forwarding } from './headers.ts';
import type { Route } from './routes.ts';
import { hostFor } from './upstream.ts';

export function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  const body = `${STATUS_CODES[status] ?? status}\n`;
  response.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': body.length, ...headers });
  response.end(body);
}

/** RFC 9110 15.5.22 wants the protocol named. */
export function requireUpgrade(response: ServerResponse): void {
  answer(response, 426, { Upgrade: 'websocket', Connection: 'close' });
}

/**
 * Passes a request to a backend and its answer back, both as streams.
 * @param timeout milliseconds for the beginning of the answer
 */
export async function passRequest(
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  forwarding: Forwarding,
  timeout: number,
): Promise<void> {
  let dialled;
  try {
    dialled = await route.dial();
  } catch {
    answer(response, 502);
    return;
  }
  const { backend, socket, release } = dialled;
  socket.once('close', release);
  const passed = httpRequest({
    method: request.method ?? 'GET',
    path: target,
    headers: {
      ...forwardedHeaders(request, endToEnd(request.rawHeaders), forwarding, hostFor(route, backend)),
      // A body without a length stays framed, whatever the method: else the backend takes it for another request.
      ...(request.headers['transfer-encoding'] !== undefined && { 'Transfer-Encoding': 'chunked' }),
      Connection: 'close',
    },
    createConnection: () => socket,
  });
  passAnswer(passed, response, timeout);
  pipeline(request, passed, () => undefined);
  response.once('close', () => {
    socket.destroy();
  });
}

function passAnswer(passed: ClientRequest, response: ServerResponse, timeout: number): void {
  const timer = setTimeout(() => {
    if (!response.headersSent) answer(response, 504);
    passed.destroy();
  }, timeout);
  passed.once('error', () => {
    clearTimeout(timer);
    if (response.headersSent) response.destroy();
    else answer(response, 502);
  });
  passed.once('response', (upstream) => {
    clearTimeout(timer);
    response.writeHead(upstream.statusCode ?? 502, upstream.statusMessage, endToEnd(upstream.rawHeaders).flat());
    pipeline(upstream, response, () => undefined);
  });
}
