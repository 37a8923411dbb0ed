/** Servers that listen where they were told, or say why not. */
import type { Server } from 'node:net';
import type { SocketAddress } from './addresses.ts';

/** @throws {Error} when the address cannot be had */
export function listen(server: Server, address: SocketAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
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
