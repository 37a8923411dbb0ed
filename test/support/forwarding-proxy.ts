/** A proxy in front of a server, which says in the upgrade request whom it comes from. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';

/** @returns its port */
export async function forwardingProxy(port: number): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
    near.once('data', (head: Buffer) => {
      // The request line is whole in the first bytes of loopback; the header stands behind it.
      const [line = ''] = head.toString('latin1').split('\r\n', 1);
      far.write(`${line}\r\nX-Forwarded-For: ${near.remoteAddress}\r\n`);
      far.write(head.subarray(line.length + 2));
      near.pipe(far);
    });
    far.pipe(near);
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}
