import assert from 'node:assert/strict';
import { createElement } from 'react';
import { Echo, render, runClient } from '../../../examples/react-use-websocket/client.js';
import { startServer } from '../../../examples/react-use-websocket/server.js';

const main = () => document.body.appendChild(document.createElement('main'));

export default {
  library: 'react-use-websocket',
  with: ['react', 'react-dom'],
  page: 'react-use-websocket',
  side: 'client',
  plug: ['install() // of pq-websocket/polyfill'],
  words: ['see you'],
  start: () => startServer(0),
  cases: {
    async 'the example: connecting, open, the echo'({ url, secret }) {
      const text = secret('react');
      const shown = await runClient(url, text);
      assert.deepEqual([shown[0], shown.at(-1)], ['connecting: ', `open: ${text}`]);
    },
    async 'two components share one connection'({ url, tap, secret }) {
      const before = tap.connections.length;
      const text = secret('shared');
      const options = { share: true };
      const shared = [1, 2].map(() =>
        render(
          createElement(Echo, { url: `${url}/shared`, text, options }),
          main(),
          (shown) => shown === `open: ${text}`,
        ),
      );
      await Promise.all(shared);
      assert.equal(tap.connections.length, before + 1);
    },
    async 'its heartbeat, which is a message'({ url, secret }) {
      const beat = secret('heartbeat');
      const options = { heartbeat: { message: beat, returnMessage: 'never', interval: 30, timeout: 20_000 } };
      const shown = await render(
        createElement(Echo, { url: `${url}/heart`, text: secret('text'), options }),
        main(),
        (text) => text === `open: ${beat}`,
      );
      assert.equal(shown.at(-1), `open: ${beat}`);
    },
    async 'the server’s close, and a reconnection'({ url }) {
      const closes = [];
      const options = { shouldReconnect: ({ code, reason }) => closes.push([code, reason]) < 2, reconnectInterval: 10 };
      await render(createElement(Echo, { url: `${url}/bye`, text: 'bye', options }), main(), () => closes.length === 2);
      assert.deepEqual(closes, [
        [4000, 'see you'],
        [4000, 'see you'],
      ]);
    },
    async 'a cut, and a reconnection'({ url, tap, secret }) {
      const text = secret('after');
      let cuts = 0;
      const options = { shouldReconnect: () => true, reconnectInterval: 10 };
      const report = ({ message }) => {
        if (message === text && cuts++ === 0) tap.connections.at(-1).cut();
      };
      const seen = [];
      await render(createElement(Echo, { url: `${url}/cut`, text, options, report }), main(), (shown) => {
        seen.push(shown);
        return (
          cuts > 0 &&
          seen.some((each) => each.startsWith('connecting') && seen.indexOf(each) > 0) &&
          shown.startsWith('open')
        );
      });
    },
  },
};
