import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/viem/client.js';
import { startServer } from '../../../examples/viem/server.js';

const close = async (client) => (await client.transport.getRpcClient()).close();

export default {
  library: 'viem',
  page: 'viem',
  side: 'client',
  plug: ['install() // of pq-websocket/polyfill, before the first connection'],
  words: ['eth_blockNumber', 'eth_subscription', 'jsonrpc'],
  start: () => startServer(0, 30),
  cases: {
    async 'the example: a call, and a block by subscription'({ url, secret }) {
      const text = secret('call');
      assert.deepEqual(await runClient(url, text), [`a node of the example ${text}`, 'a block: true']);
    },
    async 'blocks by subscription, in their order, then unsubscribed'({ url, server }) {
      const client = connect(`${url}/blocks`);
      const heights = [];
      await new Promise((resolve, reject) => {
        const stop = client.watchBlocks({
          onError: reject,
          onBlock({ number }) {
            if (heights.push(Number(number)) < 4) return;
            stop();
            resolve();
          },
        });
      });
      for (let i = 1; i < 4; i++) assert(heights[i] > heights[i - 1]);
      await client.getChainId();
      assert.equal(server.subscribers.size, 0);
      await close(client);
    },
    async 'many calls at once, and an error of the server'({ url, secret }) {
      const client = connect(`${url}/many`, { retryCount: 0 });
      const texts = Array.from({ length: 30 }, () => secret('many'));
      const call = (text) => client.request({ method: 'web3_clientVersion', params: [text] });
      assert.deepEqual(
        await Promise.all(texts.map(call)),
        texts.map((text) => `a node of the example ${text}`),
      );
      const method = secret('unknown');
      await assert.rejects(client.request({ method }), new RegExp(method));
      await close(client);
    },
    async 'keep-alive, and a reconnection after a cut'({ url, tap, secret }) {
      const client = connect(`${url}/cut`, { keepAlive: { interval: 50 }, reconnect: { delay: 20, attempts: 5 } });
      assert.equal(await client.getChainId(), 1);
      const before = tap.connections.length;
      tap.connections.at(-1).cut();
      const text = secret('after-the-cut');
      const said = await client.request({ method: 'web3_clientVersion', params: [text] });
      assert.equal(said, `a node of the example ${text}`);
      assert(tap.connections.length > before);
      await close(client);
    },
  },
};
