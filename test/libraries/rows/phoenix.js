import assert from 'node:assert/strict';
import { answered, connect, runClient } from '../../../examples/phoenix/client.js';
import { startServer } from '../../../examples/phoenix/server.js';
import { deferred, nextEnd } from '../shared/ends.js';

const QUICK = { reconnectAfterMs: () => 10, rejoinAfterMs: () => 10 };

const disconnected = (socket) => new Promise((resolve) => socket.disconnect(resolve));

export default {
  library: 'phoenix',
  page: 'phoenix',
  side: 'client',
  plug: ['new Socket(url, { transport: PQWebSocket })'],
  words: ['phx_join', 'phx_reply', 'room:lobby'],
  start: () => startServer(0),
  cases: {
    async 'the example: a room'({ url, secret }) {
      const text = secret('said');
      assert.deepEqual(await runClient(url, text), [`Ada: ${text}`]);
    },
    async 'a join that is refused, with its reason'({ url }) {
      const socket = connect(url);
      await assert.rejects(answered(socket.channel('room:lobby', {}).join()), { reason: 'a name is needed' });
      await disconnected(socket);
    },
    async 'bytes: pushed, answered and broadcast'({ url, secret }) {
      const socket = connect(url);
      const channel = socket.channel(`room:${secret('topic')}`, { name: 'Ada' });
      await answered(channel.join());
      const shown = deferred();
      channel.on('shown', shown.resolve);
      const bytes = new TextEncoder().encode(secret('bytes'));
      assert.deepEqual(new Uint8Array(await answered(channel.push('picture', bytes.buffer))), bytes);
      assert.deepEqual(new Uint8Array(await shown.promise), bytes);
      await disconnected(socket);
    },
    async 'a cut: it connects again, joins again, and says what was said meanwhile'({ url, tap, secret }) {
      const socket = connect(url, QUICK);
      const topic = `room:${secret('topic')}`;
      const channel = socket.channel(topic, { name: 'Ada' });
      await answered(channel.join());
      const lost = deferred();
      channel.onError(lost.resolve);
      const heard = deferred();
      channel.on('said', ({ text }) => heard.resolve(text));
      tap.connections.at(-1).cut();
      await lost.promise;
      // Kept until the channel is joined again.
      const text = secret('meanwhile');
      await answered(channel.push('say', { text }));
      assert.equal(await heard.promise, text);
      await disconnected(socket);
    },
    async 'a heartbeat is answered, and a disconnect closes cleanly'({ url, server }) {
      const end = nextEnd(server.server);
      const socket = connect(url);
      await new Promise((resolve) => socket.onOpen(resolve));
      await new Promise((resolve) => socket.ping(resolve));
      await disconnected(socket);
      assert.notEqual(await end, 1006);
    },
  },
};
