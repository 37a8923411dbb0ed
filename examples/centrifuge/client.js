import { Centrifuge } from 'centrifuge';
import { PQWebSocket } from 'pq-websocket';

export const connect = (url, options = {}) => {
  const client = new Centrifuge(`${url}/connection/websocket`, { websocket: PQWebSocket, ...options }); // was: without websocket
  client.connect();
  return client;
};

export async function runClient(url, text = 'hello, channel') {
  const client = connect(url);
  const subscription = client.newSubscription('news');
  const heard = new Promise((resolve) => subscription.on('publication', ({ data }) => resolve(data.text)));
  subscription.subscribe();
  await subscription.ready();
  await subscription.publish({ text });
  const said = [await heard, (await client.rpc('time', {})).data.zone];
  client.disconnect();
  return said;
}
