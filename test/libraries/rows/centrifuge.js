import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/centrifuge/client.js';
import { startServer } from '../../../examples/centrifuge/server.js';
import { heard, nextEnd } from '../shared/ends.js';

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));

export default {
  library: 'centrifuge',
  page: 'centrifuge',
  side: 'client',
  plug: ['new Centrifuge(url, { websocket: PQWebSocket })'],
  words: ['"subscribe"', '"publish"', '"connect"'],
  start: () => startServer(0),
  cases: {
    async 'the example: a publication, and a call'({ url, secret }) {
      const text = secret('said');
      assert.deepEqual(await runClient(url, text), [text, 'UTC']);
    },
    async 'errors of a channel and of a call'({ url, secret }) {
      const client = connect(url);
      const subscription = client.newSubscription(`$${secret('channel')}`);
      const refused = once(subscription, 'unsubscribed');
      subscription.subscribe();
      assert.deepEqual(await refused, { channel: subscription.channel, code: 102, reason: 'unknown channel' });
      await assert.rejects(client.rpc(secret('method'), {}), { code: 104 });
      client.disconnect();
    },
    async 'a server’s publication reaches every subscriber'({ url, server, secret }) {
      const channel = secret('channel');
      const clients = [connect(url), connect(url)];
      const subscriptions = clients.map((client) => {
        const subscription = client.newSubscription(channel);
        subscription.subscribe();
        return subscription;
      });
      await Promise.all(subscriptions.map((subscription) => subscription.ready()));
      const all = Promise.all(subscriptions.map((subscription) => once(subscription, 'publication')));
      const data = { text: secret('text') };
      server.publish(channel, data);
      assert.deepEqual(
        (await all).map((each) => each.data),
        [data, data],
      );
      for (const client of clients) client.disconnect();
    },
    async 'pings are answered'({ url, server }) {
      const client = connect(url);
      await client.ready();
      // An empty command is a pong.
      await heard(server.server, (text) => text.split('\n').includes('{}'));
      client.disconnect();
    },
    async 'a cut: it connects again, and subscribes again'({ url, tap, server, secret }) {
      const channel = secret('channel');
      const client = connect(url, { minReconnectDelay: 10, maxReconnectDelay: 20 });
      const subscription = client.newSubscription(channel);
      subscription.subscribe();
      await subscription.ready();
      const again = once(subscription, 'subscribed');
      tap.connections.at(-1).cut();
      await again;
      const publication = once(subscription, 'publication');
      const text = secret('after');
      server.publish(channel, { text });
      assert.equal((await publication).data.text, text);
      client.disconnect();
    },
    async 'a disconnect closes cleanly'({ url, server }) {
      const end = nextEnd(server.server);
      const client = connect(url);
      await client.ready();
      const gone = once(client, 'disconnected');
      client.disconnect();
      assert.equal((await gone).code, 0);
      assert.notEqual(await end, 1006);
    },
  },
};
