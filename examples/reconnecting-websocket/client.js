import { PQWebSocket } from 'pq-websocket';
import ReconnectingWebSocket from 'reconnecting-websocket';

export const connect = (url, protocols, options = {}) =>
  new ReconnectingWebSocket(url, protocols, { WebSocket: PQWebSocket, ...options }); // was: nothing

export async function runClient(url, text = 'hello again') {
  const socket = connect(url, undefined, { minReconnectionDelay: 20, maxReconnectionDelay: 100 });
  const next = (event) => new Promise((resolve) => socket.addEventListener(event, resolve, { once: true }));
  const heard = next('message');
  socket.send(text);
  const said = [(await heard).data];
  const back = next('open');
  socket.reconnect();
  await back;
  said.push('back');
  socket.close();
  return said;
}
