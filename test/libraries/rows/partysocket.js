import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/partysocket/client.js';
import { startServer } from '../../../examples/partysocket/server.js';
import { connect as connectTo, createServer } from 'node:net';
import { WebSocketServer } from 'pq-websocket/ws';
import { stayConnected } from '../../../examples/staying-connected/reconnect.js';
import { next, QUICK, reconnectingCases } from '../shared/reconnecting-cases.js';

const listening = (server) => new Promise((resolve) => server.once('listening', resolve));

/** Carries bytes until it is told to swallow those of the connections that are open: no FIN, no RST, only silence. */
async function startRelay(port) {
  const open = new Set();
  let swallowed = new Set();
  const relay = createServer((client) => {
    const backend = connectTo(port, '127.0.0.1');
    open.add(client);
    for (const [from, to] of [
      [client, backend],
      [backend, client],
    ]) {
      from.on('data', (chunk) => swallowed.has(client) || to.write(chunk));
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
    }
  });
  relay.listen(0, '127.0.0.1');
  await listening(relay);
  return {
    port: relay.address().port,
    swallow: () => {
      swallowed = new Set(open);
    },
    close: () => {
      for (const socket of open) socket.destroy();
      relay.close();
    },
  };
}

export default {
  library: 'partysocket',
  page: 'partysocket',
  side: 'client',
  plug: ['new WebSocket(url, protocols, { WebSocket: PQWebSocket }) // of partysocket'],
  words: ['see you'],
  start: () => startServer(0),
  cases: {
    async 'the example'({ url, secret }) {
      const text = secret('party');
      assert.deepEqual(await runClient(url, text), [text]);
    },
    ...reconnectingCases(connect),
    async 'a connection that goes silent is found by the heartbeat, and another is made'({ secret }) {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1', heartbeat: true });
      server.on('connection', (socket) => socket.on('message', (data) => socket.send(data.toString())));
      await listening(server);
      const relay = await startRelay(server.address().port);
      const heartbeat = { interval: 40, timeout: 200 };
      const socket = stayConnected(`ws://127.0.0.1:${relay.port}`, { heartbeat }, QUICK);
      await next(socket, 'open');
      relay.swallow();
      await next(socket, 'open');
      const text = secret('after the silence');
      socket.send(text);
      assert.equal((await next(socket, 'message')).data, text);
      // Who is back online does not wait for the next attempt; an open socket is left alone.
      globalThis.dispatchEvent?.(new Event('online'));
      assert.equal(socket.readyState, 1);
      socket.leave();
      relay.close();
      server.close();
    },
    async 'a URL provider that throws: an error event, and the next attempt'({ url, secret }) {
      let asked = 0;
      const socket = connect(
        () => {
          asked += 1;
          if (asked === 1) throw new Error('no token yet');
          return url;
        },
        undefined,
        QUICK,
      );
      const text = secret('after-the-throw');
      socket.send(text);
      assert.equal((await next(socket, 'message')).data, text);
      assert(asked >= 2);
      socket.close();
    },
    async 'a protocol provider that answers differently at each attempt'({ url, tap }) {
      let attempt = 0;
      const socket = connect(url, async () => `chat.v${++attempt}`, QUICK);
      await next(socket, 'open');
      assert.equal(socket.protocol, 'chat.v1');
      const again = next(socket, 'open');
      tap.connections.at(-1).cut();
      await again;
      assert.equal(socket.protocol, 'chat.v2');
      socket.close();
    },
  },
};
