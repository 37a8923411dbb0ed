/** Servers that listen where they were told, or say why not. */
import cluster from 'node:cluster';
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Server } from 'node:net';
import type { SocketAddress } from './addresses.ts';

/** @throws {Error} when the address cannot be had */
export async function listen(server: Server, address: SocketAddress): Promise<void> {
  // Of several workers each would find the others' file: the primary has looked.
  if (!cluster.isWorker) await removeStaleSocket(address);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** The file of a unix socket that nobody listens on any more, as one that was killed leaves it, makes room. */
export async function removeStaleSocket(address: SocketAddress): Promise<void> {
  if (!Object.hasOwn(address, 'path')) return;
  const { path } = address as { path: string };
  const isSocket = await lstat(path).then(
    (file) => file.isSocket(),
    () => false,
  );
  if (isSocket && (await refuses(path))) await unlink(path).catch(() => undefined);
}

function refuses(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code === 'ECONNREFUSED');
    });
  });
}

/** `host:port` or `unix:/path`; with the port that was taken where 0 was asked for. */
export function boundAddress(server: Server): string {
  const address = server.address();
  if (address === null) throw new Error('the server does not listen');
  if (typeof address === 'string') return `unix:${address}`;
  const { address: host, port } = address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
