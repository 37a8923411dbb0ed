import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/partysocket/client.js';
import { startServer } from '../../../examples/partysocket/server.js';
import { WebSocketServer } from 'pq-websocket/ws';
import { stayConnected } from '../../../examples/staying-connected/reconnect.js';
import { next, QUICK, reconnectingCases } from '../shared/reconnecting-cases.js';

const listening = (server) => new Promise((resolve) => server.once('listening', resolve));

/** Runs `act` while this process tells of the network as a page does. */
async function asInAPage(act) {
  const names = ['addEventListener', 'removeEventListener', 'dispatchEvent'];
  const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  const page = new globalThis.EventTarget();
  for (const name of names) {
    Object.defineProperty(globalThis, name, { configurable: true, value: page[name].bind(page) });
  }
  try {
    await act();
  } finally {
    for (const [name, descriptor] of before) {
      delete globalThis[name];
      if (descriptor !== undefined) Object.defineProperty(globalThis, name, descriptor);
    }
  }
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
    async 'a connection that goes silent is found by the heartbeat, and another is made'({ openTap, secret }) {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1', heartbeat: true });
      server.on('connection', (socket) => socket.on('message', (data) => socket.send(data.toString())));
      await listening(server);
      const tap = await openTap(server.address().port);
      const heartbeat = { interval: 40, timeout: 200 };
      const socket = stayConnected(tap.url, { heartbeat }, QUICK);
      await next(socket, 'open');
      const [silent] = tap.connections;
      // No FIN, no RST: nothing comes through, either way.
      tap.onFrame = (_frame, connection) => (connection === silent ? 'drop' : 'forward');
      await next(socket, 'open');
      const text = secret('after the silence');
      socket.send(text);
      assert.equal((await next(socket, 'message')).data, text);
      socket.leave();
      server.close();
    },
    async 'back online: the next attempt comes at once, and an open socket is left alone'({ openTap, server }) {
      const tap = await openTap(server.port);
      const anHour = { minReconnectionDelay: 3_600_000, maxReconnectionDelay: 3_600_000, minUptime: 1 };
      await asInAPage(async () => {
        const socket = stayConnected(tap.url, {}, anHour);
        await next(socket, 'open');
        globalThis.dispatchEvent(new Event('online'));
        assert.equal(socket.readyState, 1);
        const closed = next(socket, 'close');
        tap.connections[0].cut();
        await closed;
        // The wait begins when the library asks for the URL, after its own of no time at all.
        await new Promise((resolve) => setTimeout(resolve));
        const open = next(socket, 'open');
        globalThis.dispatchEvent(new Event('online'));
        await open;
        assert.equal(tap.connections.length, 2);
        socket.leave();
      });
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
