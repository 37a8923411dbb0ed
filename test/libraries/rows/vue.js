import assert from 'node:assert/strict';
import { effectScope, ref, watch } from 'vue';
import { runClient, usePQWebSocket } from '../../../examples/vue/client.js';
import { startServer } from '../../../examples/vue/server.js';
import { nextEnd } from '../shared/ends.js';

/** Resolves when a ref has that value. */
const becomes = (source, wanted) =>
  new Promise((resolve) => {
    watch(source, (value) => value === wanted && resolve(), { immediate: true, flush: 'sync' });
  });

export default {
  library: 'vue',
  page: '../frameworks/vue',
  side: 'client',
  plug: ['const { state, data, send } = usePQWebSocket(url) // a composable of a screenful'],
  words: ['see you'],
  start: () => startServer(0),
  cases: {
    async 'the example'({ url, secret }) {
      const text = secret('vue');
      assert.deepEqual(await runClient(url, text), [text]);
    },
    async 'bytes; the server’s close is a state'({ url, secret }) {
      const scope = effectScope();
      const { state, data, send } = scope.run(() => usePQWebSocket(url));
      const bytes = new TextEncoder().encode(secret('bytes'));
      const heard = new Promise((resolve) => watch(data, resolve, { flush: 'sync' }));
      send(bytes);
      assert.deepEqual(new Uint8Array(await (await heard).arrayBuffer()), bytes);
      send('bye');
      await becomes(state, 'closed');
      scope.stop();
    },
    async 'a cut is a state; another address opens again'({ url, tap, secret }) {
      const scope = effectScope();
      const address = ref(url);
      const { state, data, send } = scope.run(() => usePQWebSocket(address));
      await becomes(state, 'open');
      tap.connections.at(-1).cut();
      await becomes(state, 'closed');
      address.value = `${url}/again`;
      await becomes(state, 'open');
      const text = secret('after');
      send(text);
      await becomes(data, text);
      scope.stop();
    },
    async 'the end of the scope closes cleanly, also before it is open'({ url, server }) {
      const early = effectScope();
      early.run(() => usePQWebSocket(url));
      early.stop();
      const end = nextEnd(server.server);
      const scope = effectScope();
      const { state } = scope.run(() => usePQWebSocket(`${url}/last`));
      await becomes(state, 'open');
      scope.stop();
      assert.equal(await end, 1000);
    },
  },
};
