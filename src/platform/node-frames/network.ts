/** What npm `ws` stands on, where that is the network itself. */
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** The classes themselves: what derives from them may write elsewhere, and hold on to what it was given. */
export function isNetwork(stream: object | null | undefined): stream is Socket {
  const prototype: unknown = stream ? Object.getPrototypeOf(stream) : undefined;
  return prototype === Socket.prototype || prototype === TLSSocket.prototype;
}
