import assert from 'node:assert/strict';
import { runClient } from '../../../examples/crossws/client.js';
import { startServer } from '../../../examples/crossws/server.js';
import { open, serverCases } from '../shared/server-cases.js';

export default {
  library: 'crossws',
  page: 'crossws',
  side: 'server',
  plug: ['nodeAdapter({ wss: new WebSocketServer({ noServer: true, handleProtocols: () => false }), hooks })'],
  words: ['see you', 'crossws-ping'],
  start: () => startServer(0),
  cases: {
    ...serverCases('', runClient),
    async 'publish to all who have subscribed'({ url, secret }) {
      const members = [open(url), open(url), open(url)];
      await Promise.all(members.map(({ opened }) => opened));
      for (const { socket, next } of members) {
        socket.send('here');
        assert.equal(await next(), 'here');
      }
      const text = `all: ${secret('published')}`;
      members[0].socket.send(text);
      assert.deepEqual(await Promise.all(members.slice(1).map(({ next }) => next())), [text, text]);
      for (const { socket } of members) socket.close();
      await Promise.all(members.map(({ closed }) => closed));
    },
    // crossws ends a connection at the second beat that finds it silent.
    async 'its heartbeat keeps a silent connection that answers, four times over'({ openTap }) {
      const beating = await startServer(0, { idleTimeout: 1 });
      const tap = await openTap(beating.port);
      const { socket, opened, closed, next } = open(tap.url);
      await opened;
      const connection = tap.connections.at(-1);
      const pongs = () =>
        connection.frames.filter(({ opcode, direction }) => opcode === 10 && direction === 'client').length;
      await connection.frame(() => pongs() >= 4);
      socket.send('still here');
      assert.equal(await next(), 'still here');
      socket.close();
      await closed;
      beating.close();
    },
  },
};
