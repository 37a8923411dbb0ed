import { adapters, createConsumer } from '@rails/actioncable';
import { PQWebSocket } from 'pq-websocket';

adapters.WebSocket = PQWebSocket; // the line that is new

export const connect = (url) => createConsumer(`${url}/cable`);

/** @returns the subscription, once the server has confirmed it */
export const subscribe = (consumer, params, received = () => {}) =>
  new Promise((resolve, reject) => {
    const subscription = consumer.subscriptions.create(params, {
      connected: () => resolve(subscription),
      rejected: () => reject(new Error('rejected')),
      received,
    });
  });

export async function runClient(url, text = 'hello, cable') {
  const consumer = connect(url);
  let hear;
  const heard = new Promise((resolve) => {
    hear = resolve;
  });
  const chat = await subscribe(consumer, { channel: 'ChatChannel', room: 'lobby' }, hear);
  chat.perform('say', { text });
  const said = [(await heard).text];
  consumer.disconnect();
  return said;
}
