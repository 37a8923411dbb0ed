import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/ethers/client.js';
import { startServer } from '../../../examples/ethers/server.js';

export default {
  library: 'ethers',
  page: 'ethers',
  side: 'client',
  plug: ['new WebSocketProvider(() => new PQWebSocket(url))'],
  words: ['eth_blockNumber', 'eth_subscription', 'jsonrpc'],
  start: () => startServer(0, 30),
  cases: {
    async 'the example: a call, and a block by subscription'({ url, secret }) {
      const text = secret('call');
      assert.deepEqual(await runClient(url, text), [`a node of the example ${text}`, 'a block: true']);
    },
    async 'blocks in their order, then unsubscribed'({ url, server }) {
      const provider = connect(url);
      const heights = [];
      await new Promise((resolve) => {
        provider.on('block', (height) => heights.push(height) === 4 && resolve());
      });
      for (let i = 1; i < 4; i++) assert.equal(heights[i], heights[i - 1] + 1);
      assert.equal(server.subscribers.size, 1);
      await provider.removeAllListeners('block');
      await provider.getBlockNumber();
      assert.equal(server.subscribers.size, 0);
      await provider.destroy();
    },
    async 'many calls at once, and an error of the server'({ url, secret }) {
      const provider = connect(url);
      const texts = Array.from({ length: 30 }, () => secret('many'));
      assert.deepEqual(
        await Promise.all(texts.map((text) => provider.send('web3_clientVersion', [text]))),
        texts.map((text) => `a node of the example ${text}`),
      );
      const method = secret('unknown');
      await assert.rejects(provider.send(method, []), new RegExp(method));
      assert.equal((await provider.getBlock(105)).number, 105);
      await provider.destroy();
    },
  },
};
