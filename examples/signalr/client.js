import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { PQWebSocket } from 'pq-websocket';

export const build = (url, { retries = [0, 2_000, 10_000, 30_000], protocol } = {}) => {
  const builder = new HubConnectionBuilder()
    .withUrl(url, {
      WebSocket: PQWebSocket, // new: the class underneath
      transport: HttpTransportType.WebSockets, // new: Server-Sent Events and long polling would not be sealed,
      skipNegotiation: true, // and neither would the request that chooses among them
    })
    .withAutomaticReconnect(retries)
    .configureLogging(LogLevel.None);
  return (protocol === undefined ? builder : builder.withHubProtocol(protocol)).build();
};

export async function runClient(url, text = 'hello, hub') {
  const connection = build(`${url.replace('ws:', 'http:')}/chat`);
  const heard = new Promise((resolve) => connection.on('said', (user, what) => resolve(`${user}: ${what}`)));
  await connection.start();
  const length = await connection.invoke('Say', 'Ada', text);
  const said = [await heard, `${length} characters`];
  await connection.stop();
  return said;
}
