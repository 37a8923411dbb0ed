/** A TCP relay that hands every chunk on after a delay, each way, in order. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

function delayed(from: Socket, to: Socket, milliseconds: number): void {
  from.setNoDelay(true);
  from.on('data', (chunk) => {
    setTimeout(() => to.write(chunk), milliseconds);
  });
  from.on('end', () => {
    setTimeout(() => to.end(), milliseconds);
  });
  from.on('error', () => to.destroy());
  from.on('close', () => {
    setTimeout(() => to.destroy(), milliseconds);
  });
}

/** @returns the relay's port */
export function startRelay(port: number, milliseconds: number): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    delayed(near, far, milliseconds);
    delayed(far, near, milliseconds);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}
