import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/rpc-websockets/client.js';
import { startServer } from '../../../examples/rpc-websockets/server.js';
import { refusesPlain } from '../shared/server-cases.js';

export default {
  library: 'rpc-websockets',
  page: 'rpc-websockets',
  side: 'client and server',
  plug: ['new CommonClient((address) => new WebSocket(address), url)', 'secureServer(rpc.wss)'],
  words: ['jsonrpc', '"notification"'],
  start: () => startServer(0),
  cases: {
    async 'the example: two calls'({ url, secret }) {
      const text = secret('rpc');
      assert.deepEqual(await runClient(url, text), [5, text]);
    },
    async 'many calls at once, and an error'({ url, secret }) {
      const client = await connect(url);
      const texts = Array.from({ length: 30 }, () => secret('many'));
      assert.deepEqual(await Promise.all(texts.map((text) => client.call('echo', [text]))), texts);
      await assert.rejects(client.call(secret('unknown'), []), { code: -32601 });
      client.close();
    },
    async 'notifications to who has subscribed'({ url, server, secret }) {
      const [member, stranger] = await Promise.all([connect(url), connect(url)]);
      await member.subscribe('news');
      stranger.on('news', () => assert.fail('it did not subscribe'));
      const heard = new Promise((resolve) => {
        member.once('news', resolve);
      });
      const text = secret('news');
      server.rpc.emit('news', text);
      assert.equal(await heard, text);
      assert.equal(await stranger.call('echo', ['x']), 'x');
      member.close();
      stranger.close();
    },
    async 'a reconnection after a cut'({ url, tap, secret }) {
      const client = await connect(url, { reconnect_interval: 10 });
      client.on('error', () => undefined);
      const again = new Promise((resolve) => {
        client.once('open', resolve);
      });
      tap.connections.at(-1).cut();
      await again;
      const text = secret('after');
      assert.equal(await client.call('echo', [text]), text);
      client.setAutoReconnect(false);
      client.close();
    },
    ...refusesPlain(''),
  },
};
