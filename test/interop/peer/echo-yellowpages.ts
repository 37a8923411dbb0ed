/** The TypeScript server's application with the profile yellowpages, of which every message arrives as bytes. */
import type { ServerSocket } from '../../../src/server.ts';

/** What the original server takes: a frame of 16,500 bytes, of which 28 are nonce and tag. */
export const LONGEST_REQUEST = 16_472;
const REQUEST_TIME_MS = 30_000;

/** An echo, and the two commands of test/interop/README.md. */
export function echoYellowpages(socket: ServerSocket): void {
  socket.on('message', (data) => {
    const bytes = data as Buffer;
    const [, name, rest = ''] = /^!(flood|close) (.*)$/s.exec(bytes.toString('utf8')) ?? [];
    if (name === 'flood') for (let i = 0; i < Number(rest); i += 1) socket.send('');
    else if (name === 'close') close(socket, rest);
    else socket.send(bytes);
  });
  socket.on('error', () => undefined);
}

function close(socket: ServerSocket, rest: string): void {
  const [code, ...reason] = rest.split(' ');
  if (code === '0') socket.close();
  else socket.close(Number(code), reason.join(' '));
}

/** The original system's server: takes one request, and says only by the transport's close how it went. */
export function answerOneRequest(socket: ServerSocket): void {
  const late = setTimeout(() => {
    socket.close(4000, 'timeout');
  }, REQUEST_TIME_MS);
  socket.on('close', () => {
    clearTimeout(late);
  });
  socket.on('error', () => undefined);
  socket.once('message', () => {
    socket.close(1000, 'done');
  });
}
