import { Client } from '@stomp/stompjs';
import { PQWebSocket } from 'pq-websocket';

export function connect(url, options = {}) {
  const client = new Client({ webSocketFactory: () => new PQWebSocket(url, ['v12.stomp']), ...options }); // was: { brokerURL: url }
  return new Promise((resolve, reject) => {
    client.onConnect = () => resolve(client);
    client.onStompError = ({ headers }) => reject(new Error(headers.message));
    client.activate();
  });
}

export async function runClient(url, text = 'hello, queue') {
  const client = await connect(url);
  const heard = new Promise((resolve) => client.subscribe('/topic/news', ({ body }) => resolve(body)));
  client.publish({ destination: '/topic/news', body: text });
  const said = [await heard];
  await client.deactivate();
  return said;
}
