import { PQWebSocket } from 'pq-websocket';
import { Socket } from 'phoenix';

export function connect(url, options = {}) {
  const socket = new Socket(`${url}/socket`, { transport: PQWebSocket, ...options }); // was: without transport
  socket.connect();
  return socket;
}

/** @returns what the server answered a push or a join */
export const answered = (push) =>
  new Promise((resolve, reject) => {
    push
      .receive('ok', resolve)
      .receive('error', reject)
      .receive('timeout', () => reject(new Error('no answer')));
  });

export async function runClient(url, text = 'hello, room') {
  const socket = connect(url);
  const channel = socket.channel('room:lobby', { name: 'Ada' });
  const heard = new Promise((resolve) => channel.on('said', ({ name, text: what }) => resolve(`${name}: ${what}`)));
  await answered(channel.join());
  await answered(channel.push('say', { text }));
  const said = [await heard];
  await new Promise((resolve) => socket.disconnect(resolve));
  return said;
}
