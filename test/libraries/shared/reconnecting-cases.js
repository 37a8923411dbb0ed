/** reconnecting-websocket and its successor partysocket: what both must do. */
import assert from 'node:assert/strict';

export const next = (target, event) =>
  new Promise((resolve) => target.addEventListener(event, resolve, { once: true }));
export const QUICK = {
  minReconnectionDelay: 10,
  maxReconnectionDelay: 20,
  reconnectionDelayGrowFactor: 1,
  minUptime: 1,
};

/** @param connect as the example's: (url, protocols, options) */
export function reconnectingCases(connect) {
  return {
    async 'what is sent before open arrives, in order'({ url, secret }) {
      const socket = connect(url, undefined, QUICK);
      const texts = [secret('one'), secret('two'), secret('three')];
      const heard = [];
      const done = new Promise((resolve) => {
        socket.addEventListener('message', ({ data }) => heard.push(data) === texts.length && resolve());
      });
      for (const text of texts) socket.send(text);
      await done;
      assert.deepEqual(heard, texts);
      socket.close();
    },
    async 'binary, as ArrayBuffer and as Blob'({ url, secret }) {
      const bytes = new TextEncoder().encode(secret('binary'));
      for (const binaryType of ['arraybuffer', 'blob']) {
        const socket = connect(url, undefined, QUICK);
        socket.binaryType = binaryType;
        socket.send(bytes);
        const { data } = await next(socket, 'message');
        assert.deepEqual(new Uint8Array(binaryType === 'blob' ? await data.arrayBuffer() : data), bytes);
        socket.close();
      }
    },
    async 'a cut: it connects again, and says what was sent meanwhile'({ url, tap, secret }) {
      const socket = connect(url, undefined, QUICK);
      await next(socket, 'open');
      const closed = next(socket, 'close');
      const again = next(socket, 'open');
      tap.connections.at(-1).cut();
      await closed;
      const text = secret('meanwhile');
      socket.send(text);
      const heard = next(socket, 'message');
      await again;
      assert.equal((await heard).data, text);
      socket.close();
    },
    async 'the server’s close, with its code and reason, then again'({ url }) {
      const socket = connect(url, undefined, QUICK);
      await next(socket, 'open');
      const again = next(socket, 'open');
      const closed = next(socket, 'close');
      socket.send('bye');
      const { code, reason } = await closed;
      assert.deepEqual([code, reason], [4000, 'see you']);
      await again;
      socket.close();
    },
    async 'closed while connecting: nothing opens, nothing is uncaught'({ url, server }) {
      const before = server.server.clients.size;
      const socket = connect(url, undefined, QUICK);
      let opened = false;
      socket.addEventListener('open', () => {
        opened = true;
      });
      // Once the attempt has begun, which is a promise away.
      await new Promise((resolve) => setImmediate(resolve));
      socket.close();
      const other = connect(url, undefined, QUICK);
      await next(other, 'open');
      const closed = next(other, 'close');
      other.close(4321, 'all of it');
      await closed;
      assert.equal(opened, false);
      assert(server.server.clients.size <= before + 1);
    },
    async 'a URL provider whose first answers fail, and protocols that change between attempts'({
      url,
      server,
      secret,
    }) {
      const asked = [];
      const offered = [];
      const follow = (socket) => offered.push(socket.protocol);
      server.server.on('connection', follow);
      const provider = async () => {
        asked.push(url);
        return asked.length === 1 ? 'ws://127.0.0.1:1' : url;
      };
      const first = connect(provider, 'chat.v1', QUICK);
      await next(first, 'open');
      assert(asked.length >= 2);
      first.close();
      const second = connect(provider, ['chat.v2', 'chat.v1'], QUICK);
      await next(second, 'open');
      assert.equal(second.protocol, 'chat.v2');
      const text = secret('protocol');
      second.send(text);
      assert.equal((await next(second, 'message')).data, text);
      second.close();
      server.server.off('connection', follow);
      assert.deepEqual(offered, ['chat.v1', 'chat.v2']);
    },
  };
}
