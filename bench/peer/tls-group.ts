/** Which key agreement a TLS connection between two of this Node takes. */
import { connect } from 'node:tls';

/** @returns such as `X25519MLKEM768` */
export function tlsGroup(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ca }, () => {
      const info = socket.getEphemeralKeyInfo();
      const group = info !== null && 'name' in info ? info.name : undefined;
      const agreed = `${socket.getProtocol() ?? 'TLS'} ${group ?? 'unknown group'}`;
      socket.destroy();
      resolve(agreed);
    });
    socket.once('error', reject);
  });
}
