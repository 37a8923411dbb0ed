import { io } from 'socket.io-client';
import { NodeWebSocket } from 'engine.io-client';
import { WebSocket } from 'pq-websocket/ws';

/** Socket.IO's transport of Node over our client. A page needs none: it has the polyfill, and `transports: ['websocket']`. */
export class SealedTransport extends NodeWebSocket {
  createSocket(url, protocols, options) {
    return new WebSocket(url, protocols, { ...options, perMessageDeflate: false });
  }
}

export const connect = (url, options = {}) => io(url, { transports: [SealedTransport], forceNew: true, ...options }); // was: io(url)

export async function runClient(url, text = 'hello, everybody') {
  const [alice, bob] = [connect(url), connect(url)];
  const said = [await alice.emitWithAck('join', 'kitchen'), await bob.emitWithAck('join', 'kitchen')];
  const heard = new Promise((resolve) => bob.once('said', resolve));
  alice.emit('say', 'kitchen', text);
  said.push(await heard);
  for (const socket of [alice, bob]) socket.disconnect();
  return said;
}
