import assert from 'node:assert/strict';
import * as Y from 'yjs';
import { join, runClient } from '../../../examples/yjs/client.js';
import { startServer } from '../../../examples/yjs/server.js';

/** Resolves when both documents hold the same, and `text` is in it. */
function converged(one, two, text) {
  return new Promise((resolve) => {
    const look = () => {
      const [a, b] = [one, two].map(({ document }) =>
        JSON.stringify([document.getText('body').toString(), Object.entries(document.getMap('facts').toJSON()).sort()]),
      );
      if (a === b && a.includes(text)) resolve(a);
    };
    for (const { document } of [one, two]) document.on('update', look);
    look();
  });
}

const status = (provider, wanted) =>
  new Promise((resolve) => {
    const listen = ({ status: now }) => {
      if (now !== wanted) return;
      provider.off('status', listen);
      resolve();
    };
    provider.on('status', listen);
  });

const leave = (...members) =>
  members.forEach(({ provider, document }) => {
    provider.destroy();
    document.destroy();
  });

export default {
  library: 'y-websocket',
  with: ['yjs', '@y/websocket-server'],
  page: 'yjs',
  side: 'client and server',
  plug: [
    'new WebsocketProvider(url, room, doc, { WebSocketPolyfill: PQWebSocket })',
    "server.on('connection', setupWSConnection)",
  ],
  words: ['awareness'],
  start: () => startServer(0),
  cases: {
    async 'the example: what one writes, the other reads'({ url, secret }) {
      const text = secret('written');
      assert.deepEqual(await runClient(url, text), [text]);
    },
    async 'two documents that are edited at once converge'({ url, secret }) {
      const [one, two] = [join(url, 'converge'), join(url, 'converge')];
      const texts = [secret('one'), secret('two')];
      [one, two].forEach(({ document }, index) => {
        const body = document.getText('body');
        for (const letter of texts[index]) body.insert(body.length, letter);
        document.getMap('facts').set(`author${index}`, texts[index]);
      });
      const marker = secret('marker');
      one.document.getText('body').insert(0, marker);
      two.document.getMap('facts').set('done', true);
      await converged(one, two, marker);
      await converged(one, two, '"done",true');
      const facts = one.document.getMap('facts').toJSON();
      assert.deepEqual([facts.author0, facts.author1], texts);
      assert.deepEqual(Y.encodeStateVector(one.document), Y.encodeStateVector(two.document));
      leave(one, two);
    },
    async 'awareness: who is here, and who has left'({ url, secret }) {
      const [one, two] = [join(url, 'aware'), join(url, 'aware')];
      const name = secret('name');
      const seen = (wanted) =>
        new Promise((resolve) => {
          const { awareness } = two.provider;
          const look = () => {
            if ([...awareness.getStates().values()].some((state) => state.name === name) === wanted) resolve();
          };
          awareness.on('change', look);
          look();
        });
      one.provider.awareness.setLocalStateField('name', name);
      await seen(true);
      leave(one);
      await seen(false);
      leave(two);
    },
    async 'edits made while the connection was cut arrive'({ url, tap, secret }) {
      const [one, two] = [join(url, 'cut'), join(url, 'cut')];
      const first = secret('first');
      one.document.getText('body').insert(0, first);
      await converged(one, two, first);
      const gone = status(one.provider, 'disconnected');
      const back = status(one.provider, 'connected');
      tap.connections.at(-2).cut();
      await gone;
      const offline = secret('offline');
      one.document.getText('body').insert(0, offline);
      await back;
      await converged(one, two, offline);
      leave(one, two);
    },
    async 'a close with 4400 to 4499, after which y-websocket does not come again'({ url, server, secret }) {
      const accepted = new Promise((resolve) => {
        server.server.once('connection', resolve);
      });
      const member = join(url, 'expelled');
      const socket = await accepted;
      const closed = new Promise((resolve) => {
        member.provider.once('connection-close', resolve);
      });
      const reason = secret('reason');
      socket.close(4403, reason);
      const { code, reason: said } = await closed;
      assert.deepEqual([code, said], [4403, reason]);
      leave(member);
    },
  },
};
