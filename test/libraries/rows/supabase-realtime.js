import assert from 'node:assert/strict';
import { connect, runClient, subscribed } from '../../../examples/supabase-realtime/client.js';
import { startServer } from '../../../examples/supabase-realtime/server.js';
import { deferred, nextEnd } from '../shared/ends.js';

export default {
  library: '@supabase/realtime-js',
  page: 'supabase-realtime',
  side: 'client',
  plug: ['createClient(url, key, { realtime: { transport: PQWebSocket } })'],
  words: ['phx_join', 'realtime:room', 'presence_state'],
  start: () => startServer(0),
  cases: {
    async 'the example: a broadcast'({ url, secret }) {
      const text = secret('said');
      assert.deepEqual(await runClient(url, text), [text]);
    },
    async 'a broadcast of bytes, acknowledged'({ url, secret }) {
      const [one, two] = [connect(url), connect(url)];
      const config = { config: { broadcast: { ack: true } } };
      const channels = [one, two].map((client) => client.channel('bytes', config));
      const heard = deferred();
      channels[1].on('broadcast', { event: 'file' }, ({ payload }) => heard.resolve(payload));
      await Promise.all(channels.map(subscribed));
      const bytes = new TextEncoder().encode(secret('bytes'));
      assert.equal(await channels[0].send({ type: 'broadcast', event: 'file', payload: bytes.buffer }), 'ok');
      assert.deepEqual(new Uint8Array(await heard.promise), bytes);
      await Promise.all([one, two].map((client) => client.removeAllChannels()));
    },
    async 'presence: who comes, and who leaves'({ url, secret }) {
      const [one, two] = [connect(url), connect(url)];
      const names = { ada: secret('ada'), ben: secret('ben') };
      const room = (client, key) => client.channel('presence', { config: { presence: { key } } });
      const [ada, ben] = [room(one, 'ada'), room(two, 'ben')];
      const left = deferred();
      const met = deferred();
      ada.on('presence', { event: 'sync' }, () => {
        const state = ada.presenceState();
        if (state.ben?.[0].name === names.ben) met.resolve();
      });
      ada.on('presence', { event: 'leave' }, ({ key }) => key === 'ben' && left.resolve());
      await subscribed(ada);
      await subscribed(ben);
      await ben.track({ name: names.ben });
      await met.promise;
      await ben.untrack();
      await left.promise;
      await Promise.all([one, two].map((client) => client.removeAllChannels()));
    },
    async 'a row of the database changes'({ url, server, secret }) {
      const client = connect(url);
      const channel = client.channel('notes');
      const changed = deferred();
      const ready = deferred();
      channel
        .on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'notes' }, changed.resolve)
        .on('system', {}, ready.resolve);
      await subscribed(channel);
      await ready.promise;
      const text = secret('row');
      server.change('notes', 'INSERT', { text });
      const { eventType, new: row } = await changed.promise;
      assert.deepEqual([eventType, row], ['INSERT', { text }]);
      await client.removeAllChannels();
    },
    async 'a cut: it connects again, and its channels with it'({ url, tap, secret }) {
      const client = connect(url, { reconnectAfterMs: () => 10 });
      const config = { config: { broadcast: { self: true } } };
      const channel = client.channel('cut', config);
      const heard = deferred();
      channel.on('broadcast', { event: 'said' }, ({ payload }) => heard.resolve(payload.text));
      const states = [deferred(), deferred(), deferred()];
      const waiting = [...states];
      channel.subscribe((state) => waiting.shift()?.resolve(state));
      assert.equal(await states[0].promise, 'SUBSCRIBED');
      tap.connections.at(-1).cut();
      assert.equal(await states[1].promise, 'CHANNEL_ERROR');
      assert.equal(await states[2].promise, 'SUBSCRIBED');
      const text = secret('after');
      await channel.send({ type: 'broadcast', event: 'said', payload: { text } });
      assert.equal(await heard.promise, text);
      await client.removeAllChannels();
    },
    async 'a disconnect closes cleanly'({ url, server }) {
      const end = nextEnd(server.server);
      const client = connect(url);
      await subscribed(client.channel('last'));
      client.disconnect();
      assert.notEqual(await end, 1006);
    },
  },
};
