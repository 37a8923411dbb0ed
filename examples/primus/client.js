import { install } from 'pq-websocket/polyfill';
import Primus from 'primus';

install(); // the line that is new: Primus’s client uses the global WebSocket
Object.defineProperty(globalThis, 'WebSocket', { enumerable: true }); // and this on Node: what is enumerable is all that it sees there

export const connect = (url, options = {}) => {
  const Socket = Primus.createSocket({ transformer: 'websockets', parser: options.parser });
  return new Socket(url.replace('ws:', 'http:'), options);
};

export async function runClient(url, text = 'hello, spark') {
  const primus = connect(url);
  const heard = new Promise((resolve) => primus.on('data', ({ said }) => resolve(said)));
  primus.write({ say: text });
  const said = [await heard];
  const ended = new Promise((resolve) => primus.on('end', resolve));
  primus.end();
  await ended;
  return said;
}
