import assert from 'node:assert/strict';
import { Connection, ConnectionMonitor } from '@rails/actioncable';
import { connect, runClient, subscribe } from '../../../examples/actioncable/client.js';
import { startServer } from '../../../examples/actioncable/server.js';
import { deferred, nextEnd } from '../shared/ends.js';

// What the client takes from a page: it looks whether the page is seen.
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};

// It looks every few seconds whether anything has come.
ConnectionMonitor.staleThreshold = 0.5;
Connection.reopenDelay = 10;
const PING_MS = 50;

export default {
  library: '@rails/actioncable',
  page: 'actioncable',
  side: 'client',
  plug: ['adapters.WebSocket = PQWebSocket'],
  words: ['welcome', 'confirm_subscription', 'ChatChannel'],
  start: () => startServer(0, PING_MS),
  cases: {
    async 'the example: a chat'({ url, secret }) {
      const text = secret('said');
      assert.deepEqual(await runClient(url, text), [text]);
    },
    async 'rooms: only subscribers hear, and one is refused'({ url, secret }) {
      const consumers = [connect(url), connect(url)];
      const room = secret('room');
      const heard = deferred();
      await subscribe(consumers[0], { channel: 'ChatChannel', room }, ({ text }) => heard.resolve(text));
      const other = [];
      await subscribe(consumers[1], { channel: 'ChatChannel', room: 'elsewhere' }, (message) => other.push(message));
      const speaker = await subscribe(connect(url), { channel: 'ChatChannel', room });
      const text = secret('text');
      speaker.perform('say', { text });
      assert.equal(await heard.promise, text);
      assert.deepEqual(other, []);
      await assert.rejects(subscribe(consumers[1], { channel: 'ChatChannel', room: 'private' }), /rejected/);
      for (const consumer of [...consumers, speaker.consumer]) consumer.disconnect();
    },
    async 'told to and after a cut, it connects again, and subscribes again'({ url, tap, server, secret }) {
      const consumer = connect(url);
      const room = secret('room');
      const heard = deferred();
      const chat = await subscribe(consumer, { channel: 'ChatChannel', room }, ({ text }) => heard.resolve(text));
      const back = deferred();
      chat.connected = back.resolve;
      server.disconnectAll('server_restart', true);
      await back.promise;
      const third = deferred();
      chat.connected = third.resolve;
      tap.connections.at(-1).cut();
      await third.promise;
      const text = secret('after');
      chat.perform('say', { text });
      assert.equal(await heard.promise, text);
      consumer.disconnect();
    },
    async 'a disconnect closes cleanly'({ url, server }) {
      const end = nextEnd(server.server);
      const consumer = connect(url);
      await subscribe(consumer, { channel: 'ChatChannel', room: 'last' });
      consumer.disconnect();
      assert.notEqual(await end, 1006);
    },
  },
};
