/** What both modes of MQTT.js in Node must do: over a `ws`-style socket as a stream, and over the standard's class. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

const nextMessage = (client) =>
  new Promise((resolve) => {
    client.once('message', (topic, payload, packet) => resolve({ topic, payload, packet }));
  });

/** @param connect as the example's, for one mode */
export function mqttCases(connect) {
  return {
    async 'QoS 0, 1 and 2, each way'({ url, secret }) {
      const client = await connect(url);
      for (const qos of [0, 1, 2]) {
        const topic = secret(`qos${qos}`);
        const text = secret('payload');
        await client.subscribeAsync(topic, { qos });
        const heard = nextMessage(client);
        await client.publishAsync(topic, text, { qos });
        const { payload, packet } = await heard;
        assert.deepEqual([payload.toString(), packet.qos], [text, qos]);
      }
      await client.endAsync();
    },
    async 'a retained message, for who subscribes later'({ url, secret }) {
      const [publisher, subscriber] = await Promise.all([connect(url), connect(url)]);
      const topic = secret('retained');
      const text = secret('payload');
      await publisher.publishAsync(topic, text, { qos: 1, retain: true });
      const heard = nextMessage(subscriber);
      await subscriber.subscribeAsync(topic);
      const { payload, packet } = await heard;
      assert.deepEqual([payload.toString(), packet.retain], [text, true]);
      await Promise.all([publisher.endAsync(), subscriber.endAsync()]);
    },
    async 'the will of a client whose connection is cut'({ url, tap, secret }) {
      const watcher = await connect(url);
      const topic = secret('will');
      const text = secret('last-words');
      await watcher.subscribeAsync(topic);
      const heard = nextMessage(watcher);
      const mortal = await connect(url, { will: { topic, payload: text, qos: 1 }, reconnectPeriod: 0 });
      mortal.on('error', () => undefined);
      tap.connections.at(-1).cut();
      assert.equal((await heard).payload.toString(), text);
      await Promise.all([watcher.endAsync(), mortal.endAsync(true)]);
    },
    async 'a payload of 1 MiB, byte for byte'({ url, secret }) {
      const client = await connect(url);
      const topic = secret('large');
      const payload = randomBytes(1024 * 1024);
      const marker = secret('inside');
      payload.write(marker, 500_000);
      await client.subscribeAsync(topic, { qos: 1 });
      const heard = nextMessage(client);
      await client.publishAsync(topic, payload, { qos: 1 });
      assert((await heard).payload.equals(payload));
      await client.endAsync();
    },
    async 'user name and password, refused and accepted'({ url, server, hide }) {
      const password = Buffer.from('the password of MQTT');
      hide(password);
      server.broker.authenticate = (_client, _user, given, done) => done(null, given?.equals(password) ?? false);
      try {
        await assert.rejects(
          connect(url, { username: 'me', password: 'wrong', reconnectPeriod: 0 }),
          /Not authorized|Bad user/,
        );
        const client = await connect(url, { username: 'me', password });
        await client.endAsync();
      } finally {
        server.broker.authenticate = (_client, _user, _given, done) => done(null, true);
      }
    },
    async 'keep-alive, and a reconnection with its subscriptions after a cut'({ url, tap, secret }) {
      const client = await connect(url, { keepalive: 1, reconnectPeriod: 20 });
      const topic = secret('again');
      await client.subscribeAsync(topic, { qos: 1 });
      await new Promise((resolve) => {
        client.on('packetreceive', ({ cmd }) => {
          if (cmd === 'pingresp') resolve();
        });
      });
      const again = new Promise((resolve) => {
        client.once('connect', resolve);
      });
      tap.connections.at(-1).cut();
      await again;
      const heard = nextMessage(client);
      const text = secret('after');
      await client.publishAsync(topic, text, { qos: 1 });
      assert.equal((await heard).payload.toString(), text);
      await client.endAsync();
    },
  };
}
