import assert from 'node:assert/strict';
import { ERR_INVALID_AUTH, callService, getConfig, subscribeEntities } from 'home-assistant-js-websocket';
import { connect, runClient } from '../../../examples/home-assistant/client.js';
import { startServer } from '../../../examples/home-assistant/server.js';
import { deferred, nextEnd } from '../shared/ends.js';

const TOKEN = 'the long-lived token of this house';

export default {
  library: 'home-assistant-js-websocket',
  page: 'home-assistant',
  side: 'client',
  plug: ['install() // of pq-websocket/polyfill'],
  words: ['auth_required', 'call_service', 'light.kitchen'],
  start({ hide }) {
    hide(TOKEN);
    return startServer(0, TOKEN);
  },
  cases: {
    async 'the example: a light is switched on'({ url, secret }) {
      const text = secret('name');
      assert.deepEqual(await runClient(url, text, TOKEN), [`${text} is on`]);
    },
    async 'a wrong token'({ url, secret }) {
      await assert.rejects(connect(url, secret('wrong')), (error) => error === ERR_INVALID_AUTH);
    },
    async 'a question, a ping, and a service that does not exist'({ url, secret }) {
      const connection = await connect(url, TOKEN);
      assert.equal((await getConfig(connection)).state, 'RUNNING');
      await connection.ping();
      await assert.rejects(callService(connection, secret('domain'), 'service'), { code: 'unknown_error' });
      connection.close();
    },
    async 'a cut: it connects again, and is told of changes again'({ url, tap, secret }) {
      const connection = await connect(url, TOKEN);
      const text = secret('after');
      const seen = deferred();
      const stop = subscribeEntities(connection, (entities) => {
        if (entities['light.kitchen']?.attributes.friendly_name === text) seen.resolve();
      });
      const ready = new Promise((resolve) => connection.addEventListener('ready', resolve));
      tap.connections.at(-1).cut();
      await ready;
      await callService(connection, 'light', 'turn_on', { friendly_name: text }, { entity_id: 'light.kitchen' });
      await seen.promise;
      stop();
      connection.close();
    },
    async 'a close is clean'({ url, server }) {
      const end = nextEnd(server.server);
      const connection = await connect(url, TOKEN);
      connection.close();
      assert.notEqual(await end, 1006);
    },
  },
};
