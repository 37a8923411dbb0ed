import assert from 'node:assert/strict';
import { createClient } from 'graphql-ws';
import { PQWebSocket } from 'pq-websocket';
import { startServer } from '../../../examples/graphql-ws/server.js';
import { runClient } from '../../../examples/graphql-ws/client.js';

const SUBSCRIPTION = 'subscription ($text: String!) { greetings(text: $text) }';

function clientOf(url, options = {}) {
  const events = [];
  const client = createClient({
    url: `${url}/graphql`,
    webSocketImpl: PQWebSocket,
    retryAttempts: 0,
    lazy: true,
    on: Object.fromEntries(
      ['connected', 'ping', 'pong', 'closed', 'error'].map((name) => [name, (...args) => events.push([name, ...args])]),
    ),
    ...options,
  });
  return { client, events };
}

/** What ends a subscription: its error, or undefined. */
function outcome(client, payload, onValue = () => undefined) {
  return new Promise((resolve) => {
    client.subscribe(payload, { next: onValue, error: resolve, complete: () => resolve(undefined) });
  });
}

async function closedBy(url, options, payload) {
  const { client } = clientOf(url, options);
  const failure = await outcome(client, payload);
  await client.dispose();
  return [failure?.code, failure?.reason];
}

let refuse;

export default {
  library: 'graphql-ws',
  with: ['graphql'],
  page: 'graphql-ws',
  side: 'client and server',
  plug: ['createClient({ url, webSocketImpl: PQWebSocket })', 'useServer({ schema }, new WebSocketServer({ port }))'],
  words: ['connection_init', 'connection_ack', 'subscribe', 'greetings', 'payload'],
  start: () =>
    startServer(0, {
      connectionInitWaitTimeout: 300,
      onConnect: ({ connectionParams }) => connectionParams?.token !== 'wrong token here',
      onSubscribe: () => refuse?.(),
    }),
  cases: {
    async 'the example: a subscription to its end'({ url, secret }) {
      const text = secret('greeting');
      assert.deepEqual(
        await runClient(url, text),
        ['Hi', 'Bonjour', 'Hola', 'Ciao', 'Zdravo'].map((hello) => `${hello}, ${text}`),
      );
    },
    async 'a query'({ url, secret }) {
      const { client } = clientOf(url);
      const text = secret('query');
      const values = [];
      assert.equal(
        await outcome(client, { query: '{ greet(text: "' + text + '") }' }, (value) => values.push(value)),
        undefined,
      );
      assert.deepEqual(
        values.map(({ data }) => data.greet),
        [`You said: ${text}`],
      );
      await client.dispose();
    },
    async 'errors of GraphQL'({ url, secret }) {
      const { client } = clientOf(url);
      const text = secret('refused');
      const query = 'subscription ($text: String!) { refused(text: $text) }';
      const values = [];
      const failure = await outcome(client, { query, variables: { text } }, (value) => values.push(value));
      const errors = failure ?? values[0].errors;
      assert.equal(errors[0].message, `refused: ${text}`);
      await client.dispose();
    },
    async 'unsubscribing before the end, with the socket kept for the next'({ url, secret }) {
      const { client, events } = clientOf(url, { lazyCloseTimeout: 5_000 });
      for (const text of [secret('first'), secret('second')]) {
        const greetings = client.iterate({ query: SUBSCRIPTION, variables: { text } });
        const { value } = await greetings.next();
        assert.equal(value.data.greetings, `Hi, ${text}`);
        await greetings.return();
      }
      assert.equal(events.filter(([name]) => name === 'connected').length, 1);
      await client.dispose();
    },
    async 'keep-alive pings and pongs with a payload'({ url }) {
      const { client, events } = clientOf(url, { keepAlive: 20, lazy: false });
      await new Promise((resolve) => {
        client.on('pong', resolve);
      });
      assert(events.some(([name]) => name === 'ping'));
      await client.dispose();
    },
    async 'the application’s own close: 1000'({ url }) {
      const { client, events } = clientOf(url, { lazy: false });
      await new Promise((resolve) => {
        client.on('connected', resolve);
      });
      const closed = new Promise((resolve) => {
        client.on('closed', resolve);
      });
      await client.dispose();
      const { code, reason } = await closed;
      assert.deepEqual([code, reason], [1000, 'Normal Closure']);
      assert.equal(events.filter(([name]) => name === 'error').length, 0);
    },
    async '4403 Forbidden'({ url, hide }) {
      hide('wrong token here');
      const payload = { query: '{ greet(text: "x") }' };
      assert.deepEqual(await closedBy(url, { connectionParams: { token: 'wrong token here' } }, payload), [
        4403,
        'Forbidden',
      ]);
    },
    async '4408 without connection_init, 4400, 4401, 4409, 4429 by hand'({ url }) {
      const spoken = async (...messages) => {
        const socket = new PQWebSocket(`${url}/graphql`, 'graphql-transport-ws');
        socket.onopen = () =>
          messages.forEach((message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)));
        const { code, reason } = await new Promise((resolve) => {
          socket.onclose = resolve;
        });
        return [code, reason];
      };
      const init = { type: 'connection_init' };
      const subscribe = { id: '1', type: 'subscribe', payload: { query: SUBSCRIPTION, variables: { text: 'x' } } };
      assert.deepEqual(await spoken(), [4408, 'Connection initialisation timeout']);
      assert.deepEqual((await spoken('no JSON at all'))[0], 4400);
      assert.deepEqual(await spoken(subscribe), [4401, 'Unauthorized']);
      assert.deepEqual((await spoken(init, init))[0], 4429);
    },
    async '4500 with the error that the server throws'({ url, secret }) {
      const reason = secret('internal');
      refuse = () => {
        throw new Error(reason);
      };
      try {
        assert.deepEqual(await closedBy(url, {}, { query: '{ greet(text: "x") }' }), [4500, reason]);
      } finally {
        refuse = undefined;
      }
    },
    async '4406 without the subprotocol'({ url }) {
      const socket = new PQWebSocket(`${url}/graphql`);
      const { code } = await new Promise((resolve) => {
        socket.onclose = resolve;
      });
      assert.equal(code, 4406);
    },
    // As with the native class, a cut is an `error` event first, which graphql-ws retries only if told so.
    async 'reconnection after the connection was cut'({ url, tap, secret }) {
      const text = secret('after-the-cut');
      const { client } = clientOf(url, {
        retryAttempts: 3,
        retryWait: () => Promise.resolve(),
        shouldRetry: () => true,
        lazy: false,
      });
      await new Promise((resolve) => {
        client.on('connected', resolve);
      });
      const again = new Promise((resolve) => {
        client.on('connected', resolve);
      });
      tap.connections.at(-1).cut();
      await again;
      const values = [];
      await outcome(client, { query: '{ greet(text: "' + text + '") }' }, (value) => values.push(value));
      assert.equal(values[0].data.greet, `You said: ${text}`);
      await client.dispose();
    },
  },
};
