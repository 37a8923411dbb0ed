import { CommonClient } from 'rpc-websockets';
import { WebSocket } from 'pq-websocket/ws';

/** It waits for the callback of `send`, as npm ws has it; in a browser its own Client runs over the polyfilled global. */
export function connect(url, options = {}) {
  const client = new CommonClient((address) => new WebSocket(address), url, options); // was: new Client(url)
  return new Promise((resolve, reject) => {
    client.once('open', () => resolve(client));
    client.once('error', reject);
  });
}

export async function runClient(url, text = 'hello, RPC') {
  const client = await connect(url);
  const said = [await client.call('sum', [2, 3]), await client.call('echo', [text])];
  client.close();
  return said;
}
