import assert from 'node:assert/strict';
import { join, runClient } from '../../../examples/colyseus/client.js';
import { startServer } from '../../../examples/colyseus/server.js';
import { deferred, nextEnd } from '../shared/ends.js';

/** Matchmaking is HTTP and goes to the server itself: what is judged is the WebSocket, through the tap. */
const through = (tap, server) => ({
  urlBuilder(url) {
    url.port = url.protocol === 'ws:' ? tap.port : server.port;
    return url.href;
  },
});

/** Resolves when the room's state passes. */
function reaches(room, passes) {
  return new Promise((resolve) => {
    const look = (state) => state?.seats !== undefined && passes(state) && resolve();
    room.onStateChange(look);
    look(room.state);
  });
}

export default {
  library: '@colyseus/sdk',
  with: ['@colyseus/core', '@colyseus/ws-transport', '@colyseus/schema'],
  page: 'colyseus',
  side: 'client and server',
  plug: ['install() // of pq-websocket/polyfill, before @colyseus/sdk', 'secureServer(transport.wss)'],
  words: [],
  start: () => startServer(0),
  cases: {
    async 'the example: who sits at a table, and what is said'({ url, tap, server, secret }) {
      const text = secret('said');
      assert.deepEqual(await runClient(url, text, through(tap, server)), ['Ada, Ben', `Ada: ${text}`]);
    },
    async 'the state reaches the others, and changes'({ url, tap, server, secret }) {
      const names = [secret('ada'), secret('ben')];
      const ada = await join(url, names[0], through(tap, server));
      const both = reaches(ada, ({ seats }) =>
        names.every((name) => [...seats.values()].some((seat) => seat.name === name)),
      );
      const ben = await join(url, names[1], through(tap, server));
      await both;
      const alone = reaches(ada, ({ seats }) => seats.size === 1);
      await ben.leave();
      await alone;
      await ada.leave();
    },
    async 'bytes, both ways'({ url, tap, server, secret }) {
      const room = await join(url, 'Ada', through(tap, server));
      const heard = deferred();
      room.onMessage('blob', heard.resolve);
      const bytes = new TextEncoder().encode(secret('bytes'));
      room.sendBytes('blob', bytes);
      assert.deepEqual(new Uint8Array(await heard.promise), bytes);
      await room.leave();
    },
    async 'a cut: it connects again, to its own seat'({ url, tap, server, secret }) {
      const room = await join(url, 'Ada', through(tap, server));
      Object.assign(room.reconnection, { minUptime: 0, minDelay: 1, delay: 1 });
      const [again, heard] = [deferred(), deferred()];
      room.onReconnect(again.resolve);
      room.onMessage('said', heard.resolve);
      const { sessionId } = room;
      await reaches(room, ({ seats }) => seats.has(sessionId));
      tap.connections.at(-1).cut();
      await again.promise;
      const text = secret('after');
      room.send('say', text);
      assert.deepEqual(await heard.promise, { name: 'Ada', text });
      assert.equal(room.sessionId, sessionId);
      await room.leave();
    },
    async 'leaving closes cleanly'({ url, tap, server }) {
      const end = nextEnd(server.server);
      const room = await join(url, 'Ada', through(tap, server));
      assert.equal(await room.leave(), 4000);
      assert.equal(await end, 4000);
    },
  },
};
