import { WebSocketProvider } from 'ethers';
import { PQWebSocket } from 'pq-websocket';

export const connect = (url) => new WebSocketProvider(() => new PQWebSocket(url)); // was: new WebSocketProvider(url)

export async function runClient(url, text = 'hello') {
  const provider = connect(url);
  const said = [await provider.send('web3_clientVersion', [text])];
  const block = await new Promise((resolve) => provider.once('block', resolve));
  said.push(`a block: ${block > 0}`);
  await provider.destroy();
  return said;
}
