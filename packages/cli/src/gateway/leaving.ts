/** Notices that a client leaves while its backend is asked: nobody else reads its connection meanwhile. */
import type { Duplex } from 'node:stream';

type Reader = (chunk: Buffer) => void;

/** Bytes that a client may say before it has its answer (a hello that comes early). Of one that says more its end is noticed later. */
const MOST_BYTES = 64 * 1024;

/**
 * Reads until `stop`, and destroys the socket when it is at its end: a client that is to become a WebSocket has no use for half a connection.
 * @returns `stop`, which gives all that the client has said after its request
 */
export function untilLeft(socket: Duplex, head: Buffer): () => Buffer {
  const said = [head];
  let bytes = head.length;
  const read = (): void => {
    while (bytes < MOST_BYTES) {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      said.push(chunk);
      bytes += chunk.length;
    }
    socket.off('readable', read);
  };
  const ended = (): void => {
    socket.destroy();
  };
  socket.on('readable', read);
  socket.once('end', ended);
  return () => {
    socket.off('readable', read);
    socket.off('end', ended);
    return Buffer.concat(said);
  };
}

/**
 * As `untilLeft`, for a client whose connection has its reader already, who is paused.
 * @returns `stop`, which leaves what the client has said to that reader
 */
export function untilLeftBeside(socket: Duplex): () => void {
  const readers = socket.listeners('data') as Reader[];
  for (const reader of readers) socket.off('data', reader);
  const stop = untilLeft(socket, Buffer.alloc(0));
  return () => {
    const said = stop();
    for (const reader of readers) socket.on('data', reader);
    if (said.length > 0 && !socket.destroyed) socket.unshift(said);
  };
}
