import { install } from 'pq-websocket/polyfill';
import { createPublicClient, webSocket } from 'viem';
import { mainnet } from 'viem/chains';

install(); // the line that is new: before its first connection viem looks for the global WebSocket

export const connect = (url, options = {}) =>
  createPublicClient({ chain: mainnet, transport: webSocket(url, options) });

export async function runClient(url, text = 'hello') {
  const client = connect(url);
  const said = [await client.request({ method: 'web3_clientVersion', params: [text] })];
  const number = await new Promise((resolve, reject) => {
    const stop = client.watchBlockNumber({
      onBlockNumber: (height) => {
        stop();
        resolve(height);
      },
      onError: reject,
    });
  });
  said.push(`a block: ${number > 0n}`);
  (await client.transport.getRpcClient()).close();
  return said;
}
