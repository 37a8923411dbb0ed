import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/discord/client.js';
import { startServer } from '../../../examples/discord/server.js';
import { deferred, heard, nextEnd } from '../shared/ends.js';

const TOKEN = 'the token of this bot';
/** Its opcode. */
const HEARTBEAT = 1;

export default {
  library: '@discordjs/ws',
  page: 'discord',
  side: 'client',
  plug: ['node --import pq-websocket/register bot.js'],
  words: ['heartbeat_interval', '"READY"', 'session_id'],
  start({ hide }) {
    hide(TOKEN);
    return startServer(0, { token: TOKEN, heartbeatMilliseconds: 1_000 });
  },
  cases: {
    async 'the example: a presence'({ url, secret }) {
      const text = secret('presence');
      assert.deepEqual(await runClient(url, text, TOKEN), [text]);
    },
    async 'heartbeats, and an event of the server'({ url, server, secret }) {
      const event = deferred();
      const manager = await connect(url, TOKEN, ({ t, d }) => t === 'MESSAGE_CREATE' && event.resolve(d.content));
      const text = secret('message');
      server.dispatch('MESSAGE_CREATE', { content: text });
      assert.equal(await event.promise, text);
      await heard(server.server, (text) => JSON.parse(text).op === HEARTBEAT);
      await manager.destroy();
    },
    async 'a cut: the session is resumed, and what was missed is told'({ url, tap, server, secret }) {
      const [missed, again] = [deferred(), deferred()];
      const manager = await connect(url, TOKEN, ({ t, d }) => {
        if (t === 'MESSAGE_CREATE') missed.resolve(d.content);
        if (t === 'RESUMED') again.resolve();
      });
      const before = server.resumed.length;
      tap.connections.at(-1).cut();
      const text = secret('missed');
      server.dispatch('MESSAGE_CREATE', { content: text });
      await again.promise;
      assert.equal(await missed.promise, text);
      assert.equal(server.resumed.length, before + 1);
      await manager.destroy();
    },
    async 'a destruction closes cleanly, with Discord’s code'({ url, server }) {
      const end = nextEnd(server.server);
      const manager = await connect(url, TOKEN);
      await manager.destroy();
      assert.equal(await end, 1000);
    },
  },
};
