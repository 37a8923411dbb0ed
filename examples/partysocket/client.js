import { WebSocket as PartySocket } from 'partysocket';
import { PQWebSocket } from 'pq-websocket';

export const connect = (url, protocols, options = {}) =>
  new PartySocket(url, protocols, { WebSocket: PQWebSocket, ...options }); // was: nothing

export async function runClient(url, text = 'hello, party') {
  // The URL may be a function, asked at each attempt: for a token that expires, for instance.
  const socket = connect(async () => url, undefined, { minReconnectionDelay: 20, maxReconnectionDelay: 100 });
  const heard = new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }));
  socket.send(text);
  const said = [(await heard).data];
  socket.close();
  return said;
}
